// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// What a call is told to have done to a range, by its arguments and what it returned.
@Suite("Effects of calls")
struct CallEffectTests {
  private static let beginning = [
    "page_fault_user: address=0x7f0000000000 ip=0x1000 error_code=0x6",
    "mmap_lock_acquire_returned: mm=0xffff8884c2861900 memcg_path= write=false success=true",
    "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B",
  ]

  private func told(_ lines: String...) throws -> [String] {
    try normalized((Self.beginning + lines).map { (100, $0) }).compactMap { record in
      switch record.event {
      case .advised(let range, let advice): "\(advice) \(words(range))"
      case .protected(let range, let protection): "protect \(protection.rawValue) \(words(range))"
      case .unmapped(let range): "unmapped \(words(range))"
      case .vmaMapped(let range, let backing, _): "\(backing) \(words(range))"
      case .removalBegan(let range): "removing \(words(range))"
      default: nil
      }
    }
  }

  /// In pages from 0x7f0000000 on.
  private func words(_ range: PageRange) -> String {
    if range.isEverything { return "everything" }
    return "\(range.start.rawValue - 0x7_f000_0000)+\(range.count)"
  }

  @Test("mlock has filled its range when it comes back; with ONFAULT, or when it failed, it has not")
  func mlock() throws {
    #expect(try told("sys_mlock(start: 0x7f0000001800, len: 0x1000)", "sys_mlock -> 0x0") == ["populate 1+2"])
    #expect(try told("sys_mlock(start: 0x7f0000001000, len: 0x1000)", "sys_mlock -> 0xfffffffffffffff4") == [])
    for (flags, expected) in [(0, ["populate 0+1"]), (1, [])] {
      let call = "sys_mlock2(start: 0x7f0000000000, len: 0x1000, flags: \(flags))"
      #expect(try told(call, "sys_mlock2 -> 0x0") == expected)
    }
    for (flags, expected) in [(1, ["populate everything"]), (3, ["populate everything"]), (2, []), (5, [])] {
      #expect(try told("sys_mlockall(flags: \(flags))", "sys_mlockall -> 0x0") == expected)
    }
  }

  /// `ksys_mmap_pgoff` rounds the length up before anything is looked at.
  @Test("MAP_FIXED of hugetlb takes away whole huge pages")
  func fixedHugetlb() throws {
    let call = "sys_mmap(addr: 0x7f0000000000, len: 0x201000, prot: 3, flags: 0x40032, fd: ffffffff, off: 0)"
    let events = try told(call, "sys_mmap -> 0x7f0000000000")
    #expect(events == ["removing 0+1024", "unmapped 0+1024", "hugetlb 0+1024"])
    let small = call.replacing("0x40032", with: "0x32")
    #expect(try told(small, "sys_mmap -> 0x7f0000000000") == ["removing 0+513", "unmapped 0+513", "anonymous 0+513"])
  }

  /// What a call takes away counts down as what reclaim takes does.
  @Test("Pages that are counted down inside MADV_PAGEOUT went to reclaim; inside any other call they did not")
  func reclaimed() throws {
    let down = "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=32768B"
    for (call, name, pages) in [
      ("sys_madvise(start: 0x7f0000000000, len_in: 0x4000, behavior: 0x15)", "sys_madvise", 2),
      ("sys_madvise(start: 0x7f0000000000, len_in: 0x4000, behavior: 0x4)", "sys_madvise", 0),
      ("sys_mremap(addr: 0x7f0000000000, old_len: 0x4000, new_len: 0x15, flags: 0, new_addr: 0)", "sys_mremap", 0),
    ] {
      let events = try normalized((Self.beginning + [call, down, "\(name) -> 0x0"]).map { (100, $0) })
      let told: UInt64 = events.reduce(0) { if case .reclaimed(let count) = $1.event { $0 + count } else { $0 } }
      #expect(told == UInt64(pages), "\(call)")
    }
  }

  /// `madvise_walk_vmas` returns ENOMEM for a hole and does the rest.
  @Test("madvise over a hole has done its work; populating, and any other error, ended it")
  func madviseOverHole() throws {
    func advise(_ number: Int, _ result: String) throws -> [String] {
      try told(
        "sys_madvise(start: 0x7f0000000000, len_in: 0x4000, behavior: 0x\(String(number, radix: 16)))",
        "sys_madvise -> \(result)"
      )
      .filter { !$0.hasPrefix("removing") }
    }
    let (hole, invalid) = ("0xfffffffffffffff4", "0xffffffffffffffea")
    #expect(try advise(4, hole) == ["dontNeed 0+4"])
    #expect(try advise(8, hole) == ["free 0+4"])
    #expect(try advise(10, hole) == ["dontFork 0+4"])
    #expect(try advise(23, hole) == [])
    #expect(try advise(4, invalid) == [])
    #expect(try advise(4, "0x0") == ["dontNeed 0+4"])
  }

  /// `do_mprotect_pkey` goes VMA by VMA up to the one that it may not change, or the hole.
  @Test("An mprotect that failed may have changed what lies before: the protection is unknown")
  func mprotectInPart() throws {
    func protect(_ start: String, _ result: String) throws -> [String] {
      try told("sys_mprotect(start: \(start), len: 0x4000, prot: 1)", "sys_mprotect -> \(result)")
    }
    for error in ["0xfffffffffffffff4", "0xfffffffffffffff3", "0xffffffffffffffea"] {
      #expect(try protect("0x7f0000000000", error) == ["protect 8 0+4"])
    }
    // It looks at its arguments first.
    #expect(try protect("0x7f0000000010", "0xffffffffffffffea") == [])
    #expect(try protect("0x7f0000000000", "0xfffffffffffffffc") == [])
    #expect(try protect("0x7f0000000000", "0x0") == ["protect 1 0+4"])
  }
}
