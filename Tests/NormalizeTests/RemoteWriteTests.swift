// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// A debugger (100) writes to the memory of a process (200) that it does not share: `access_remote_vm`.
@Suite("Writes to another process's memory")
struct RemoteWriteTests {
  private static func lock(_ mm: String) -> String {
    "mmap_lock_acquire_returned: mm=0x\(mm) memcg_path= write=false success=true"
  }
  private static let own = lock("ffff888100000000")
  private static let other = lock("ffff888200000000")
  private static let beginning: [TracedLine] = [
    (100, "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6"),
    (100, "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B"), (100, own),
    (200, "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6"),
    (200, "rss_stat: mm_id=88 curr=1 type=MM_ANONPAGES size=40960B"), (200, other),
    (200, "rss_stat: mm_id=88 curr=1 type=MM_FILEPAGES size=40960B"),
  ]
  private static let page = VirtualPage(0x7f0000003)
  private static let poke = "sys_ptrace(request: 5, pid: c8, addr: 7f0000003010, data: 7)"
  private static let copy =
    "mm_page_alloc: page=0000000000000000 pfn=0x20 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP"

  /// What is told of the other process once the debugger is at work.
  private func told(_ lines: [String]) throws -> [MMEvent] {
    let events = try normalized(Self.beginning + lines.map { (100, $0) })
    let mm = try #require(events.first { $0.task == TaskID(200) && $0.mm != nil }?.mm)
    return events.filter { $0.task == TaskID(100) && $0.mm == mm }.map(\.event)
  }

  private func outcomes(_ events: [MMEvent]) -> [FaultOutcome] {
    events.compactMap { event in
      if case .fault(Self.page, [.write, .present, .remote], let outcome) = event { outcome } else { nil }
    }
  }

  @Test("A word poked is a fault at its address: kept, copied, or copied from a file")
  func poked() throws {
    let kept = try told([Self.poke, Self.other, "sys_ptrace -> 0x0"])
    #expect(outcomes(kept) == [.quiet] && kept.count == 1)
    let copied = try told([Self.poke, Self.other, Self.copy, "sys_ptrace -> 0x0"])
    #expect(outcomes(copied) == [.copied(PFN(0x20), sinceDecision: 0)] && copied.count == 1)
    let text = try told([
      Self.poke, Self.other, Self.copy, "rss_stat: mm_id=88 curr=0 type=MM_FILEPAGES size=36864B",
      "rss_stat: mm_id=88 curr=0 type=MM_ANONPAGES size=45056B", "sys_ptrace -> 0x0",
    ])
    #expect(outcomes(text) == [.copiedFromFile(PFN(0x20), wasMapped: true)] && text.count == 1)
  }

  @Test("So is a pwrite64 that locks another mm; one that does not is to a file")
  func written() throws {
    let call = "sys_pwrite64(fd: 3, buf: 1000, count: 8, pos: 7f0000003ff8)"
    let copied = try told([call, Self.other, Self.copy, "sys_pwrite64 -> 0x8"])
    #expect(outcomes(copied) == [.copied(PFN(0x20), sinceDecision: 0)])
    #expect(try told([call, "sys_pwrite64 -> 0x8"]).isEmpty)
  }

  @Test("A fault on the buffer that is written from locks the task's own mm: no write there, and the other one is seen")
  func bufferFaults() throws {
    let lines = [
      "sys_pwrite64(fd: 3, buf: 7f0000801000, count: 8, pos: 7f0000003ff8)",
      "page_fault_kernel: address=0x7f0000801000 ip=0x1000 error_code=0x0", Self.own, Self.other, Self.copy,
      "sys_pwrite64 -> 0x8",
    ]
    #expect(outcomes(try told(lines)) == [.copied(PFN(0x20), sinceDecision: 0)])
    let all = try normalized(Self.beginning + lines.map { (100, $0) })
    #expect(!all.contains { if case .unfollowed(.remoteAccess, _) = $0.event { true } else { false } })
  }

  @Test("What is allocated after the call is not its own, and a range of two pages is in doubt")
  func bounds() throws {
    let after = try told([Self.poke, Self.other, "sys_ptrace -> 0x0", Self.own, Self.copy])
    #expect(outcomes(after) == [.quiet])
    let across = Self.poke.replacing("3010", with: "3ffc")
    let two = try told([across, Self.other, "sys_ptrace -> 0x0"])
    let range = PageRange(start: Self.page, count: 2)
    #expect(two.contains { if case .unfollowed(.remoteAccess, range) = $0 { true } else { false } })
  }

  @Test("Who reads two processes in turn is told once of each: the doubt has no end")
  func inTurn() throws {
    let third = "ffff888300000000"
    let beginning: [TracedLine] = [
      (300, "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6"),
      (300, "rss_stat: mm_id=99 curr=1 type=MM_ANONPAGES size=40960B"), (300, Self.lock(third)),
      (300, "rss_stat: mm_id=99 curr=1 type=MM_FILEPAGES size=40960B"),
    ]
    let turns: [TracedLine] = Array(repeating: [Self.other, Self.lock(third)], count: 5).joined().map { (100, $0) }
    let events = try normalized(Self.beginning + beginning + turns)
    let read = events.filter { if case .unfollowed(.remoteAccess, nil) = $0.event { true } else { false } }
    #expect(read.count == 2)
    #expect(Set(read.map(\.mm)).count == 2)
  }

  @Test("process_vm_readv is a read, told once of an mm, until something else may be a write")
  func read() throws {
    let call = ["sys_process_vm_readv(pid: c8, lvec: 1000, liovcnt: 1, rvec: 2000, riovcnt: 1, flags: 0)", Self.other]
    let end = "sys_process_vm_readv -> 0x8"
    func kinds(_ lines: [String]) throws -> [Unfollowed] {
      try told(lines).compactMap { if case .unfollowed(let kind, nil) = $0 { kind } else { nil } }
    }
    #expect(try kinds(call + [end] + call + [end]) == [.remoteRead])
    let write = call.map { $0.replacing("readv", with: "writev") } + ["sys_process_vm_writev -> 0x8"]
    #expect(try kinds(call + [end] + write + call + [end]) == [.remoteRead, .remoteAccess])
    #expect(try kinds(write + call + [end]) == [.remoteAccess])
    // What is copied for it is somewhere.
    let copied = try told(call + [Self.copy, end])
    #expect(copied.contains { if case .appeared(PFN(0x20), .base) = $0 { true } else { false } })
  }
}
