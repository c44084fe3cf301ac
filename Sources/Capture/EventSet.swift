// SPDX-License-Identifier: GPL-2.0-only

/// Which of the two instances an event is recorded in.
package enum TraceBuffer: String, CaseIterable, Sendable, Codable {
  /// Unfiltered: page state is changed by anyone (ksmd, kswapd, another task's LRU drain).
  case host
  /// Only the followed tasks: what they asked for and how they faulted.
  case task
}

/// One tracepoint that a recording wants.
package struct WantedEvent: Equatable, Sendable {
  package var system: String
  /// The name on current kernels, then older ones: the first that exists is used.
  package var names: [String]
  package var buffer: TraceBuffer
  /// An ftrace filter expression, for events of which only a few records say something.
  package var filter: String?

  package init(
    _ buffer: TraceBuffer, _ system: String, _ names: String..., filter: String? = nil
  ) {
    self.system = system
    self.names = names
    self.buffer = buffer
    self.filter = filter
  }

  /// "system:name" with the current kernel's name.
  package var title: String { system + ":" + (names.first ?? "") }
}

/// The table of what is recorded.
package enum WantedEvents {
  package static let tracepoints: [WantedEvent] = [
    WantedEvent(.host, "kmem", "mm_page_alloc"),
    WantedEvent(.host, "kmem", "mm_page_free"),
    WantedEvent(.host, "kmem", "rss_stat"),
    WantedEvent(.host, "migrate", "set_migration_pte"),
    WantedEvent(.host, "migrate", "remove_migration_pte"),
    WantedEvent(.host, "thp", "set_migration_pmd"),
    WantedEvent(.host, "thp", "remove_migration_pmd"),
    WantedEvent(.host, "huge_memory", "mm_collapse_huge_page"),
    WantedEvent(.host, "huge_memory", "mm_collapse_huge_page_isolate"),
    WantedEvent(.host, "ksm", "ksm_merge_one_page"),
    WantedEvent(.host, "ksm", "ksm_merge_with_ksm_page"),
    WantedEvent(.host, "ksm", "ksm_remove_ksm_page"),
    WantedEvent(.host, "ksm", "ksm_remove_rmap_item"),
    WantedEvent(.host, "ksm", "ksm_enter"),
    WantedEvent(.host, "ksm", "ksm_exit"),
    WantedEvent(.host, "ksm", "ksm_start_scan"),
    WantedEvent(.host, "ksm", "ksm_stop_scan"),
    WantedEvent(.host, "mmap", "exit_mmap"),
    WantedEvent(.host, "oom", "mark_victim"),
    WantedEvent(.host, "vmscan", "mm_vmscan_write_folio", "mm_vmscan_writepage"),
    // A page sits in some CPU's LRU-add batch with an extra reference until this fires: a sole owner then copies.
    WantedEvent(.host, "pagemap", "mm_lru_insertion"),
    WantedEvent(.host, "task", "task_newtask"),
    WantedEvent(.host, "sched", "sched_process_fork"),
    WantedEvent(.host, "sched", "sched_process_exit"),
    WantedEvent(.host, "sched", "sched_process_exec"),

    WantedEvent(.task, "exceptions", "page_fault_user"),
    WantedEvent(.task, "exceptions", "page_fault_kernel"),
    WantedEvent(.task, "tlb", "tlb_flush"),
    WantedEvent(.task, "maple_tree", "ma_write"),
    WantedEvent(.task, "mmap_lock", "mmap_lock_acquire_returned"),
    WantedEvent(.task, "signal", "signal_deliver"),
  ]

  /// System calls recorded at entry and exit.
  package static let systemCalls = [
    "mmap", "munmap", "mremap", "mprotect", "brk", "madvise", "process_madvise", "clone", "clone3", "fork", "vfork",
    "execve", "execveat", "pkey_mprotect", "mlock", "mlock2", "mlockall", "shmat", "shmdt", "remap_file_pages",
    "userfaultfd", "io_uring_register", "vmsplice", "process_vm_readv", "process_vm_writev", "ptrace", "move_pages",
    "migrate_pages", "mbind",
  ]

  /// The userfaultfd requests of `ioctl`, API to POISON: `_IOC` type 0xAA, the size and direction as in
  /// `<linux/userfaultfd.h>`.
  package static let userfaultfdRequests: [UInt32] = [
    0xc018_aa3f, 0xc020_aa00, 0x8010_aa01, 0x8010_aa02, 0xc028_aa03, 0xc020_aa04, 0xc028_aa05, 0xc018_aa06,
    0xc020_aa07, 0xc020_aa08,
  ]

  /// Every event, in the order of enabling. None can be left out: without `tlb_flush` a copy cannot be told from a fault
  /// that lost a race, without `ma_write` and the mmap lock not what a fork has copied, nor whose an mm is.
  package static var all: [WantedEvent] {
    var wanted = tracepoints
    for call in systemCalls {
      wanted.append(WantedEvent(.task, "syscalls", "sys_enter_" + call))
      wanted.append(WantedEvent(.task, "syscalls", "sys_exit_" + call))
    }
    // exit_group does not return.
    wanted.append(WantedEvent(.task, "syscalls", "sys_enter_exit_group"))
    let requests = userfaultfdRequests.map { "cmd == 0x" + String($0, radix: 16) }.joined(separator: " || ")
    wanted.append(WantedEvent(.task, "syscalls", "sys_enter_ioctl", filter: requests))
    // A debugger writes to `/proc/PID/mem` so, a page at most and at an address no mapping lies below (`mmap_min_addr`);
    // most of those who write files write more, or farther in front.
    wanted.append(
      WantedEvent(.task, "syscalls", "sys_enter_pwrite64", filter: "pos >= 65536 && count <= 4096"))
    wanted.append(WantedEvent(.task, "syscalls", "sys_exit_pwrite64", filter: "ret <= 4096"))
    return wanted
  }
}

/// What became of the wanted events on this kernel.
package struct ChosenEvents: Equatable, Sendable {
  /// An event to enable: the name this kernel gives it.
  package struct Event: Equatable, Sendable {
    package var system: String
    package var name: String
    package var buffer: TraceBuffer
    package var filter: String?
    package var title: String { system + ":" + name }

    package init(system: String, name: String, buffer: TraceBuffer, filter: String? = nil) {
      self.system = system
      self.name = name
      self.buffer = buffer
      self.filter = filter
    }
  }

  package var events: [Event] = []
  /// "system:name" of what this kernel lacks.
  package var missing: [String] = []

  /// Looks the events up; `exists` tells whether tracefs has `events/SYSTEM/NAME`.
  ///
  /// Throws when a recording would be useless: no page fault and no page allocation.
  package init(_ wanted: [WantedEvent], exists: (_ system: String, _ name: String) -> Bool) throws(CaptureError) {
    for event in wanted {
      if let name = event.names.first(where: { exists(event.system, $0) }) {
        events.append(Event(system: event.system, name: name, buffer: event.buffer, filter: event.filter))
      } else {
        missing.append(event.title)
      }
    }
    guard events.contains(where: { $0.system == "exceptions" || $0.title == "kmem:mm_page_alloc" }) else {
      throw .nothingToRecord
    }
  }
}
