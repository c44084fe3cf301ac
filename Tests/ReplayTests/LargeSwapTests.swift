// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// Reclaim splits a large folio where it cannot swap it whole (`split_folio_to_list`), and nothing tells of a clean page
/// that goes.
@Suite("Large folios and swap")
struct LargeSwapTests {
  @Test("A page of a large folio is read from swap: that its neighbours went as well is not said")
  func oneOfMany() {
    var tale = Tale()
    let folio = FaultOutcome.anonymous(PFN(16), FolioOrder(4), replaced: false)
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, folio))
    #expect(tale.frame(Tale.p, 4) == PFN(20))
    tale.at(Tale.p, 100, .fault(tale.page(3), .write, .swappedIn(PFN(99), .none)))
    #expect(tale.frame(Tale.p, 3) == PFN(99))
    for index in 0..<16 where index != 3 { #expect(tale.kind(Tale.p, index) == .present) }
    // Any of them is copied by whoever writes first, and kept by who comes after.
    tale.fork(0..<16)
    tale.copy(Tale.q, 200, 4, 50, took: 0)
    tale.at(Tale.p, 100, .fault(tale.page(4), [.write, .present], .quiet))
    let decisions = tale.result().verification.decisions
    #expect(decisions.agree == 2 && decisions.unknown == 0 && decisions.disagree == 0)
  }
}
