// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Descriptors that are opened with `O_DIRECT`, as far as the trace shows.
///
/// By mm: threads share their descriptors, fork and `execve` copy them. (A child of `vfork` has its own while it uses
/// its parent's mm, and a close-on-exec descriptor does not reach the new program; a descriptor may also be closed and
/// made anew by a call that is not recorded.) So one that is held here is *perhaps* direct, and what reads or writes
/// through it *may* pin pages. A copy of a descriptor shares its flags; `F_SETFL` is followed for the one it names.
struct DirectDescriptors {
  private var descriptors: [MMID: Set<Int32>] = [:]

  func contains(_ descriptor: Int32, of mm: MMID) -> Bool {
    !descriptors.isEmpty && descriptors[mm]?.contains(descriptor) ?? false
  }

  mutating func set(_ descriptor: Int32, of mm: MMID, isDirect: Bool) {
    if isDirect {
      descriptors[mm, default: []].insert(descriptor)
    } else if !descriptors.isEmpty {
      descriptors[mm]?.remove(descriptor)
    }
  }

  mutating func copied(from parent: MMID, to child: MMID) {
    if !descriptors.isEmpty, let all = descriptors[parent], !all.isEmpty { descriptors[child] = all }
  }

  mutating func forget(_ mm: MMID) { if !descriptors.isEmpty { descriptors[mm] = nil } }
}

/// Bytes of memory that a call reads a file into, or writes from.
struct MemoryTransfer {
  let descriptor: Int32
  let start: UInt64
  let length: UInt64
  /// The memory is written to: GUP's `FOLL_WRITE`.
  let writesMemory: Bool

  init?(_ call: KnownSyscall, _ arguments: [6 of UInt64]) {
    switch call {
    case .read, .pread64: writesMemory = true
    case .write, .pwrite64: writesMemory = false
    default: return nil
    }
    descriptor = Int32(truncatingIfNeeded: arguments[0])
    (start, length) = (arguments[1], arguments[2])
  }
}

private enum FileControl {
  static let duplicate: UInt64 = 0
  static let setFlags: UInt64 = 4
  static let duplicateCloseOnExec: UInt64 = 1030
}

extension Normalizer {
  private func isDirect(_ flags: UInt64) -> Bool {
    // `O_DIRECT` of asm-generic, and of arm64, which older kernels' entries count as no known architecture.
    flags & (machine.architecture == .x86 ? 0x4000 : 0x10000) != 0
  }

  /// The task's call has begun: it may be one on a file opened with `O_DIRECT`.
  mutating func enterFileCall(_ slot: Int) {
    guard let mm = tasks[slot].mm, let window = tasks[slot].call else { return }
    if window.call == .close {
      // Whatever its result, the descriptor is free.
      direct.set(Int32(truncatingIfNeeded: window.arguments[0]), of: mm, isDirect: false)
    } else if let transfer = MemoryTransfer(window.call, window.arguments),
      direct.contains(transfer.descriptor, of: mm), transfer.length > 0
    {
      tasks[slot].call?.pins = true
      emit(mm, .directIOBegan(pages(transfer.start, transfer.length), write: transfer.writesMemory))
    }
  }

  /// A call that makes or changes a descriptor came back with success.
  mutating func opened(_ window: SyscallWindow, _ mm: MMID, descriptor result: UInt64) {
    let made = Int32(truncatingIfNeeded: result)
    let first = Int32(truncatingIfNeeded: window.arguments[0])
    switch window.call {
    case .open: direct.set(made, of: mm, isDirect: isDirect(window.arguments[1]))
    case .openat: direct.set(made, of: mm, isDirect: isDirect(window.arguments[2]))
    case .dup, .dup2, .dup3: direct.set(made, of: mm, isDirect: direct.contains(first, of: mm))
    case .fcntl:
      switch window.arguments[1] {
      case FileControl.duplicate, FileControl.duplicateCloseOnExec:
        direct.set(made, of: mm, isDirect: direct.contains(first, of: mm))
      case FileControl.setFlags: direct.set(first, of: mm, isDirect: isDirect(window.arguments[2]))
      default: break
      }
    default: break
    }
  }
}
