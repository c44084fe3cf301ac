// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// `wp_can_reuse_anon_folio`: a page that waits in a CPU's LRU-add batch has a reference more than its mappings. The fault
/// drains the batch of its own CPU (`lru_add_drain`), no other. An exclusive page is kept whatever its references.
@Suite("Pages in the LRU batch of a CPU")
struct LRUBatchTests {
  private static let kept = FaultOutcome.quiet
  private static let copied = FaultOutcome.copied(PFN(20), sinceDecision: 0)

  /// P touches a page on CPU 1, where it waits.
  private func touched() -> Told {
    var told = Told(ReplayDriver(encodings: [.baseline], facts: .v6_18, seesLRUInsertion: true))
    told.at(Told.p, 100, on: 1, .fault(Told.first, .write, .anonymous(PFN(10), .base, replaced: false)))
    return told
  }

  private func write(_ told: inout Told, on cpu: UInt16, _ outcome: FaultOutcome) -> Tally {
    told.at(Told.p, 100, on: cpu, .fault(Told.first, [.write, .present], outcome))
    return told.decisions()
  }

  private static let rows: [(cpu: UInt16, isOnList: Bool, outcome: FaultOutcome, agrees: Bool)] = [
    (0, false, copied, true), (0, false, kept, false), (1, false, kept, true), (1, false, copied, false),
    (0, true, kept, true), (0, true, copied, false),
  ]

  @Test("Left alone with a shared page: copied where it waits on another CPU, kept elsewhere", arguments: rows.indices)
  func shared(_ index: Int) {
    let row = Self.rows[index]
    var told = touched()
    if row.isOnList { told.at(Told.p, 100, on: 1, .lruInserted(PFN(10))) }
    told.fork()
    told.childExits()
    let decisions = write(&told, on: row.cpu, row.outcome)
    #expect(decisions.agree == (row.agrees ? 1 : 0))
  }

  /// An unshare fault (`FAULT_FLAG_UNSHARE`) leaves a copy that is exclusive and read-only.
  @Test("An exclusive page is kept on any CPU", arguments: [0, 1] as [UInt16])
  func exclusive(_ cpu: UInt16) {
    var told = touched()
    told.fork()
    told.at(Told.p, 100, on: 1, .directIOBegan(Told.pages, write: false))
    told.at(Told.p, 100, on: 1, .populated(Told.pages, .copied(PFN(30), sinceDecision: 0)))
    told.at(Told.p, 100, on: 1, .directIOEnded)
    let decisions = write(&told, on: cpu, Self.kept)
    #expect(decisions.agree == 1 && decisions.checked == 1)
  }
}
