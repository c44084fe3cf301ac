// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What tasks are in the middle of where a snapshot begins and ends: it is in what the collector reads, or not, and in the
/// stream of events before that or after it.
extension Normalizer {
  /// `page_fault_user` tells the entry of a fault, a call's record its entry. A task in user mode that has done nothing
  /// since a quiet fault looks as if it were in it yet.
  mutating func tellUnderWay(_ mm: MMID) {
    for slot in tasks.all {
      if tasks[slot].faulting == mm, tasks[slot].fault.mayBeUnderWay {
        emit(mm, .underWay(.fault(tasks[slot].fault.page, tasks[slot].fault.access)))
      }
      if let range = rangeUnderWay(slot, mm) { emit(mm, .underWay(.call(range))) }
    }
  }

  /// Where the call fills what it has mapped, or takes away what it has removed from the tree. `mremap` writes where it
  /// moves to first (`copy_vma`); what is left around its source comes later.
  mutating func noteChanged(_ slot: Int, _ window: SyscallWindow, _ range: PageRange, isMapped: Bool) {
    switch window.call {
    case .mmap, .remapFilePages, .shmat: if isMapped { tasks[slot].call?.changed = range }
    case .brk, .shmdt: tasks[slot].call?.changed = range
    case .mremap:
      let isFixed = window.arguments[3] & mremapFixed != 0
      let destination = isFixed ? pages(window.arguments[4], window.arguments[2]) : range
      if isFixed || isMapped, window.changed == nil { tasks[slot].call?.changed = destination }
    default: break
    }
  }

  /// Where the task's call changes the mm in a way that is told later. Of a range that is taken away `removalBegan` told.
  private func rangeUnderWay(_ slot: Int, _ mm: MMID) -> PageRange? {
    if let pin = tasks[slot].pin, pin.mm == mm { return pin.range }
    guard tasks[slot].mm == mm, let window = tasks[slot].call else { return nil }
    switch window.call {
    case .mmap, .brk, .mremap, .shmat, .shmdt, .remapFilePages: return window.changed
    case .mlock, .mlock2, .mlockall: return locked(window)
    case .madvise:
      switch Advice(madvise: window.arguments[2]) {
      case .populateRead, .populateWrite: return pages(window.arguments[0], window.arguments[1])
      default: return nil
      }
    case .read, .write, .pread64, .pwrite64:
      guard window.pins, let transfer = MemoryTransfer(window.call, window.arguments) else { return nil }
      return pages(transfer.start, transfer.length)
    case .munmap, .mprotect, .pkeyMprotect, .open, .openat, .close, .dup, .dup2, .dup3, .fcntl, .processMadvise, .clone,
      .clone3, .fork, .vfork, .execve, .execveat, .exitGroup, .ioctl, .ioUringRegister, .vmsplice, .processVMReadv,
      .processVMWritev, .ptrace, .movePages, .migratePages, .mbind, .userfaultfd:
      return nil
    }
  }
}
