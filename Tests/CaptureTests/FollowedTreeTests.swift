// SPDX-License-Identifier: GPL-2.0-only

import Capture
import TestSupport
import Testing

@Suite("The followed processes")
struct FollowedTreeTests {
  /// A procfs with process 10 (threads 10 and 11), process 20, kernel thread 30 and zombie 40.
  private func fakeProc(_ directory: Scratch) throws -> String {
    let user = "Name:\tx\nTgid:\t%\nPid:\t1\nVmSize:\t  2304 kB\n"
    func status(_ tid: Int, group: Int, hasMemory: Bool = true) throws {
      let text = user.replacing("%", with: "\(group)")
      let kept = text.split(separator: "\n").filter { hasMemory || !$0.hasPrefix("VmSize") }
      try directory.write(kept.joined(separator: "\n"), to: "\(tid)/status")
    }
    try status(10, group: 10)
    try status(11, group: 10)
    try status(20, group: 20)
    try status(30, group: 30, hasMemory: false)
    try status(40, group: 40, hasMemory: false)
    for name in ["10/task/10/stat", "10/task/11/stat", "20/task/20/stat"] { try directory.write("", to: name) }
    return directory.path
  }

  private func fakeInstance(_ directory: Scratch, followed: String = "") throws -> TraceInstance {
    try directory.write(followed, to: "set_event_pid")
    try directory.write("", to: "options/event-fork")
    return TraceInstance(adopting: directory.path, named: "fake")
  }

  @Test("Every thread is listed, after the kernel was told to follow forks")
  func follow() throws {
    let proc = try Scratch()
    let tracing = try Scratch()
    let instance = try fakeInstance(tracing)
    try FollowedTree.follow([10, 20], in: instance, proc: try fakeProc(proc))
    #expect(
      instance.writes == [
        .init(file: "options/event-fork", text: "1"), .init(file: "set_event_pid", text: "10 11"),
        .init(file: "set_event_pid", text: "20"),
      ])
  }

  @Test("Children that are there are followed too; one that ended meanwhile is passed over")
  func children() throws {
    let proc = try Scratch()
    let tracing = try Scratch()
    let instance = try fakeInstance(tracing)
    let path = try fakeProc(proc)
    try proc.write("20 99 ", to: "10/task/11/children")
    try FollowedTree.follow([10], in: instance, proc: path)
    #expect(
      instance.writes == [
        .init(file: "options/event-fork", text: "1"), .init(file: "set_event_pid", text: "10 11"),
        .init(file: "set_event_pid", text: "20"),
      ])
  }

  @Test("A process that is not there is named")
  func gone() throws {
    let proc = try Scratch()
    let tracing = try Scratch()
    let instance = try fakeInstance(tracing)
    let path = try fakeProc(proc)
    #expect(throws: CaptureError.noSuchProcess(99)) { try FollowedTree.follow([99], in: instance, proc: path) }
  }

  @Test("Threads map to processes; those without memory, and our own, are left out")
  func processes() throws {
    let proc = try Scratch()
    let tracing = try Scratch()
    // 50 has exited but is still listed: the kernel drops a tid only when RCU frees the task.
    let instance = try fakeInstance(tracing, followed: "10\n11\n20\n30\n40\n50\n")
    let path = try fakeProc(proc)
    #expect(try FollowedTree.processes(in: instance, excluding: [], proc: path) == [10, 20])
    #expect(try FollowedTree.processes(in: instance, excluding: [20], proc: path) == [10])
  }

  @Test("The process of a thread is its Tgid, not its Pid")
  func status() {
    #expect(FollowedTree.threadGroup(inStatus: "Name:\tTgid: 7\nTgid:\t12\nPid:\t13\nVmSize:\t4 kB\n") == 12)
    #expect(FollowedTree.threadGroup(inStatus: "Name:\tkswapd0\nTgid:\t12\n") == nil)
  }

  @Test("Fields of stat are counted behind a name that may look like fields")
  func stat() {
    let line = "42 (a) T 1 (b) S 1 42 42 0 -1 4194560 107 0 0 0 0 0 0 0 20 0 1 0 987654 2600960 1"
    #expect(ProcessStat.state(in: line) == "S")
    #expect(ProcessStat.startTime(in: line) == 987654)
    #expect(ProcessStat.startTime(in: "42 (cut) S 1") == nil)
  }

  @Test("Ranges of maps, without what lies in the kernel's half")
  func maps() {
    let text = """
      55d0c8a00000-55d0c8a21000 rw-p 00000000 00:00 0                          [heap]
      7f2c1a000000-7f2c1a021000 r-xp 00001000 fe:01 1234      /usr/lib/a-b 7f-80
      ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]

      """
    var ranges: [(start: UInt64, end: UInt64)] = []
    MemoryMaps.ranges(in: Array(text.utf8), into: &ranges)
    #expect(ranges.map(\.start) == [0x55d0_c8a0_0000, 0x7f2c_1a00_0000])
    #expect(ranges.map(\.end) == [0x55d0_c8a2_1000, 0x7f2c_1a02_1000])
  }
}
