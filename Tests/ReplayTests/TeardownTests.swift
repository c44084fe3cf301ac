// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// `unmap_vmas` goes up; what it took away waits in the `mmu_gather` for a flush. A page's rank counts the pages from it
/// to the top.
@Suite("How far a teardown is")
struct TeardownTests {
  @Test("At a flush three pages are mapped yet: the third from the top is held, the fourth may be gone")
  func flushed() {
    var teardown = Teardown(by: TaskID(1))
    teardown.proceeded(remaining: 3, unmapped: 5, flushed: true)
    for rank in UInt64(1)...8 { #expect(teardown.reference(rank: rank) == (rank <= 3 ? .held : .unknown)) }
  }

  /// 8 entries in place, of which one is left, and 19 pages of 510 with one left each.
  @Test("A full gather is flushed whether or not that is traced, one that has room for a page is not")
  func full() {
    for (unmapped, isFull) in [(UInt64(7 + 19 * 509), true), (7 + 19 * 509 - 1, false)] {
      var teardown = Teardown(by: TaskID(1))
      teardown.proceeded(remaining: 5, unmapped: unmapped, flushed: false)
      #expect(teardown.reference(rank: 5) == .held)
      #expect(teardown.reference(rank: 6) == (isFull ? .released : .held))
    }
  }
}
