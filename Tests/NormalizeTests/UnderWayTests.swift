// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// A process (100, 101) of which the collector (900) takes a snapshot, and another one (200).
@Suite("What a snapshot finds half done")
struct UnderWayTests {
  private static let mm = "ffff888100000000"
  private static func lock(_ mm: String = mm, write: Bool = false) -> String {
    "mmap_lock_acquire_returned: mm=0x\(mm) memcg_path= write=\(write) success=true"
  }
  private static func counted(_ member: String, _ pages: Int, hash: Int = 77) -> String {
    "rss_stat: mm_id=\(hash) curr=1 type=\(member) size=\(pages * 4096)B"
  }
  private static func fault(_ page: String, _ error: String = "0x6") -> String {
    "page_fault_user: address=0x7f0000\(page)000 ip=0x1000 error_code=\(error)"
  }
  private static let folio =
    "mm_page_alloc: page=0000000000000000 pfn=0x20 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP"
    + "|__GFP_ZERO"
  /// `pte_alloc_one`
  private static let table =
    "mm_page_alloc: page=0000000000000000 pfn=0x21 order=0 migratetype=0 gfp_flags=GFP_KERNEL_ACCOUNT|__GFP_COMP"
    + "|__GFP_ZERO"
  private static let commit = counted("MM_ANONPAGES", 11)

  private static let beginning: [TracedLine] = [
    (100, fault("800")), (100, counted("MM_ANONPAGES", 10)), (100, lock()),
    (200, fault("800")), (200, counted("MM_ANONPAGES", 10, hash: 88)), (200, lock("ffff888200000000")),
    (100, "task_newtask: pid=101 comm=sh clone_flags=0x3d0f00 oom_score_adj=0"),
    (900, "tracing_mark_write: cowscope collector 900"),
  ]
  private static func marker(_ what: String, of pid: Int = 100) -> TracedLine {
    (900, "tracing_mark_write: cowscope snapshot \(what) 5 \(pid)")
  }
  private static let begin = marker("begin")
  private static let end = marker("end")

