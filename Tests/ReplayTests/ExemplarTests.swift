// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

@Suite("Pages whose histories are told")
struct ExemplarTests {
  private struct Shown: SnapshotSource {
    /// A page that is shared with somebody.
    func snapshot(_ index: UInt32) -> ProcessSnapshot? {
      ProcessSnapshot(
        vmas: [.init(range: Told.pages, facts: .anonymous)],
        anonymous: [.init(page: Told.first, pfn: PFN(11), exclusive: false, isMappedOnce: false)])
    }
  }

  private static let attached = MMID(7)

  /// P's page is shared at fork, where C-raw's bits stay in both. Another mm was there before the recording: what its
  /// entry's bits are is not known.
  private func told() -> Told {
    var told = Told(
      ReplayDriver(encodings: [.baseline, .cRaw], facts: .v6_18, seesLRUInsertion: false, snapshots: Shown()))
    told.at(Told.p, 100, .fault(Told.first, .write, .anonymous(PFN(10), .base, replaced: false)))
    told.fork()
    told.at(Self.attached, 700, .mmCreated(.attached))
    told.at(Self.attached, 900, .snapshotBegan(1))
    told.at(Self.attached, 900, .snapshotEnded(1))
    return told
  }

  @Test("What is certain is told of every encoding, what is only possible of those that are told in full")
  func certainty() {
    let told = told()
    func pages(_ isTold: Bool) -> Set<MMID> {
      Set(told.driver.exemplars(explaining: false, told: { $0 == .cRaw && isTold }).pages.map(\.mm))
    }
    #expect(pages(true) == [Told.p, Self.attached])
    #expect(pages(false) == [Told.p])
  }
}
