// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// What GUP allocates, in a call that is not traced, right after a fault of the same task: no fault tells of it, and the
/// one before is over.
@Suite("GUP after a fault")
struct GUPTests {
  private static let page = VirtualPage(0x7f0000000)

  private static func alloc(_ pfn: UInt64, zeroed: Bool) -> String {
    "mm_page_alloc: page=0000000000000000 pfn=0x\(String(pfn, radix: 16)) order=0 migratetype=1 gfp_flags="
      + "GFP_HIGHUSER_MOVABLE|__GFP_COMP" + (zeroed ? "|__GFP_ZERO" : "")
  }
  private static let lock = "mmap_lock_acquire_returned: mm=0xffff888100000000 memcg_path= write=false success=true"
  private static func counted(_ member: String, _ pages: Int) -> String {
    "rss_stat: mm_id=77 curr=1 type=\(member) size=\(pages * 4096)B"
  }

  /// What a fault with this error code comes to, and the frames that came in beside it.
  private func outcome(_ error: String, _ lines: [String]) throws -> (faults: [FaultOutcome], appeared: [PFN]) {
    let head = [
      "page_fault_user: address=0x7f0000800000 ip=0x1000 error_code=0x6", Self.lock,
      Self.counted("MM_ANONPAGES", 10), Self.counted("MM_FILEPAGES", 100),
      Self.counted("MM_SWAPENTS", 5),
      "page_fault_user: address=0x7f0000000000 ip=0x1000 error_code=\(error)",
    ]
    let events = try normalized((head + lines + ["sys_brk(brk: 0)"]).map { (100, $0) }).map(\.event)
    return (
      events.compactMap { if case .fault(Self.page, _, let outcome) = $0 { outcome } else { nil } },
      events.compactMap { if case .appeared(let pfn, _) = $0 { pfn } else { nil } }
    )
  }

  @Test("Once the file's pages are counted, a fault of a file is over")
  func afterFileFault() throws {
    // An instruction fetch; then O_DIRECT into memory never touched.
    let seen = try outcome(
      "0x14",
      [
        Self.counted("MM_FILEPAGES", 116), Self.lock, Self.alloc(10, zeroed: true), Self.counted("MM_ANONPAGES", 11),
      ])
    #expect(seen.faults == [.file(pages: 16)] && seen.appeared == [PFN(10)])
  }

  @Test("A read takes no zeroed page, and nothing of its own is flushed: it mapped the zero page")
  func afterZeroPage() throws {
    let touch = try outcome("0x4", [Self.alloc(10, zeroed: true), Self.counted("MM_ANONPAGES", 11)])
    #expect(touch.faults == [.quiet] && touch.appeared == [PFN(10)])
    let copy = try outcome("0x4", [Self.alloc(10, zeroed: false), "tlb_flush: pages:1 reason:local MM shootdown (3)"])
    #expect(copy.faults == [.quiet] && copy.appeared == [PFN(10)])
  }

  @Test("A read that swaps in takes a page that is not zeroed, counted before the swap entry is")
  func swapIn() throws {
    let seen = try outcome(
      "0x4",
      [
        Self.alloc(10, zeroed: false), Self.counted("MM_ANONPAGES", 11), Self.counted("MM_SWAPENTS", 4),
      ])
    #expect(seen.faults == [.swappedIn(PFN(10), .none)] && seen.appeared.isEmpty)
  }

  private static let flush = "tlb_flush: pages:1 reason:local MM shootdown (3)"

  /// What GUP copies of shared pages, by `writev` of a descriptor with O_DIRECT: nothing but the lock tells of the call.
  @Test("A write that found its page its own, then GUP: pages that come under one lock are the call's")
  func afterReuse() throws {
    let seen = try outcome(
      "0x7",
      [Self.lock] + (10..<13).flatMap { [Self.alloc($0, zeroed: false), Self.flush] })
    #expect(seen.faults == [.quiet] && seen.appeared == [PFN(10), PFN(11), PFN(12)])
  }

  @Test("A write that copied, then GUP: the first page is the fault's, whether it came under mmap_lock or not")
  func afterCopy() throws {
    let gup = [Self.lock] + (11..<13).flatMap { [Self.alloc($0, zeroed: false), Self.flush] }
    for own in [[], [Self.lock]] {
      let seen = try outcome("0x7", own + [Self.alloc(10, zeroed: false), Self.flush] + gup)
      guard case .copied(PFN(10), _)? = seen.faults.first else {
        Issue.record("\(seen.faults)")
        continue
      }
      #expect(seen.faults.count == 1 && seen.appeared == [PFN(11), PFN(12)])
    }
  }
}
