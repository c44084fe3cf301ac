// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What a world shows beside the baseline's.
extension World {
  /// What is said of the page holds in doubt only.
  func isDoubtful(_ mm: MMID, _ page: VirtualPage, _ doubts: Doubts) -> Bool {
    options.faultsAreSilent || doubts.cause(mm, page) != nil
  }

  /// Older than what the baseline has there (newer is a missed copy, which has its own verdict), or about to be.
  func isStale(_ mm: MMID, _ page: VirtualPage, against baseline: World<Baseline>) -> Bool {
    isOlder(memory.content(mm, page), than: baseline.memory.content(mm, page))
      || (isDoomed(mm, page) && !baseline.isDoomed(mm, page))
  }

  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func touchEverything() {
    for mm in mms {
      guard let mm else { continue }
      for ref in memory.liveRefs(mm.id, .everything) { touch(ref) }
    }
  }

  mutating func chargeWriteback(_ baselineWrites: UInt64) {
    costs[.extraWritebackPages] = swapWrites > baselineWrites ? swapWrites - baselineWrites : 0
  }

  /// Extra faults and copies are what the outcome shows beyond the baseline's.
  mutating func chargeDifference(_ outcome: Outcome, against expected: Outcome) {
    if case .copied = outcome, expected.keptPage { costs[.extraCopies] += 1 }
    if expected == .noFault, outcome.tookFault { costs[.extraFaults] += 1 }
  }
}
