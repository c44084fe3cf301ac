// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Testing

@Suite("What is recorded")
struct EventSetTests {
  @Test("No event is named twice")
  func once() {
    let titles = WantedEvents.all.map(\.title)
    #expect(Set(titles).count == titles.count)
  }

  @Test(
    "What any task may do to a page is recorded for the whole host, what a task asks for only for the followed",
    arguments: [
      ("kmem:mm_page_alloc", TraceBuffer.host), ("kmem:mm_page_free", .host), ("kmem:rss_stat", .host),
      ("migrate:set_migration_pte", .host), ("mmap:exit_mmap", .host), ("task:task_newtask", .host),
      ("exceptions:page_fault_user", .task), ("syscalls:sys_enter_mprotect", .task),
      ("syscalls:sys_exit_mprotect", .task), ("tlb:tlb_flush", .task),
      ("mmap_lock:mmap_lock_acquire_returned", .task),
    ])
  func buffers(title: String, buffer: TraceBuffer) throws {
    let event = try #require(WantedEvents.all.first { $0.title == title })
    #expect(event.buffer == buffer)
  }

  @Test("Page faults, allocations, forks and the calls that change VMAs are recorded")
  func essential() {
    let titles = Set(WantedEvents.all.map(\.title))
    for name in ["mmap", "munmap", "mremap", "mprotect", "brk", "madvise", "clone", "clone3", "execve"] {
      #expect(titles.contains("syscalls:sys_enter_" + name))
      #expect(titles.contains("syscalls:sys_exit_" + name))
    }
    for title in ["exceptions:page_fault_user", "kmem:mm_page_alloc", "sched:sched_process_fork"] {
      #expect(titles.contains(title))
    }
  }

  @Test("Of ioctl only requests of userfaultfd are let through, of pwrite64 what may be to a /proc/PID/mem")
  func userfaultfd() throws {
    for request in WantedEvents.userfaultfdRequests { #expect(request >> 8 & 0xff == 0xaa) }
    let ioctl = try #require(WantedEvents.all.first { $0.title == "syscalls:sys_enter_ioctl" })
    let filter = try #require(ioctl.filter)
    #expect(filter.hasPrefix("cmd == 0xc018aa3f || cmd == 0xc020aa00"))
    let debuggers = try #require(WantedEvents.all.first { $0.title == "syscalls:sys_enter_pwrite64" }?.filter)
    #expect(debuggers.hasPrefix("(pos >= 65536 && count <= 4096) || "))
  }

  @Test("Reads and writes are recorded once a file was opened with O_DIRECT, and what opens it from the start")
  func directIO() throws {
    for name in ["read", "write", "pread64", "close", "dup", "dup2", "dup3"] {
      let event = try #require(WantedEvents.all.first { $0.title == "syscalls:sys_enter_" + name })
      #expect(event.triggers.map(\.name) == ["sys_enter_openat", "sys_enter_open", "sys_enter_fcntl"])
    }
    for name in ["openat", "open", "fcntl", "mmap"] {
      let event = try #require(WantedEvents.all.first { $0.title == "syscalls:sys_enter_" + name })
      #expect(event.triggers.isEmpty && (name == "mmap" || event.filter != nil))
    }
    // arm64 has no open.
    let chosen = try ChosenEvents(WantedEvents.all) { $1 != "sys_enter_open" }
    let read = try #require(chosen.events.first { $0.name == "sys_enter_read" })
    #expect(read.triggers.map(\.name) == ["sys_enter_openat", "sys_enter_fcntl"])
    let none = try ChosenEvents(WantedEvents.all) {
      !["sys_enter_open", "sys_enter_openat", "sys_enter_fcntl"].contains($1)
    }
    #expect(none.missing.contains("syscalls:sys_enter_read") && !none.events.contains { $0.name == "sys_exit_read" })
  }

  @Test("An event with an older name is found under it")
  func olderName() throws {
    let wanted = [
      WantedEvent(.host, "vmscan", "new", "old"), WantedEvent(.host, "kmem", "mm_page_alloc"),
    ]
    let chosen = try ChosenEvents(wanted) { $1 != "new" }
    #expect(chosen.events.map(\.title) == ["vmscan:old", "kmem:mm_page_alloc"])
    #expect(chosen.missing.isEmpty)
  }

  @Test("An event the kernel lacks is named, the rest is recorded")
  func missing() throws {
    let chosen = try ChosenEvents(WantedEvents.all) { system, _ in system != "ksm" }
    #expect(chosen.missing.count == WantedEvents.tracepoints.filter { $0.system == "ksm" }.count)
    #expect(chosen.missing.allSatisfy { $0.hasPrefix("ksm:") })
    #expect(!chosen.events.contains { $0.system == "ksm" })
  }

  @Test("Allocations alone are worth a recording (arm64 has no page-fault events); system calls alone are not")
  func nothing() throws {
    let all = WantedEvents.all
    _ = try ChosenEvents(all) { system, _ in system == "kmem" }
    _ = try ChosenEvents(all) { system, _ in system == "exceptions" }
    #expect(throws: CaptureError.nothingToRecord) { try ChosenEvents(all) { system, _ in system == "syscalls" } }
  }
}
