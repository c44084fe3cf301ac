// SPDX-License-Identifier: GPL-2.0-only

import Capture
import SystemPackage
import TestSupport
import Testing

/// An instance directory of ordinary files: what is written can be read back, only `rmdir` refuses.
private func fakeInstance(_ directory: Scratch, subBuffers: Bool = true) throws -> TraceInstance {
  var files = [
    "tracing_on", "trace_clock", "buffer_size_kb", "buffer_percent", "set_event_pid", "options/event-fork",
    "events/enable", "events/kmem/mm_page_alloc/enable", "events/syscalls/sys_enter_ioctl/enable",
    "events/syscalls/sys_enter_ioctl/filter",
  ]
  if subBuffers { files.append("buffer_subbuf_size_kb") }
  for file in files { try directory.write("", to: file) }
  return TraceInstance(adopting: directory.path, named: "cowscope-1-task")
}

@Suite("Trace instances")
struct TraceInstanceTests {
  private let events = [
    ChosenEvents.Event(system: "kmem", name: "mm_page_alloc", buffer: .host),
    ChosenEvents.Event(system: "syscalls", name: "sys_enter_ioctl", buffer: .task, filter: "cmd == 1"),
  ]

  @Test("Set up stopped: clock before sizes, sub-buffer size before buffer size, filter before its event")
  func setUp() throws {
    let directory = try Scratch()
    let instance = try fakeInstance(directory)
    try BufferSettings(clock: "mono", kibibytesPerCPU: 4096).apply(to: instance, events: events)
    #expect(
      instance.writes == [
        .init(file: "tracing_on", text: "0"), .init(file: "trace_clock", text: "mono"),
        .init(file: "buffer_subbuf_size_kb", text: "64"), .init(file: "buffer_size_kb", text: "4096"),
        .init(file: "buffer_percent", text: "25"), .init(file: "events/kmem/mm_page_alloc/enable", text: "1"),
        .init(file: "events/syscalls/sys_enter_ioctl/filter", text: "cmd == 1"),
        .init(file: "events/syscalls/sys_enter_ioctl/enable", text: "1"),
      ])
    #expect(try directory.read("trace_clock") == "mono")
    #expect(try directory.read("tracing_on") == "0")
  }

  @Test("A kernel before 6.8 keeps its sub-buffers of one page")
  func oldKernel() throws {
    let directory = try Scratch()
    let instance = try fakeInstance(directory, subBuffers: false)
    try BufferSettings(clock: "local", kibibytesPerCPU: 4096).apply(to: instance, events: [])
    #expect(!instance.writes.contains { $0.file == "buffer_subbuf_size_kb" })
  }

  @Test("Before an instance is removed it is stopped and its events disabled, so nobody pays if removing fails")
  func removal() throws {
    let directory = try Scratch()
    let instance = try fakeInstance(directory)
    try instance.write("1", to: "tracing_on")
    // The files of the fake keep the directory from being removed; those of tracefs do not.
    #expect(throws: CaptureError.file(path: directory.path, doing: "remove", .directoryNotEmpty)) {
      try instance.remove()
    }
    #expect(
      instance.writes.suffix(2) == [.init(file: "tracing_on", text: "0"), .init(file: "events/enable", text: "0")])
  }

  @Test("A file the kernel does not have is named in the error")
  func unknownFile() throws {
    let directory = try Scratch()
    let instance = try fakeInstance(directory)
    let path = directory.path + "/no_such_file"
    #expect(throws: CaptureError.file(path: path, doing: "write", .noSuchFileOrDirectory)) {
      try instance.write("1", to: "no_such_file")
    }
  }

  @Test(
    "Only instances named like ours are ours",
    arguments: [
      ("cowscope-123-host", 123), ("cowscope-7-task", 7), ("cowscope-123", nil), ("cowscope-123-other", nil),
      ("cowscope--host", nil), ("other-123-host", nil), ("cowscope-123-host-2", nil), ("cowscope-123.2-host", 123),
      ("cowscope-123.-host", nil), ("cowscope-123.2.3-host", nil), ("cowscope--5-host", nil),
    ] as [(String, Int32?)])
  func names(name: String, pid: Int32?) {
    #expect(TraceInstance.creator(inName: name) == pid)
    #expect(TraceInstance.isOurs(name) == (pid != nil))
  }
}

