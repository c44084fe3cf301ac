// SPDX-License-Identifier: GPL-2.0-only

/// Everything a verdict rests on (reference section 0), for one entry of an encoding's world.
package struct Evidence: Sendable, Equatable {
  /// b: the baseline's claim at the same mm and page.
  package var baseline: Claim
  /// e: the encoding's.
  package var encoding: Claim
  /// t: nobody else can observe the page (the encoding's own world).
  package var truth: Claim
  package var isWritable: Bool
  /// The page, or the pin taken through this entry, would be hit by a copy.
  package var isPinned: Bool
  package var reusePasses: Bool
  package var isUnderStableWriteback: Bool
  package var isLivelocked: Bool
  /// The content is older than the baseline's.
  package var isStale: Bool
}

package struct Judgement: Sendable, Equatable, BitwiseCopyable {
  package var verdict: Verdict
  package var certainty: Certainty
  /// e=0 and b=1 for certain: with e=b before, the operation lost the information.
  package var losesExclusivity: Bool

  package static let ok = Judgement(verdict: .ok, certainty: .definite, losesExclusivity: false)
}

/// The verdict, over all values of what is unknown. An unknown claim beside an unknown baseline is the same unseen
/// fact, not a difference.
package func judge(_ evidence: Evidence) -> Judgement {
  if evidence.baseline == .unknown, evidence.encoding == .unknown { return .ok }
  if evidence.baseline != .unknown, evidence.encoding != .unknown, evidence.truth != .unknown {
    return Judgement(
      verdict: judge(
        e: evidence.encoding == .exclusive, b: evidence.baseline == .exclusive, t: evidence.truth == .exclusive,
        evidence),
      certainty: .definite,
      losesExclusivity: evidence.encoding == .shared && evidence.baseline == .exclusive)
  }
  var worst = Verdict.ok
  var mildest: Verdict?
  var every = true
  for e in evidence.encoding.possibleValues {
    for b in evidence.baseline.possibleValues {
      for t in evidence.truth.possibleValues {
        let verdict = judge(e: e, b: b, t: t, evidence)
        if let mildest, mildest != verdict { every = false }
        mildest = verdict
        worst = min(worst, verdict)
      }
    }
  }
  return Judgement(
    verdict: worst, certainty: every ? .definite : .possible,
    losesExclusivity: evidence.encoding == .shared && evidence.baseline == .exclusive)
}

/// Precedence as in the reference: the first that fits wins.
private func judge(e: Bool, b: Bool, t: Bool, _ evidence: Evidence) -> Verdict {
  if e, !t, !(b && evidence.truth == .unknown) { return .unsafe }
  if e, !b, evidence.isUnderStableWriteback { return .unsafeIO }
  if evidence.isStale { return .dataLoss }
  if !e, b, evidence.isPinned, !evidence.isWritable { return .conservativePin }
  if !e, b, evidence.isLivelocked { return .livelock }
  if !e, evidence.isWritable { return .invariantBreak }
  if !e, b { return evidence.reusePasses ? .conservativeFault : .conservativeCopy }
  if e, !b { return .better }
  return .ok
}
