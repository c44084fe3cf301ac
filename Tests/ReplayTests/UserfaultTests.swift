// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// `handle_userfault` has the faulting task wait until its handler fills the page (`mfill_atomic_pte_copy`), one small
/// folio at a time; the trace shows that a folio came.
@Suite("Pages that a userfaultfd's handler fills")
struct UserfaultTests {
  @Test("A small page that comes goes where a fault waits; a large folio is somewhere else, and the fault still waits")
  func waiting() {
    for isBeside in [false, true] {
      var tale = Tale()
      tale.at(Tale.p, 101, .unfollowed(.userfaultfd, nil))
      tale.at(Tale.p, 100, .fault(tale.page(3), .write, .quiet))
      if isBeside {
        tale.at(Tale.p, 102, .appeared(PFN(512), FolioOrder(4)))
        #expect(tale.kind(Tale.p, 3) == .none)
      }
      tale.at(Tale.p, 101, .appeared(PFN(20), .base))
      #expect(tale.frame(Tale.p, 3) == PFN(20) && tale.claim(Tale.p, 3) == .exclusive)
      #expect(tale.result().gaps[.placelessPages] == (isBeside ? 1 : 0))
    }
  }
}
