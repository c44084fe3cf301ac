// SPDX-License-Identifier: GPL-2.0-only

/// Which of the two instances an event is recorded in.
package enum TraceBuffer: String, CaseIterable, Sendable, Codable {
  /// Unfiltered: page state is changed by anyone (ksmd, kswapd, another task's LRU drain).
  case host
  /// Only the followed tasks: what they asked for and how they faulted.
  case task
}

/// The record of one event that begins the recording of another (`enable_event`).
package struct EventTrigger: Equatable, Sendable {
  package var system: String
  package var name: String
  /// An ftrace filter expression.
  package var condition: String
}

/// One tracepoint that a recording wants.
package struct WantedEvent: Equatable, Sendable {
  package var system: String
  /// The name on current kernels, then older ones: the first that exists is used.
  package var names: [String]
  package var buffer: TraceBuffer
  /// An ftrace filter expression, for events of which only a few records say something.
  package var filter: String?
  /// What it waits for, any of them; none: it is recorded from the start.
  package var triggers: [EventTrigger]

  package init(
    _ buffer: TraceBuffer, _ system: String, _ names: String..., filter: String? = nil,
    after triggers: [EventTrigger] = []
  ) {
    self.system = system
    self.names = names
    self.buffer = buffer
    self.filter = filter
    self.triggers = triggers
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
    WantedEvent(.host, "huge_memory", "mm_khugepaged_scan_pmd"),
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
    return wanted + directIO
  }
}

/// Reads and writes of files opened with `O_DIRECT`, whose memory GUP pins (`FOLL_PIN`).
extension WantedEvents {
  #if arch(arm64)
    private static let openDirect = 0x10000
  #else
    private static let openDirect = 0x4000
  #endif

  /// Nobody pays for the calls of others: they are recorded once any task has opened a file so.
  private static let firstOpen: [EventTrigger] = [
    EventTrigger(system: "syscalls", name: "sys_enter_openat", condition: "flags & \(openDirect)"),
    EventTrigger(system: "syscalls", name: "sys_enter_open", condition: "flags & \(openDirect)"),
    EventTrigger(system: "syscalls", name: "sys_enter_fcntl", condition: "cmd == 4 && arg & \(openDirect)"),
  ]

  /// Of whole logical blocks, at least: `buf` cannot be asked, since filters take a `char *` for a string.
  private static let wholeBlocks = "count >= 512 && !(count & 511)"

  private static func afterOpen(_ name: String, filter: String? = nil) -> WantedEvent {
    WantedEvent(.task, "syscalls", name, filter: filter, after: firstOpen)
  }

  fileprivate static var directIO: [WantedEvent] {
    var wanted = [
      WantedEvent(.task, "syscalls", "sys_enter_openat", filter: "flags & \(openDirect)"),
      WantedEvent(.task, "syscalls", "sys_enter_open", filter: "flags & \(openDirect)"),
      // F_DUPFD, F_SETFL, F_DUPFD_CLOEXEC.
      WantedEvent(.task, "syscalls", "sys_enter_fcntl", filter: "cmd == 0 || cmd == 4 || cmd == 1030"),
      // A debugger writes to `/proc/PID/mem` so, a page at most and at an address no mapping lies below
      // (`mmap_min_addr`); most of those who write files write more, or farther in front.
      WantedEvent(
        .task, "syscalls", "sys_enter_pwrite64", filter: "(pos >= 65536 && count <= 4096) || (\(wholeBlocks))"),
      WantedEvent(.task, "syscalls", "sys_exit_pwrite64", filter: "ret <= 4096 || !(ret & 511)"),
      afterOpen("sys_enter_close"),
    ]
    for call in ["openat", "open", "fcntl"] { wanted.append(afterOpen("sys_exit_" + call)) }
    for call in ["read", "write", "pread64"] {
      wanted.append(afterOpen("sys_enter_" + call, filter: wholeBlocks))
      wanted.append(afterOpen("sys_exit_" + call))
    }
    for call in ["dup", "dup2", "dup3"] {
      wanted.append(afterOpen("sys_enter_" + call))
      wanted.append(afterOpen("sys_exit_" + call))
    }
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
    /// Those that this kernel has; none: it is recorded from the start.
    package var triggers: [EventTrigger]
    /// A probe's is in a group that is named after the recorder; in the capture all are of one system.
    package var capturedSystem: String
    package var title: String { system + ":" + name }
    package var capturedTitle: String { capturedSystem + ":" + name }

    package init(probe name: String, of group: String) {
      self.init(system: group, name: name, buffer: .host)
      capturedSystem = WantedProbe.system
    }

    package init(
      system: String, name: String, buffer: TraceBuffer, filter: String? = nil, after triggers: [EventTrigger] = []
    ) {
      self.system = system
      capturedSystem = system
      self.name = name
      self.buffer = buffer
      self.filter = filter
      self.triggers = triggers
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
      let triggers = event.triggers.filter { exists($0.system, $0.name) }
      let canBegin = event.triggers.isEmpty || !triggers.isEmpty
      if canBegin, let name = event.names.first(where: { exists(event.system, $0) }) {
        events.append(
          Event(system: event.system, name: name, buffer: event.buffer, filter: event.filter, after: triggers))
      } else {
        missing.append(event.title)
      }
    }
    guard events.contains(where: { $0.system == "exceptions" || $0.title == "kmem:mm_page_alloc" }) else {
      throw .nothingToRecord
    }
  }
}
