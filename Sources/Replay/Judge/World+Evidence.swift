// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The facts for a verdict, from the encoding's world and the baseline's; nearly every entry is through before they are
/// gathered (`agreesPlainly`).
extension World {
  /// Nearly every entry: claim and baseline agree, and nothing about the entry contradicts them.
  @inline(__always)
  func agreesPlainly(_ ref: EntryRef, _ entry: Entry, _ claim: Claim) -> Bool {
    switch claim {
    case .shared: !entry.writable && !entry.shadowStack
    case .exclusive: isTrulyExclusive(ref) == .exclusive
    case .unknown: true
    }
  }

  /// Gathers what the verdict on one entry rests on. `other`: the baseline's entry at the same mm and page.
  package func evidence(
    _ ref: EntryRef, encoding: Claim, _ baseline: World<Baseline>, _ other: EntryRef?, _ doubts: Doubts,
    livelocked: Bool, isStale: Bool
  ) -> Evidence {
    let entry = tables.entry(ref)
    var evidence = Evidence(baseline: .shared, baselineHasEntry: false, encoding: encoding, isStale: isStale)
    if let other {
      let own = baseline.entry(other)
      evidence.baseline = Baseline.claim(baseline, other, own)
      evidence.baselineHasEntry = own.kind != .none && !own.kind.isMarker
      if evidence.baseline != .shared { evidence.baselineTruth = baseline.isTrulyExclusive(other) }
    }
    if encoding != .shared {
      evidence.truth = truth(ref, doubts)
      evidence.isUnderStableWriteback = entry.kind == .present && isUnderStableWriteback(entry.folio)
    }
    if encoding != .exclusive {
      evidence.isWritable = entry.countsAsWritable
      if evidence.baseline != .shared {
        evidence.isPinned = isPinHit(ref, entry)
        evidence.reusePasses = reusePasses(ref, entry)
        evidence.isLivelocked = livelocked || entry.verdict == .livelock
      }
    }
    return evidence
  }

  /// What the reuse check says, or would say of an entry that is not present.
  private func reusePasses(_ ref: EntryRef, _ entry: Entry) -> Bool? {
    guard entry.kind == .present else { return wouldReuse(ref, entry) }
    return switch reuseCheck(ref) {
    case .passes: true
    case .fails: false
    case .unknown: nil
    }
  }

  /// The reuse check of an entry that is not present, as if it were: nobody else, also not on another page of the
  /// large folio cached for it.
  private func wouldReuse(_ ref: EntryRef, _ entry: Entry) -> Bool {
    guard isTrulyExclusive(ref) == .exclusive else { return false }
    guard entry.kind == .swap, let cached = slots[entry.swapSlot].folio else { return true }
    let own = tables[ref.table].mm
    return mappings(of: cached).allSatisfy { tables[$0.table].mm == own }
  }

  /// Older than what the baseline has there (newer is a missed copy, which has its own verdict), or about to be.
  func isStale(_ mm: MMID, _ page: VirtualPage, against baseline: World<Baseline>) -> Bool {
    isOlder(content(mm, page), than: baseline.content(mm, page)) || (isDoomed(mm, page) && !baseline.isDoomed(mm, page))
  }

  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func touchEverything() {
    for mm in mms {
      guard let mm else { continue }
      for ref in liveRefs(mm.id, .everything) { touch(ref) }
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
