// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// A write fault that showed nothing where `do_wp_page` had to copy is open until something tells what it was. Each page
/// has an answer of its own.
@Suite("Open decisions")
struct OpenDecisionTests {
  private static let writeProtect: FaultAccess = [.write, .present]

  /// P wrote to pages 0 and 1, which its child maps, and nothing showed.
  private func waiting(_ snapshots: [UInt32: ProcessSnapshot] = [:]) -> Tale {
    var tale = Tale(snapshots: snapshots)
    for index in 0..<3 { tale.touch(index, UInt64(10 + index)) }
    tale.fork(0..<8)
    for index in 0..<2 { tale.at(Tale.p, 100, .fault(tale.page(index), Self.writeProtect, .quiet)) }
    return tale
  }

  @Test("The child copies one page, and who waited was left alone with it; the other was kept beside the child")
  func oneOfTwo() {
    var tale = waiting()
    // A microsecond after the faults: they may have come to their decision later.
    tale.copy(Tale.q, 200, 0, 20, took: 0)
    #expect(tale.claim(Tale.p, 0) == .exclusive && tale.claim(Tale.p, 1) == .shared)
    #expect(tale.doubt(Tale.p, 1) == .openDecision)
    tale.at(Tale.p, 100, .fault(tale.page(1), Self.writeProtect, .quiet))
    let decisions = tale.result().verification.decisions
    #expect(decisions.agree == 1 && decisions.unknown == 1 && decisions.disagree == 1)
  }

  @Test("A snapshot that shows the flag set: a fault that was held up until the child had gone; where none was, wrong")
  func heldUp() {
    let shown = ProcessSnapshot(
      vmas: [],
      anonymous: [2, 0, 1].map { index in
        ProcessSnapshot.Page(
          page: Tale.first.advanced(by: index), pfn: PFN(UInt64(10 + index)), exclusive: true, isMappedOnce: true)
      })
    var tale = waiting([1: shown])
    tale.at(Tale.q, 200, .mmTeardownBegan)
    tale.at(Tale.q, 200, .mmExited)
    tale.at(Tale.p, 900, .snapshotBegan(1))
    tale.at(Tale.p, 900, .snapshotEnded(1))
    let verification = tale.result().verification
    #expect(verification.pages.agree == 2 && verification.pages.disagree == 1)
    #expect(verification.firstDisagreement?.page == tale.page(2))
    #expect(verification.decisions.unknown == 2 && verification.decisions.disagree == 0)
    #expect((0..<3).allSatisfy { tale.claim(Tale.p, $0) == .exclusive })
  }
}
