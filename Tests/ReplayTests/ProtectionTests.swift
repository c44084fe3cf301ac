// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// `mprotect_fixup`: VMA by VMA, and nothing where the flags are the same.
@Suite("mprotect in a replay")
struct ProtectionTests {
  /// P has a page that is exclusive and read-only: a copy that GUP made to read from it.
  private func unshared() -> Tale {
    var tale = Tale()
    tale.touch(1, 11)
    tale.fork(0..<8)
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1..<2), write: false))
    tale.at(Tale.p, 100, .populated(tale.range(1..<2), .copied(PFN(30), sinceDecision: 0)))
    tale.at(Tale.p, 100, .directIOEnded)
    return tale
  }

  @Test("The protection that the VMA has already leaves an exclusive page read-only; another one does not")
  func unchanged() {
    for (protection, faults) in [(VMAProtection([.read, .write]), UInt64(1)), ([.read, .write, .execute], 0)] {
      var tale = unshared()
      #expect(tale.claim(Tale.p, 1) == .exclusive)
      tale.at(Tale.p, 100, .protected(tale.range(0..<8), protection))
      // At an entry that is writable the model expects no decision.
      tale.at(Tale.p, 100, .fault(tale.page(1), [.write, .present], .quiet))
      #expect(tale.result().verification.decisions.agree == faults)
    }
  }
}
