// SPDX-License-Identifier: GPL-2.0-only

import Normalize
import TraceFile

/// What becomes of a field, or of two that belong together. Fields without one are zeros in the new record.
enum Treatment: Equatable {
  case kept
  case address
  /// An address of which only the page means something.
  case page
  /// A start and a length.
  case range(length: String)
  /// The same of a mapping.
  case mapping(length: String)
  /// First and last index of a write to a maple tree, and what is written.
  case tree(last: String, value: String)
  case frame
  /// Raw page table entries.
  case migrationEntry, presentEntry
  case pointer
  case hashedPointer
  /// The `struct page` of a frame, and where those begin.
  case structPage(base: String)
  case name
  /// The text of a marker.
  case marker
  /// What a call came back with: an address, or an error.
  case mappedAddress
}

/// An event's treatment: fields by name.
typealias EventTreatment = [(field: String, treatment: Treatment)]

extension KnownEvent {
  /// An event that the normalizer learns to read needs a line here: what in it is a name, an address, a pointer.
  var treatment: EventTreatment {
    switch self {
    case .pageFaultUser, .pageFaultKernel: [("address", .page), ("error_code", .kept)]
    case .pageAlloc: [("pfn", .frame), ("order", .kept), ("gfp_flags", .kept), ("migratetype", .kept)]
    case .pageFree: [("pfn", .frame), ("order", .kept)]
    case .rssStat: [("mm_id", .hashedPointer), ("curr", .kept), ("member", .kept), ("size", .kept)]
    case .lruInsertion: [("pfn", .frame), ("lru", .kept)]
    case .tlbFlush: [("reason", .kept), ("pages", .kept)]
    case .mapleTreeWrite: [("index", .tree(last: "last", value: "val"))]
    case .mmapLockReturned: [("mm", .pointer), ("write", .kept), ("success", .kept)]
    case .setMigrationPTE: [("addr", .address), ("pte", .migrationEntry), ("order", .kept)]
    case .removeMigrationPTE: [("addr", .address), ("pte", .presentEntry), ("order", .kept)]
    case .setMigrationPMD: [("addr", .address), ("pmd", .migrationEntry)]
    case .removeMigrationPMD: [("addr", .address), ("pmd", .presentEntry)]
    case .newTask: [("pid", .kept), ("comm", .name), ("clone_flags", .kept)]
    case .processFork:
      [("parent_comm", .name), ("parent_pid", .kept), ("child_comm", .name), ("child_pid", .kept)]
    case .processExit: [("comm", .name), ("pid", .kept), ("group_dead", .kept)]
    case .processExec: [("filename", .name), ("pid", .kept), ("old_pid", .kept)]
    case .exitMmap: [("mm", .pointer)]
    case .taskRename: [("pid", .kept), ("oldcomm", .name), ("newcomm", .name), ("oom_score_adj", .kept)]
    case .signalDeliver: [("sig", .kept), ("errno", .kept), ("code", .kept)]
    case .collapseHugePage: [("mm", .pointer), ("isolated", .kept), ("status", .kept), ("order", .kept)]
    case .collapseIsolate: [("pfn", .frame), ("none_or_zero", .kept), ("referenced", .kept), ("status", .kept)]
    case .collapseScan:
      [
        ("mm", .pointer), ("pfn", .frame), ("none_or_zero", .kept), ("unmapped", .kept), ("referenced", .kept),
        ("status", .kept),
      ]
    case .ksmMergeOne, .ksmMergeWith: [("pfn", .frame), ("mm", .pointer), ("err", .kept)]
    case .swapWrite: [("pfn", .frame), ("reclaim_flags", .kept)]
    case .marker: [("buf", .marker)]
    case .pinEnter: [("mm", .pointer), ("start", .address), ("nr", .kept), ("flags", .kept)]
    case .pinExit: [("got", .kept)]
    case .pinRelease: [("page", .structPage(base: "vmemmap")), ("refs", .kept), ("flags", .kept)]
    // By the call.
    case .syscallEnter, .syscallExit: []
    }
  }
}

