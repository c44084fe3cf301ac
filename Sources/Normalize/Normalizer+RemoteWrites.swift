// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Bytes that a call writes to another process's memory, when its arguments say where.
struct RemoteWrite {
  let start: UInt64
  let length: UInt64

  /// `PTRACE_POKETEXT`, `PTRACE_POKEDATA`: a word.
  private static let pokes: ClosedRange<UInt64> = 4...5

  /// `pwrite64` is one where its file is a `/proc/PID/mem`, which the lock that it takes tells.
  init?(_ call: KnownSyscall, _ arguments: [6 of UInt64]) {
    switch call {
    case .ptrace where Self.pokes.contains(arguments[0]): (start, length) = (arguments[2], 8)
    case .pwrite64: (start, length) = (arguments[3], arguments[2])
    default: return nil
    }
  }
}

/// GUP on somebody else's memory (`process_vm_writev`, `access_remote_vm`), where the arguments do not say where.
extension Normalizer {
  /// The task locked another mm. In a call that is not traced it may be writing to `/proc/PID/mem`, or reading another of
  /// the files there; told once of each mm, since nothing says that it has ended.
  mutating func tellRemoteAccess(_ slot: Int, _ mm: MMID) {
    let isRead = tasks[slot].call?.call == .processVMReadv
    switch tasks[slot].call?.call {
    case nil, .read, .write, .pread64, .pwrite64, .open, .openat, .close, .dup, .dup2, .dup3, .fcntl, .processVMReadv,
      .processVMWritev:
      break
    default: return
    }
    // Probes tell what those two pin.
    if table.showsPins, isRead || tasks[slot].call?.call == .processVMWritev { return }
    guard tasks[slot].isFollowed, !tasks[slot].isCollector, ownership.noteAccess(mm, isRead: isRead) else { return }
    emit(mm, .unfollowed(isRead ? .remoteRead : .remoteAccess, nil))
  }
}

/// `access_remote_vm` for a debugger: GUP writes (`FOLL_WRITE | FOLL_FORCE`) in another process's mm, under its lock.
extension Normalizer {
  /// The lock of the mm that the task's call writes to: what follows until the call ends is a fault there. `false` when
  /// the lock is for something else.
  mutating func beginRemoteWrite(_ slot: Int, pointer: UInt64) -> Bool {
    guard let call = tasks[slot].call, !call.pins, let write = RemoteWrite(call.call, call.arguments),
      let mm = ownership.id(pointer: pointer)
    else { return false }
    // The buffer that is written from is the task's own.
    if mm == tasks[slot].mm, tasks[slot].fault.isOpen { return false }
    closeFault(slot)
    strayWent(slot)
    let range = pages(write.start, write.length)
    guard range.count == 1, mm != tasks[slot].mm else {
      emit(mm, .unfollowed(.remoteAccess, range))
      return false
    }
    tasks[slot].strayFolio = nil
    tasks[slot].remote = mm
    tasks[slot].fault = PendingFault(remoteWriteTo: range.start, sequence: sequence, time: time, cpu: cpu, task: task)
    tasks[slot].fault.keepPlace(mm, at: time, on: &line)
    return true
  }
}