  /// What is told from the snapshot on, and of the process from the fault at page 000 on, as words.
  private func told(_ lines: [TracedLine], after head: [TracedLine] = []) throws -> [String] {
    let events = try normalized(Self.beginning + head + lines)
    let mm = try #require(events.first { $0.task == TaskID(100) && $0.mm != nil }?.mm)
    let begun = try #require(events.firstIndex { if case .snapshotBegan = $0.event { true } else { false } })
    #expect(events[begun].mm == mm)
    return events[begun...].compactMap { record -> String? in
      guard record.mm == mm else { return nil }
      switch record.event {
      case .snapshotBegan(let index): return "began \(index)"
      case .snapshotEnded(let index): return "ended \(index)"
      case .underWay(.fault(let page, let access)): return "in fault \(hex(page)) \(access.rawValue)"
      case .underWay(.call(let range)): return "in call \(hex(range.start))+\(range.count)"
      case .fault(let page, _, let outcome): return "fault \(hex(page)) \("\(outcome)".prefix { $0 != "(" })"
      default: return nil
      }
    }
  }

  private func hex(_ page: VirtualPage) -> String { String(page.rawValue &- 0x7_f000_0000, radix: 16) }

  @Test(
    "A fault that has made its page table, and then one that has its folio: told at both ends, the fault when it commits"
  )
  func faultWithTable() throws {
    let told = try told([
      (100, Self.fault("000")), (100, Self.table), Self.begin, (100, Self.folio), Self.end, (100, Self.commit),
      (100, "sys_brk(brk: 0)"),
    ])
    #expect(told == ["began 5", "in fault 0 1", "in fault 0 1", "ended 5", "fault 0 anonymous"])
  }

  @Test("A fault that has committed is none any more; one that comes meanwhile is told at the end")
  func committed() throws {
    let through = [(100, Self.fault("000")), (100, Self.folio), (100, Self.commit)] as [TracedLine]
    #expect(try told(through + [Self.begin, Self.end]) == ["began 5", "ended 5"])
    let meanwhile = try told([
      Self.begin, (100, Self.fault("000")), (100, Self.table), Self.end, (100, Self.folio), (100, Self.commit),
    ])
    #expect(meanwhile == ["began 5", "in fault 0 1", "ended 5", "fault 0 anonymous"])
  }

  @Test("A fault that shows nothing may be in the kernel yet, or not: a write to what is present, a read of nothing")
  func quiet() throws {
    for (error, access) in [("0x7", 3), ("0x4", 0)] {
      let told = try told([
        (100, Self.fault("000", error)), Self.begin, (100, "sys_brk(brk: 0)"), Self.end,
      ])
      // Its place is where it began.
      #expect(told == ["began 5", "in fault 0 \(access)", "ended 5"])
    }
  }

  @Test("Each thread of the mm has its own, another mm's are not told, and neither are the collector's")
  func threads() throws {
    let told = try told([
      (101, Self.fault("001")), (200, Self.fault("002")), (100, Self.fault("000")), (900, Self.fault("003")),
      Self.begin, (100, "sys_brk(brk: 0)"), Self.end,
    ])
    #expect(told == ["began 5", "in fault 0 1", "in fault 1 1", "in fault 1 1", "ended 5"])
  }

  @Test("What only looks like a commit because reclaim in the fault took a page away is none")
  func reclaimInFault() throws {
    let told = try told([
      (100, Self.fault("000")), (100, Self.counted("MM_ANONPAGES", 9)), Self.begin, Self.end, (100, Self.folio),
      (100, Self.counted("MM_ANONPAGES", 10)), (100, "sys_brk(brk: 0)"),
    ])
    // It is told where it seemed to commit.
    #expect(told == ["began 5", "in fault 0 1", "in fault 0 1", "ended 5"])
  }

  @Test("A debugger's write is a fault in the mm that it writes to")
  func remoteWrite() throws {
    let told = try told([
      (200, "sys_ptrace(request: 5, pid: 64, addr: 7f0000003010, data: 7)"), (200, Self.lock()), Self.begin,
      (200, "sys_ptrace -> 0x0"), Self.end,
    ])
    #expect(told == ["began 5", "in fault 3 67", "ended 5"])
  }

  @Test("What a fault before a loss came to is not known: it is no longer under way")
  func lost() throws {
    let lines = Self.beginning + [(100, Self.fault("000"))]
    func text(_ lines: [TracedLine], at first: Int) -> String {
      lines.enumerated().map { "  sh-\($1.task)   [000] .....  1.\(String(first + $0)): \($1.line)\n" }.joined()
    }
    let events = try normalized(
      text: text(lines, at: 100_000) + "CPU:0 [LOST 12 EVENTS]\n" + text([Self.begin, Self.end], at: 200_000))
    let names = events.compactMap { record -> String? in
      switch record.event {
      case .fault(VirtualPage(0x7_f000_0000), _, let outcome): "\(outcome)"
      case .snapshotBegan: "began"
      case .underWay: "under way"
      default: nil
      }
    }
    #expect(names == ["lost", "began"])
  }

  // — calls

  private static func write(_ first: String, _ last: String, _ value: String = "0xffff88811498c000") -> TracedLine {
    (
      100,
      "ma_write: fn=0x1 min=0x0 max=0xffffffffffffffff index=0x7f0000\(first)000 last=0x7f0000\(last)fff piv=0x0 "
        + "val=\(value) node=0x0"
    )
  }

  /// What is told of a call that has come so far.
  private func calling(_ lines: [TracedLine], then rest: [TracedLine] = []) throws -> [String] {
    try told(lines + [Self.begin] + rest + [Self.end]).filter { $0.hasPrefix("in call") }
  }

  @Test("mmap fills what it has mapped, merged with others or not; before that there is nothing to fill")
  func mmap() throws {
    let call: TracedLine = (100, "sys_mmap(addr: 0, len: 0x2000, prot: 3, flags: 8022, fd: ffffffff, off: 0)")
    let mapped: [TracedLine] = [call, (100, Self.lock(write: true)), Self.write("010", "014")]
    #expect(try calling([call]) == [])
    #expect(try calling(mapped) == ["in call 10+5", "in call 10+5"])
    #expect(try calling(mapped, then: [(100, "sys_mmap -> 0x7f0000013000")]) == ["in call 10+5"])
  }

  @Test("mremap: where it moves to, by its argument or as the tree tells")
  func mremap() throws {
    let locked = (100, Self.lock(write: true)) as TracedLine
    let anywhere: TracedLine = (
      100, "sys_mremap(addr: 0x7f0000000000, old_len: 0x2000, new_len: 0x2000, flags: 1, new_addr: 0)"
    )
    #expect(try calling([anywhere, locked]) == [])
    // The source's VMA was longer: what is left of it is written last.
    let moved = try calling([anywhere, locked, Self.write("020", "021"), Self.write("002", "007")])
    #expect(moved == ["in call 20+2", "in call 20+2"])
    let fixed: TracedLine = (
      100, "sys_mremap(addr: 0x7f0000000000, old_len: 0x2000, new_len: 0x2000, flags: 3, new_addr: 0x7f0000041000)"
    )
    let overAnother = try calling([fixed, locked, Self.write("043", "047")])
    #expect(overAnother == ["in call 41+2", "in call 41+2"])
  }

  @Test("brk and shmdt: what has left the tree may be mapped yet")
  func takenAway() throws {
    for call in ["sys_brk(brk: 0x7f0000010000)", "sys_shmdt(shmaddr: 0x7f0000010000)"] {
      let taken = try calling([(100, call), (100, Self.lock(write: true)), Self.write("010", "011", "0x0")])
      #expect(taken == ["in call 10+2", "in call 10+2"])
    }
  }

  @Test("mlock, MADV_POPULATE and a read with O_DIRECT fill their range")
  func fills() throws {
    #expect(
      try calling([(100, "sys_mlock(start: 0x7f0000010000, len: 0x3000)")], then: [(100, "sys_mlock -> 0x0")]) == [
        "in call 10+3"
      ])
    #expect(try calling([(100, "sys_mlock2(start: 0x7f0000010000, len: 0x3000, flags: 1)")]) == [])
    #expect(try calling([(100, "sys_madvise(start: 0x7f0000010000, len_in: 0x3000, behavior: 17)")]).count == 2)
    #expect(try calling([(100, "sys_madvise(start: 0x7f0000010000, len_in: 0x3000, behavior: 15)")]) == [])
    let opened: [TracedLine] = [
      (100, "sys_openat(dfd: 0xffffff9c, filename: 0x5000, flags: 0x4000, mode: 0)"), (100, "sys_openat -> 0x3"),
    ]
    let read: TracedLine = (100, "sys_read(fd: 3, buf: 0x7f0000010800, count: 0x1000)")
    #expect(try calling(opened + [read]) == ["in call 10+2", "in call 10+2"])
    #expect(try calling([read]) == [])
  }

  @Test("munmap and MADV_DONTNEED told of their range when they began")
  func removals() throws {
    #expect(
      try calling([
        (100, "sys_munmap(addr: 0x7f0000010000, len: 0x2000)"), (100, Self.lock(write: true)),
        Self.write("010", "011", "0x0"),
      ]) == [])
    #expect(try calling([(100, "sys_madvise(start: 0x7f0000010000, len_in: 0x3000, behavior: 4)")]) == [])
  }
}