@Suite("The mounted tracefs")
struct TraceFSTests {
  @Test("Found in the mount table, /sys/kernel/tracing preferred")
  func mounted() throws {
    let directory = try Scratch()
    let table = """
      proc /proc proc rw 0 0
      none /sys/kernel/debug/tracing tracefs rw 0 0
      none /sys/kernel/tracing tracefs rw,relatime 0 0

      """
    #expect(try TraceFS.find(mounts: directory.write(table, to: "mounts")).root == "/sys/kernel/tracing")
  }

  @Test("Not mounted: an error that says what to type")
  func notMounted() throws {
    let directory = try Scratch()
    let mounts = try directory.write("proc /proc proc rw 0 0\ntracefs /mnt ext4 rw 0 0\n", to: "mounts")
    #expect(throws: CaptureError.tracefsNotMounted) { try TraceFS.find(mounts: mounts) }
    #expect(CaptureError.tracefsNotMounted.description.contains("mount -t tracefs none /sys/kernel/tracing"))
  }

  @Test("The active clock stands in brackets")
  func clocks() {
    let clocks = TraceFS.clocks(in: "local global [mono] x86-tsc\n")
    #expect(clocks.all == ["local", "global", "mono", "x86-tsc"])
    #expect(clocks.active == "mono")
    #expect(TraceFS.clocks(in: "").active == nil)
  }

  @Test("CPUs are those with a buffer, in numeric order")
  func cpus() throws {
    let directory = try Scratch()
    for cpu in ["cpu0", "cpu10", "cpu2"] { try directory.write("", to: "per_cpu/\(cpu)/stats") }
    #expect(TraceFS(root: directory.path).cpus() == [0, 2, 10])
  }

  @Test("An instance that nobody holds may be taken over, by one at a time; a foreign one never")
  func takeOver() throws {
    let directory = try Scratch()
    let tracefs = TraceFS(root: directory.path)
    for name in ["cowscope-1-host", "trace-cmd-5000000"] {
      try directory.write("", to: "instances/\(name)/tracing_on")
    }
    #expect(TraceInstance.takeOver("trace-cmd-5000000", in: tracefs) == nil)
    #expect(TraceInstance.takeOver("cowscope-2-host", in: tracefs) == nil)
    // Whether process 1 runs says nothing: it does everywhere.
    let taken = try #require(TraceInstance.takeOver("cowscope-1-host", in: tracefs))
    #expect(TraceInstance.takeOver("cowscope-1-host", in: tracefs) == nil)
    withExtendedLifetime(taken) {}
  }
}

@Suite("Buffer sizes and clocks")
struct BufferSettingsTests {
  @Test("Two instances take at most a quarter of the available memory, and never less than 1 MiB per CPU")
  func size() {
    #expect(BufferSettings.size(forCPUs: 2, availableKiB: 24 << 20) == 32 << 10)
    // 1 GiB: 256 MiB for 2 x 16 buffers.
    #expect(BufferSettings.size(forCPUs: 16, availableKiB: 1 << 20) == 8 << 10)
    #expect(BufferSettings.size(forCPUs: 256, availableKiB: 1 << 20) == 1 << 10)
  }

  @Test("local only where the TSC is the clocksource")
  func clock() {
    #expect(BufferSettings.defaultClock(clocksource: "tsc", available: ["local", "mono"]) == "local")
    #expect(BufferSettings.defaultClock(clocksource: "kvm-clock", available: ["local", "mono"]) == "mono")
    #expect(BufferSettings.defaultClock(clocksource: nil, available: ["local"]) == "local")
  }

  private let stats = """
    entries: 12
    overrun: 1000
    commit overrun: 1
    bytes: 480
    oldest event ts:  4372.346889
    now ts:  4509.482156
    dropped events: 2
    read events: 2048

    """

  @Test("Every kind of loss counts")
  func statistics() {
    let statistics = BufferStatistics(cpu: 3, text: stats)
    #expect(statistics.cpu == 3)
    #expect(statistics.entries == 12)
    #expect(statistics.read == 2048)
    #expect(statistics.lost == 1003)
  }

  @Test("The size that would have sufficed has room for what was lost")
  func sufficient() {
    let cpus = [0, 1].map { BufferStatistics(cpu: $0, text: stats) }
    // 4096 events in 192 KiB: 48 bytes each; 2006 of them are 96288 bytes, 95 KiB with what is begun. 1024 + 95, four
    // times, is 4476.
    #expect(BufferStatistics.sufficientBufferKiB(cpus, current: 1024, bytesKept: 192 << 10) == 8192)
    let none = [BufferStatistics(cpu: 0, text: "overrun: 0\n")]
    #expect(BufferStatistics.sufficientBufferKiB(none, current: 1024, bytesKept: 0) == nil)
  }
}
