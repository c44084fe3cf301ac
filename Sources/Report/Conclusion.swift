// SPDX-License-Identifier: GPL-2.0-only

package import Replay

/// What a run amounts to, and the exit status that says so.
package enum Conclusion: Int32, Sendable {
  /// Nothing asked for was found, and nothing that would hide it.
  case done = 0
  /// The condition the user named was met for certain.
  case conditionHit = 2
  /// Loss, or facts that never became known, leave the answer open.
  case inconclusive = 3
}

/// What `--fail-on` names.
package enum FailureCondition: String, Sendable, CaseIterable {
  /// UNSAFE or UNSAFE-io.
  case unsafe
  /// Those, and what corrupts data in another way: DATA-LOSS, CONS-pin.
  case corruption
  /// Any verdict but BETTER and OK.
  case divergence

  package func includes(_ verdict: Verdict) -> Bool {
    switch verdict {
    case .unsafe, .unsafeIO: true
    case .dataLoss, .conservativePin: self != .unsafe
    case .livelock, .invariantBreak, .conservativeCopy, .conservativeFault, .lost: self == .divergence
    case .better, .ok: false
    }
  }
}

extension ReplayResult {
  /// A definite hit wins over everything: loss cannot take it back. A merely possible one leaves the answer open,
  /// and so does loss that no snapshot repaired.
  package func outcome(failingOn condition: FailureCondition? = nil) -> Conclusion {
    if let condition {
      let hits = divergences.filter { condition.includes($0.verdict) && $0.count > 0 }
      if hits.contains(where: { $0.certainty == .definite }) { return .conditionHit }
      if !hits.isEmpty { return .inconclusive }
    }
    return loss.unknownAddressSpaces > 0 || !capture.limits.isEmpty ? .inconclusive : .done
  }

  /// `verify`: a disagreement is a hit; no agreement at all, or unrepaired loss, leaves the question open.
  package var verificationOutcome: Conclusion {
    let tallies = [verification.decisions, verification.entries, verification.pages]
    if tallies.contains(where: { $0.disagree > 0 }) { return .conditionHit }
    if tallies.allSatisfy({ $0.agree == 0 }) { return .inconclusive }
    return loss.unknownAddressSpaces > 0 ? .inconclusive : .done
  }
}
