// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

/// `mlock` over an anonymous range while memory is short: `wp_page_copy` flushes what it replaces, and so does
/// `try_to_unmap_one` of the reclaim that the allocation set off, which counts the page next.
@Suite("Pages replaced without a fault")
struct ReplacementTests {
  private func events(_ lines: [String]) throws -> [MMEvent] {
    let head = [
      "page_fault_user: address=0x7f0000000000 ip=0x1000 error_code=0x6",
      "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=40960B",
      "sys_mlock(start: 0x7f0000000000, len: 0x4000)",
    ]
    return try normalized((head + lines + ["sys_mlock -> 0x0"]).map { (100, $0) }).map(\.event)
  }

  private static func alloc(_ pfn: UInt64) -> String {
    "mm_page_alloc: page=0000000000000000 pfn=0x\(String(pfn, radix: 16)) order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP"
  }
  private static let flush = "tlb_flush: pages:1 reason:local MM shootdown (3)"
  private static func anonymous(_ pages: Int) -> String {
    "rss_stat: mm_id=77 curr=1 type=MM_ANONPAGES size=\(pages * 4096)B"
  }
  private static func swapped(_ pages: Int) -> String {
    "rss_stat: mm_id=77 curr=1 type=MM_SWAPENTS size=\(pages * 4096)B"
  }

  private func outcomes(_ events: [MMEvent]) -> [FaultOutcome] {
    events.compactMap { if case .populated(_, let outcome) = $0 { outcome } else { nil } }
  }

  @Test("A flush that nothing is counted after replaced a page, before the next folio and at the end of the call")
  func copies() throws {
    let seen = try events([Self.alloc(10), Self.flush, Self.alloc(11), Self.flush])
    #expect(outcomes(seen) == [.copied(PFN(10), sinceDecision: 0), .copied(PFN(11), sinceDecision: 0)])
  }

  @Test("A flush before one anonymous page less was reclaim's; the folio is mapped by the count that follows")
  func reclaims() throws {
    let seen = try events([
      Self.swapped(0), Self.alloc(10), Self.flush, Self.anonymous(9), Self.swapped(1), Self.flush, Self.anonymous(8),
      Self.swapped(2), Self.anonymous(9), Self.swapped(1),
    ])
    #expect(outcomes(seen) == [.copiedFromFile(PFN(10), wasMapped: false)])
    let swappedOut = seen.filter { if case .swappedOut(1) = $0 { true } else { false } }
    #expect(swappedOut.count == 2)
  }

  @Test("A flush stands as a copy's before a counter that reclaim does not lower: a file's, or pages that are more")
  func othersCount() throws {
    let files = "rss_stat: mm_id=77 curr=1 type=MM_FILEPAGES size=4096B"
    for counter in [files, Self.anonymous(11), "rss_stat: mm_id=78 curr=0 type=MM_ANONPAGES size=0B"] {
      let seen = try events([Self.alloc(10), Self.flush, counter])
      #expect(outcomes(seen).first == .copied(PFN(10), sinceDecision: 0), "\(counter)")
    }
  }
}