extension KnownSyscall {
  /// Of the arguments. What a pointer points at is not in the record, and where it points is nobody's business.
  var arguments: EventTreatment {
    switch self {
    case .mmap: [("addr", .mapping(length: "len")), ("prot", .kept), ("flags", .kept), ("fd", .kept)]
    case .munmap: [("addr", .range(length: "len"))]
    case .mremap:
      [("addr", .mapping(length: "old_len")), ("new_addr", .mapping(length: "new_len")), ("flags", .kept)]
    case .mprotect: [("start", .range(length: "len")), ("prot", .kept)]
    case .pkeyMprotect: [("start", .range(length: "len")), ("prot", .kept), ("pkey", .kept)]
    case .brk: [("brk", .address)]
    case .madvise: [("start", .range(length: "len_in")), ("behavior", .kept)]
    case .processMadvise: [("pidfd", .kept), ("vlen", .kept), ("behavior", .kept), ("flags", .kept)]
    case .mlock: [("start", .range(length: "len"))]
    case .mlock2: [("start", .range(length: "len")), ("flags", .kept)]
    case .mlockall: [("flags", .kept)]
    case .clone: [("clone_flags", .kept)]
    case .clone3: [("size", .kept)]
    case .fork, .vfork: []
    case .execve: []
    case .execveat: [("fd", .kept), ("flags", .kept)]
    case .exitGroup: [("error_code", .kept)]
    case .ioctl: [("fd", .kept), ("cmd", .kept)]
    case .ioUringRegister: [("fd", .kept), ("opcode", .kept), ("nr_args", .kept)]
    case .vmsplice: [("fd", .kept), ("nr_segs", .kept), ("flags", .kept)]
    case .processVMReadv, .processVMWritev:
      [("pid", .kept), ("liovcnt", .kept), ("riovcnt", .kept), ("flags", .kept)]
    case .ptrace: [("request", .kept), ("pid", .kept), ("addr", .address)]
    case .read, .write, .pread64: [("fd", .kept), ("buf", .range(length: "count"))]
    // Its place is an address where the file is a process's memory.
    case .pwrite64: [("fd", .kept), ("buf", .range(length: "count")), ("pos", .address)]
    case .open: [("flags", .kept), ("mode", .kept)]
    case .openat: [("dfd", .kept), ("flags", .kept), ("mode", .kept)]
    case .close: [("fd", .kept)]
    case .dup: [("fildes", .kept)]
    case .dup2, .dup3: [("oldfd", .kept), ("newfd", .kept), ("flags", .kept)]
    case .fcntl: [("fd", .kept), ("cmd", .kept), ("arg", .kept)]
    case .movePages: [("pid", .kept), ("nr_pages", .kept), ("flags", .kept)]
    case .migratePages: [("pid", .kept), ("maxnode", .kept)]
    case .mbind: [("start", .range(length: "len")), ("mode", .kept), ("maxnode", .kept), ("flags", .kept)]
    case .userfaultfd: [("flags", .kept)]
    case .shmat: [("shmid", .kept), ("shmaddr", .address), ("shmflg", .kept)]
    case .shmdt: [("shmaddr", .address)]
    case .remapFilePages: [("start", .range(length: "size")), ("prot", .kept), ("flags", .kept)]
    }
  }

  /// Of what the call comes back with.
  var result: Treatment {
    switch self {
    case .mmap, .mremap, .brk, .shmat: .mappedAddress
    default: .kept
    }
  }
}

/// Events that `record` stores and no analysis reads: that there was one, when and by which task, is kept.
let unreadEvents: Set<String> = [
  "ksm:ksm_remove_ksm_page", "ksm:ksm_remove_rmap_item", "ksm:ksm_enter", "ksm:ksm_exit", "ksm:ksm_start_scan",
  "ksm:ksm_stop_scan", "oom:mark_victim", "vmscan:mm_vmscan_writepage",
]
