// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// An entry of an encoding's world that a verdict is asked about.
struct Look {
  let ref: EntryRef
  /// What the encoding says of it.
  let claim: Claim
  /// The entry of the baseline's world at the same place, and what its flag says.
  let other: EntryRef?
  let flag: Claim
  /// An unshare fault came back, and the page is not claimed exclusive yet.
  var isLivelocked = false
  /// Its content is older than the baseline's.
  var isStale = false
}

/// The facts for a verdict, from the encoding's world and the baseline's; nearly every entry is through before they are
/// gathered (`agreesPlainly`).
extension Memory {
  /// Nearly every entry: claim and baseline agree, and nothing about the entry contradicts them.
  @inline(__always)
  func agreesPlainly(_ ref: EntryRef, _ entry: Entry, _ claim: Claim) -> Bool {
    switch claim {
    case .shared: !entry.writable && !entry.shadowStack
    case .exclusive: isTrulyExclusive(ref) == .exclusive
    case .unknown: true
    }
  }

  /// Gathers what the verdict on one entry rests on. `largeFolios`: what this kernel asks of their reuse.
  @inline(never)
  func evidence(
    _ look: Look, _ baseline: borrowing Memory, _ doubts: Doubts, largeFolios: KernelFacts.LargeFolioReuse
  ) -> Evidence {
    let (ref, encoding) = (look.ref, look.claim)
    let entry = tables.entry(ref)
    var evidence = Evidence(baseline: .shared, baselineHasEntry: false, encoding: encoding, isStale: look.isStale)
    if let other = look.other {
      let own = baseline.entry(other)
      evidence.baseline = look.flag
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
        evidence.reusePasses = reusePasses(ref, entry, largeFolios)
        evidence.isLivelocked = look.isLivelocked || entry.verdict == .livelock
      }
    }
    return evidence
  }

  /// The same of today's own entry, where it is an encoding's too.
  func evidence(_ look: Look, _ doubts: Doubts, largeFolios: KernelFacts.LargeFolioReuse) -> Evidence {
    evidence(look, self, doubts, largeFolios: largeFolios)
  }

  /// What the reuse check says, or would say of an entry that is not present.
  private func reusePasses(
    _ ref: EntryRef, _ entry: Entry, _ largeFolios: KernelFacts.LargeFolioReuse
  ) -> Bool? {
    guard entry.kind == .present else { return wouldReuse(ref, entry) }
    return switch reuseCheck(ref, largeFolios: largeFolios) {
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
}
