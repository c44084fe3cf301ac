// SPDX-License-Identifier: GPL-2.0-only

/// The tracepoints the normalizer understands. Everything else is counted by name and passed over.
package enum KnownEvent: UInt8, CaseIterable, Sendable {
  case pageFaultUser, pageFaultKernel
  case pageAlloc, pageFree, rssStat, lruInsertion
  case tlbFlush
  case mapleTreeWrite, mmapLockReturned
  case setMigrationPTE, removeMigrationPTE, setMigrationPMD, removeMigrationPMD
  case newTask, processFork, processExit, processExec, exitMmap
  case taskRename
  case signalDeliver
  case collapseHugePage, collapseIsolate, collapseScan
  case ksmMergeOne, ksmMergeWith
  case swapWrite
  case marker
  case syscallEnter, syscallExit
  case pinEnter, pinExit, pinRelease

  /// System and name of the tracepoint; `nil` for the system calls, which are a tracepoint each, and for probes.
  package var tracepoint: (system: String, name: String)? {
    switch self {
    case .pageFaultUser: ("exceptions", "page_fault_user")
    case .pageFaultKernel: ("exceptions", "page_fault_kernel")
    case .pageAlloc: ("kmem", "mm_page_alloc")
    case .pageFree: ("kmem", "mm_page_free")
    case .rssStat: ("kmem", "rss_stat")
    case .lruInsertion: ("pagemap", "mm_lru_insertion")
    case .tlbFlush: ("tlb", "tlb_flush")
    case .mapleTreeWrite: ("maple_tree", "ma_write")
    case .mmapLockReturned: ("mmap_lock", "mmap_lock_acquire_returned")
    case .setMigrationPTE: ("migrate", "set_migration_pte")
    case .removeMigrationPTE: ("migrate", "remove_migration_pte")
    case .setMigrationPMD: ("thp", "set_migration_pmd")
    case .removeMigrationPMD: ("thp", "remove_migration_pmd")
    case .newTask: ("task", "task_newtask")
    case .processFork: ("sched", "sched_process_fork")
    case .processExit: ("sched", "sched_process_exit")
    case .processExec: ("sched", "sched_process_exec")
    case .exitMmap: ("mmap", "exit_mmap")
    case .taskRename: ("task", "task_rename")
    case .signalDeliver: ("signal", "signal_deliver")
    case .collapseHugePage: ("huge_memory", "mm_collapse_huge_page")
    case .collapseIsolate: ("huge_memory", "mm_collapse_huge_page_isolate")
    case .collapseScan: ("huge_memory", "mm_khugepaged_scan_pmd")
    case .ksmMergeOne: ("ksm", "ksm_merge_one_page")
    case .ksmMergeWith: ("ksm", "ksm_merge_with_ksm_page")
    case .swapWrite: ("vmscan", "mm_vmscan_write_folio")
    case .marker: ("ftrace", "print")
    case .syscallEnter, .syscallExit, .pinEnter, .pinExit, .pinRelease: nil
    }
  }

  /// Whether the event tells that the task is done with what it was doing before: it closes a fault.
  var closesFault: Bool {
    switch self {
    case .pageFaultUser, .pageFaultKernel, .newTask, .processFork, .processExit, .processExec, .signalDeliver,
      .marker, .syscallEnter, .syscallExit, .pinEnter:
      true
    case .pageAlloc, .pageFree, .rssStat, .lruInsertion, .tlbFlush, .mapleTreeWrite, .mmapLockReturned,
      .setMigrationPTE, .removeMigrationPTE, .setMigrationPMD, .removeMigrationPMD, .exitMmap, .taskRename,
      .collapseHugePage, .collapseIsolate, .collapseScan, .ksmMergeOne, .ksmMergeWith, .swapWrite, .pinExit,
      .pinRelease:
      false
    }
  }
}

/// The system calls whose effect on memory the normalizer follows.
package enum KnownSyscall: String, CaseIterable, Sendable {
  case mmap, munmap, mremap, mprotect
  case pkeyMprotect = "pkey_mprotect"
  case brk, madvise
  case processMadvise = "process_madvise"
  case mlock, mlock2, mlockall
  case clone, clone3, fork, vfork
  case execve, execveat
  case exitGroup = "exit_group"
  case ioctl
  case ioUringRegister = "io_uring_register"
  case vmsplice
  case processVMReadv = "process_vm_readv"
  case processVMWritev = "process_vm_writev"
  case ptrace
  case read, write, pread64, pwrite64
  case open, openat, close, dup, dup2, dup3, fcntl
  case movePages = "move_pages"
  case migratePages = "migrate_pages"
  case mbind, userfaultfd
  case shmat, shmdt
  case remapFilePages = "remap_file_pages"

  /// Whether the call may create a process.
  var clones: Bool {
    switch self {
    case .clone, .clone3, .fork, .vfork: true
    default: false
    }
  }
}
