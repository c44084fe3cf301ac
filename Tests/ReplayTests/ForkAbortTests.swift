// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// `copy_page_range` gives up in the middle of a VMA, for a signal or want of memory: what it has come past is read-only
/// and shared, and stays so when the child is gone; the rest was not touched.
@Suite("A fork that fails")
struct ForkAbortTests {
  /// Two VMAs of P, of four pages each; the child's counter says how many pages it has.
  private func aborted(_ vmas: [Range<Int>], counted: [UInt64]) -> Tale {
    var tale = Tale()
    for index in 0..<8 { tale.touch(index, UInt64(10 + index)) }
    tale.at(Tale.q, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: Tale.q))
    for (vma, pages) in zip(vmas, counted) {
      tale.at(Tale.p, 100, .forkCopied(child: Tale.q, tale.range(vma)))
      tale.at(Tale.p, 100, .forkCounted(child: Tale.q, .anonymous, pages: pages))
    }
    tale.at(Tale.p, 100, .forkAborted(child: Tale.q))
    return tale
  }

  @Test("So many pages of the VMA were reached as the child has more than before it")
  func middle() {
    for (vmas, counted, shared) in [
      ([0..<4], [3], 3), ([0..<4, 4..<8], [4, 6], 6), ([0..<4, 4..<8], [4, 4], 4), ([0..<4, 4..<8], [4, 8], 8),
    ] as [([Range<Int>], [UInt64], Int)] {
      let tale = aborted(vmas, counted: counted)
      #expect((0..<8).map { tale.claim(Tale.p, $0) == .shared } == (0..<8).map { $0 < shared })
      #expect((0..<8).allSatisfy { tale.kind(Tale.q, $0) == .none })
    }
  }
}
