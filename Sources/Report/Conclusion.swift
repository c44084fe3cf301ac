// SPDX-License-Identifier: GPL-2.0-only

package import Replay

/// What a run amounts to, and the exit status that says so.
package enum Conclusion: Int32, Sendable {
  /// Nothing asked for was found, and the answer is to be relied on.
  case done = 0
  /// The condition the user named was met for certain.
  case conditionHit = 2
  /// The answer is not to be relied on, or there is none.
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

/// Why nothing can be said of a condition.
package struct Unanswered: Sendable, Equatable {
  package enum Reason: Sendable, Equatable {
    /// The verdict was not found, but the state breaks a rule that it is filed under, for some values of what is unknown.
    case possibleInState(rule: RuleID)
    case notObservable(Obstacle)
    /// It holds for some values of what is unknown.
    case possible
  }

  package let encoding: EncodingID
  package let verdict: Verdict
  package let reason: Reason

  package init(encoding: EncodingID, verdict: Verdict, reason: Reason) {
    (self.encoding, self.verdict, self.reason) = (encoding, verdict, reason)
  }
}

extension ReplayResult {
  /// The encodings that a report is about: those that were named, else the proposals.
  package var subjects: [EncodingResult] {
    encodings.filter { named.isEmpty ? $0.id.role == .proposal : named.contains($0.id) }
  }

  func isAbout(_ divergence: Divergence) -> Bool {
    named.isEmpty ? divergence.encoding.role == .proposal : named.contains(divergence.encoding)
  }

  /// Those that a report tells of, as it numbers them from 1: the worst first.
  package var divergencesTold: [Divergence] { divergences.filter { $0.count > 0 && isAbout($0) }.worstFirst }

  /// A definite hit wins over everything: nothing that is not known can take it back. Otherwise what cannot be relied
  /// on, may hold, or could not have been seen, leaves the answer open.
  package func outcome(failingOn condition: FailureCondition? = nil) -> Conclusion {
    if let condition {
      let isHit = subjects.contains { encoding in
        encoding.verdicts.contains { condition.includes($0.key) && $0.value.definite > 0 }
          || encoding.states(breaking: condition).contains { $0.broken.definite > 0 }
      }
      if isHit { return .conditionHit }
      if !unanswered(condition).isEmpty { return .inconclusive }
    }
    return trust.isTrusted ? .done : .inconclusive
  }

  /// The verdicts of the condition, by encoding, of which this result cannot say that they do not hold.
  package func unanswered(_ condition: FailureCondition) -> [Unanswered] {
    subjects.flatMap { encoding in
      let states = encoding.states(breaking: condition).filter { $0.broken.possible > 0 }
      return Verdict.allCases.filter(condition.includes).compactMap { verdict -> Unanswered? in
        guard let reason = unanswered(verdict, encoding, states) else { return nil }
        return Unanswered(encoding: encoding.id, verdict: verdict, reason: reason)
      }
    }
  }

  private func unanswered(
    _ verdict: Verdict, _ encoding: EncodingResult, _ states: [StateRuleCount]
  ) -> Unanswered.Reason? {
    switch encoding.observation(of: verdict, in: capture) {
    case .notObservable(let obstacle): return .notObservable(obstacle)
    case .evaluated(let counts) where counts.possible > 0, .bounded(_, let counts) where counts.possible > 0:
      return .possible
    case .evaluated, .bounded, nil:
      let filed = verdict.rules(of: encoding.id)
      return states.first { filed.contains($0.rule) }.map { .possibleInState(rule: $0.rule) }
    }
  }

  /// `verify`: a disagreement is a hit; otherwise it counts whether there is an answer to be relied on.
  package var verificationOutcome: Conclusion {
    if verification.total.disagree > 0 { return .conditionHit }
    return trust.isTrusted ? .done : .inconclusive
  }
}

extension EncodingResult {
  /// The rules that the whole state broke, certainly or possibly, and under which a verdict of the condition is filed.
  func states(breaking condition: FailureCondition) -> [StateRuleCount] {
    let filed = Verdict.allCases.filter(condition.includes).reduce(into: Set<RuleID>()) {
      $0.formUnion($1.rules(of: id))
    }
    return states.filter { !$0.broken.isZero && (condition == .divergence || filed.contains($0.rule)) }
  }
}
