// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// `mlockall` goes up all VMAs (`__mm_populate`) and writes where they are writable; no event says where it is.
@Suite("Population of a whole mm")
struct PopulationTests {
  /// As far as an address goes.
  private let everything = PageRange(start: VirtualPage(0), end: VirtualPage(.max >> 12))

  @Test("What the ELF loader mapped may be read-only and passed over, until its protection is told")
  func loader() {
    for (protection, place) in [(.unknown, nil), ([.read, .write], 0), ([.read], 8)] as [(VMAProtection, Int?)] {
      var tale = Tale()
      tale.at(Tale.p, 100, .vmaMapped(tale.range(0..<8), .loader, protection))
      tale.at(Tale.p, 100, .populated(everything, .anonymous(PFN(20), .base, replaced: false)))
      // The next VMA begins at page 8 and is writable.
      for index in [0, 8] { #expect(tale.frame(Tale.p, index) == (index == place ? PFN(20) : nil)) }
    }
  }
}
