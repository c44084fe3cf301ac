// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
package import Replay

/// What makes two divergences the same one: everything but where and how often.
package struct Signature: Hashable, Sendable, Comparable {
  package let encoding: EncodingID
  package let verdict: Verdict
  package let certainty: Certainty
  package let rule: RuleID
  package let transition: Transition
  package let order: FolioOrder

  init(
    encoding: EncodingID, verdict: Verdict, certainty: Certainty, rule: RuleID, transition: Transition,
    order: FolioOrder
  ) {
    (self.encoding, self.verdict, self.certainty) = (encoding, verdict, certainty)
    (self.rule, self.transition, self.order) = (rule, transition, order)
  }

  package init(_ divergence: Divergence) {
    encoding = divergence.encoding
    verdict = divergence.verdict
    certainty = divergence.certainty
    rule = divergence.rule
    transition = divergence.transition
    order = divergence.order
  }

  /// The worst first, then by name.
  package static func < (a: Signature, b: Signature) -> Bool {
    if a.verdict != b.verdict { return a.verdict < b.verdict }
    if a.certainty != b.certainty { return a.certainty == .definite }
    if a.encoding != b.encoding { return a.encoding.rawValue < b.encoding.rawValue }
    if a.rule != b.rule { return a.rule.rawValue < b.rule.rawValue }
    if a.transition != b.transition { return a.transition.rawValue < b.transition.rawValue }
    return a.order < b.order
  }

  package var text: String {
    "\(verdict.rawValue) \(encoding.rawValue): \(rule.rawValue) at \(transition.rawValue), order \(order.rawValue), "
      + certainty.rawValue
  }
}

extension [Divergence] {
  /// By severity, then certainty, then count; the signature breaks ties, so the order never depends on hashing.
  var worstFirst: [Divergence] {
    sorted { a, b in
      if a.verdict != b.verdict { return a.verdict < b.verdict }
      if a.certainty != b.certainty { return a.certainty == .definite }
      if a.count != b.count { return a.count > b.count }
      return Signature(a) < Signature(b)
    }
  }
}
