// SPDX-License-Identifier: GPL-2.0-only

/// A verdict on one entry, and how sure it is. This file is the one place that gives verdicts;
/// docs/semantics.md, "Verdicts", has the conditions in a table.
package struct Judgement: Sendable, Equatable, BitwiseCopyable {
  package var verdict: Verdict
  package var certainty: Certainty
  /// e=0 and b=1 for certain: with e=b before, the operation lost the information.
  package var losesExclusivity: Bool

  package static let ok = Judgement(verdict: .ok, certainty: .definite, losesExclusivity: false)
}

/// The verdict, over all values of what is unknown: definite when it is the same for every one of them. An unknown
/// claim beside an unknown baseline is the same unseen fact, not a difference.
package func judge(_ evidence: Evidence) -> Judgement {
  if evidence.baseline == .unknown, evidence.encoding == .unknown { return .ok }
  var evidence = evidence
  if evidence.isContradictory {
    // Who maps the page is not known, in any world: no verdict rests on it.
    evidence.truth = .unknown
    evidence.baselineTruth = .unknown
    evidence.reusePasses = nil
  }
  let loses = evidence.encoding == .shared && evidence.baseline == .exclusive
  if let passes = evidence.reusePasses, evidence.encoding != .unknown, evidence.baseline != .unknown,
    evidence.truth != .unknown
  {
    let verdict = weigh(
      e: evidence.encoding.isExclusive, b: evidence.baseline.isExclusive, t: evidence.truth.isExclusive,
      reusePasses: passes, evidence)
    return Judgement(verdict: verdict, certainty: .definite, losesExclusivity: loses)
  }
  var worst: Verdict?
  var isSame = true
  for e in evidence.encoding.possibleValues {
    for b in evidence.baseline.possibleValues {
      // Where the bit is set and the sharers are not known, the bit is the better witness.
      let truths = b && evidence.truth == .unknown ? [true] : evidence.truth.possibleValues
      for t in truths {
        for passes in evidence.reusePasses.map({ [$0] }) ?? [true, false] {
          let verdict = weigh(e: e, b: b, t: t, reusePasses: passes, evidence)
          if let worst, worst != verdict { isSame = false }
          worst = min(worst ?? verdict, verdict)
        }
      }
    }
  }
  return Judgement(verdict: worst ?? .ok, certainty: isSame ? .definite : .possible, losesExclusivity: loses)
}

/// Precedence: the first that fits wins.
private func weigh(e: Bool, b: Bool, t: Bool, reusePasses: Bool, _ evidence: Evidence) -> Verdict {
  if e, !t { return .unsafe }
  if e, !b, evidence.isUnderStableWriteback { return .unsafeIO }
  if evidence.isStale { return .dataLoss }
  if !e, b, evidence.isPinned, !evidence.isWritable { return .conservativePin }
  if !e, b, evidence.isLivelocked { return .livelock }
  if !e, evidence.isWritable { return .invariantBreak }
  if !e, b { return reusePasses ? .conservativeFault : .conservativeCopy }
  if e, !b { return evidence.baselineHasEntry ? .better : .ok }
  return .ok
}
