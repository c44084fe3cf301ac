// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// Which calls read or write a file opened with `O_DIRECT`.
@Suite("Descriptors opened with O_DIRECT")
struct DirectIOTests {
  private static func lock(_ mm: String, write: Bool) -> String {
    "mmap_lock_acquire_returned: mm=0xffff88810000\(mm) memcg_path= write=\(write) success=true"
  }
  private static let fault = "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6"
  private static let newThread = "task_newtask: pid=101 comm=sh clone_flags=0x3d0f00 oom_score_adj=0"
  private static let newProcess = "task_newtask: pid=101 comm=sh clone_flags=0x1200000 oom_score_adj=0"

  /// The calls that may pin, as words: mm, first page, pages, whether memory is written.
  private func pins(_ lines: [TracedLine]) throws -> [String] {
    let counter = "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B"
    let head = [Self.fault, Self.lock("1000", write: false), counter].map { (task: 100, line: $0) }
    let events = try normalized(head + lines)
    let ends = events.filter { if case .directIOEnded = $0.event { true } else { false } }
    let begins = events.compactMap { record -> String? in
      guard case .directIOBegan(let range, let write) = record.event else { return nil }
      let mm = record.mm.map { String($0.rawValue) } ?? "-"
      return "mm\(mm) \(String(range.start.rawValue, radix: 16)) \(range.count) \(write ? "w" : "r")"
    }
    #expect(ends.count == begins.count)
    return begins
  }

  private static func open(_ descriptor: Int, flags: String) -> [TracedLine] {
    [
      (100, "sys_openat(dfd: 0xffffff9c, filename: 0x5000, flags: \(flags), mode: 0)"),
      (100, "sys_openat -> 0x\(descriptor)"),
    ]
  }
  private static func call(_ call: String, returns result: String = "0x0", by task: Int = 100) -> [TracedLine] {
    [(task, "sys_" + call), (task, "sys_\(call.prefix { $0 != "(" }) -> \(result)")]
  }
  private static func read(_ descriptor: Int, by task: Int = 100) -> [TracedLine] {
    call("read(fd: \(descriptor), buf: 0x7f0000001000, count: 0x2000)", returns: "0x2000", by: task)
  }

  @Test("A read writes memory, a write reads it; the pages are those that the bytes touch")
  func directions() throws {
    let lines =
      Self.open(3, flags: "0x4002") + Self.read(3)
      + Self.call("write(fd: 3, buf: 0x7f0000001200, count: 0x1000)", returns: "0x1000")
      + Self.call("pread64(fd: 3, buf: 0x7f0000004000, count: 0x1000, pos: 0)", returns: "0x1000")
      + Self.call("pwrite64(fd: 3, buf: 0x7f0000004000, count: 0x1000, pos: 10000)", returns: "0x1000")
    #expect(try pins(lines) == ["mm0 7f0000001 2 w", "mm0 7f0000001 2 r", "mm0 7f0000004 1 w", "mm0 7f0000004 1 r"])
  }

  @Test("Other flags are none of O_DIRECT's; a failed open opens nothing")
  func others() throws {
    #expect(try pins(Self.open(3, flags: "0x80002") + Self.read(3)).isEmpty)
    let failed = Self.call("openat(dfd: 0xffffff9c, filename: 0x5000, flags: 0x4000, mode: 0)", returns: "-2")
    #expect(try pins(failed + Self.read(3)).isEmpty)
  }

  @Test("A descriptor is copied by dup, and replaced by dup2 over it, by close and by the next open")
  func copies() throws {
    let direct = Self.open(3, flags: "0x4000")
    let one = ["mm0 7f0000001 2 w"]
    #expect(try pins(direct + Self.call("dup2(oldfd: 3, newfd: 5)", returns: "0x5") + Self.read(5)) == one)
    #expect(try pins(direct + Self.call("fcntl(fd: 3, cmd: 0, arg: 7)", returns: "0x7") + Self.read(7)) == one)
    #expect(try pins(direct + Self.call("dup2(oldfd: 1, newfd: 3)", returns: "0x3") + Self.read(3)).isEmpty)
    #expect(try pins(direct + Self.call("close(fd: 3)") + Self.read(3)).isEmpty)
    #expect(try pins(direct + Self.open(3, flags: "0x0") + Self.read(3)).isEmpty)
  }

  @Test("F_SETFL sets and takes the flag")
  func setFlags() throws {
    let plain = Self.open(3, flags: "0x2")
    let set = Self.call("fcntl(fd: 3, cmd: 4, arg: 4002)")
    #expect(try pins(plain + set + Self.read(3)) == ["mm0 7f0000001 2 w"])
    #expect(try pins(plain + set + Self.call("fcntl(fd: 3, cmd: 4, arg: 2)") + Self.read(3)).isEmpty)
  }

  @Test("Threads share what is opened later, too; a process has a copy")
  func threadsAndProcesses() throws {
    let direct = Self.open(3, flags: "0x4000")
    #expect(try pins([(100, Self.newThread)] + direct + Self.read(3, by: 101)) == ["mm0 7f0000001 2 w"])
    #expect(try pins([(100, Self.newProcess)] + direct + Self.read(3, by: 101)).isEmpty)
    #expect(
      try pins(direct + [(100, Self.newProcess)] + Self.call("close(fd: 3)") + Self.read(3, by: 101) + Self.read(3))
        == ["mm1 7f0000001 2 w"])
  }

  @Test("What GUP fills inside the call is told with the call's memory")
  func filled() throws {
    let head = [
      "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B",
      "sys_brk(brk: 0)", "sys_brk -> 0x1000",
    ].map { (task: 100, line: $0) }
    func alloc(_ pfn: Int, zeroed: Bool) -> String {
      "mm_page_alloc: page=0000000000000000 pfn=0x\(pfn) order=0 migratetype=1 gfp_flags="
        + "GFP_HIGHUSER_MOVABLE|__GFP_COMP" + (zeroed ? "|__GFP_ZERO" : "")
    }
    let inside = [
      alloc(20, zeroed: true), "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=45056B",
      alloc(21, zeroed: false), "tlb_flush: pages:1 reason:local MM shootdown (3)",
    ].map { (task: 100, line: $0) }
    let read = Self.read(3)
    let lines: [TracedLine] =
      [(100, Self.fault), (100, Self.lock("1000", write: false))] + head + Self.open(3, flags: "0x4000") + [read[0]]
      + inside + [read[1]]
    let populated = try normalized(lines).compactMap { record -> FaultOutcome? in
      guard case .populated(let range, let outcome) = record.event else { return nil }
      #expect(range == PageRange(start: VirtualPage(0x7_f000_0001), count: 2))
      return outcome
    }
    #expect(
      populated == [.anonymous(PFN(0x20), .base, replaced: false), .copied(PFN(0x21), sinceDecision: 0)])
  }
}
