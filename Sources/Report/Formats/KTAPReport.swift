// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
package import Replay

/// A result as KTAP: a test point for trust, then a subtest per encoding with a point for each rule that a replay can find
/// broken and one for each verdict that its entries can come to hold, then the audits that accuse.
///
/// `not ok` where the rule was broken, or the verdict held, for certain (any but BETTER); SKIP where it only may have
/// been, and where it could not have been seen: both are neither. Instruments are expected to fail. Totals stand at the
/// end of each level, as in kselftest.
package struct KTAPReport {
  package init() {}

  /// The whole document, ending in a newline.
  package func render(_ result: ReplayResult) -> String {
    let encodings = result.encodings.filter { $0.id != .baseline }
    let audits = result.audits.filter { !$0.defectFigures.isEmpty }
    var lines = ["KTAP version 1", "1..\(encodings.count + audits.count + 1)"]
    let trust = "1 trust # \(escaped(TrustText.sentence(result)))"
    lines.append(result.trust.isTrusted ? "ok " + trust : "not ok " + trust)
    for (index, encoding) in encodings.enumerated() {
      lines += subtest(encoding, number: index + 2, result)
    }
    for (index, audit) in audits.enumerated() {
      lines += point(audit, number: encodings.count + index + 2, result)
    }
    lines.append(totals(of: lines))
    return lines.printed()
  }

  /// Of the points that are not indented.
  private func totals(of lines: [String]) -> String {
    let points = lines.filter { $0.hasPrefix("ok ") || $0.hasPrefix("not ok ") }
    let skipped = points.count { $0.contains(" # SKIP ") }
    let expected = points.count { $0.contains(" # XFAIL ") }
    let failed = points.count { $0.hasPrefix("not ok ") } - expected
    return "# Totals: pass:\(points.count - skipped - expected - failed) fail:\(failed) xfail:\(expected) xpass:0 "
      + "skip:\(skipped) error:0"
  }

  private func point(_ audit: AuditResult, number: Int, _ result: ReplayResult) -> [String] {
    let defects = audit.defectFigures
    let found = defects.filter { audit[$0.name] > 0 }
    let name = "\(number) \(escaped(audit.name))"
    guard found.isEmpty else {
      return found.map { "# \(audit[$0.name]) \(escaped($0.words))" }
        + audit.examples.filter(\.isFinding).map { "# \(escaped($0.text)), seq \($0.sequence.rawValue)" }
        + ["not ok \(name)"]
    }
    let unseen = defects.map(\.name).filter(audit.notObservable.contains)
    if !unseen.isEmpty { return ["ok \(name) # SKIP not observable: \(unseen.joined(separator: ", "))"] }
    let reason = " # SKIP nothing found in what could be seen, but the result is not trusted"
    return ["ok \(name)" + (result.trust.isTrusted ? "" : reason)]
  }

  private enum Outcome {
    case ok
    case broken
    case skipped(String)
  }

  private func subtest(_ encoding: EncodingResult, number: Int, _ result: ReplayResult) -> [String] {
    let rules = rules(encoding, result).map { rule in
      (name: rule.rawValue, notes: notes(rule, encoding, result), outcome: outcome(rule, encoding, result))
    }
    let points = rules + verdicts(encoding, result)
    let name = escaped(encoding.id.rawValue)
    var lines = ["KTAP version 1", "# Subtest: \(name)", "1..\(points.count)"]
    var isBroken = false
    for (index, one) in points.enumerated() {
      lines += one.notes
      let point = "\(index + 1) \(escaped(one.name))"
      switch one.outcome {
      case .ok: lines.append("ok \(point)")
      case .skipped(let reason): lines.append("ok \(point) # SKIP \(escaped(reason))")
      case .broken:
        isBroken = isBroken || !encoding.id.role.isInstrument
        let expectation = encoding.id.role.isInstrument ? " # XFAIL an instrument, not a proposal" : ""
        lines.append("not ok \(point)\(expectation)")
      }
    }
    lines.append(totals(of: lines))
    return lines.map { "    " + $0 } + ["\(isBroken ? "not ok" : "ok") \(number) \(name)"]
  }

  /// Those that a replay can find broken, and any other that the result names.
  private func rules(_ encoding: EncodingResult, _ result: ReplayResult) -> [RuleID] {
    let known = RuleCatalogue.all.filter { $0.applies(to: encoding.id) }.map { $0.id }
    let found = Set(broken(encoding, result).map(\.rule))
    return known.filter { encoding.observation(ofRule: $0, in: result.capture) != nil || found.contains($0) }
      + found.subtracting(known).sorted { $0.rawValue < $1.rawValue }
  }

  private func outcome(_ rule: RuleID, _ encoding: EncodingResult, _ result: ReplayResult) -> Outcome {
    let state = encoding.states.first { $0.rule == rule }
    if let state, state.broken.definite > 0 { return .broken }
    let broken = broken(encoding, result).filter { $0.rule == rule }
    if broken.contains(where: { $0.certainty == .definite }) { return .broken }
    if !broken.isEmpty || state?.broken.possible ?? 0 > 0 { return .skipped("holds or not depending on unknown facts") }
    switch encoding.observation(ofRule: rule, in: result.capture) {
    case .notObservable(let obstacle): return .skipped("not observable: \(obstacle.sentence)")
    case .evaluated, .bounded, nil:
      return result.trust.isTrusted ? .ok : .skipped("not broken in what could be seen, but the result is not trusted")
    }
  }

  /// Those that the encoding can come to hold, the worst first.
  private func verdicts(
    _ encoding: EncodingResult, _ result: ReplayResult
  ) -> [(name: String, notes: [String], outcome: Outcome)] {
    Verdict.allCases.sorted().filter(FailureCondition.divergence.includes).compactMap { verdict in
      let outcome: Outcome
      var notes: [String] = []
      switch encoding.observation(of: verdict, in: result.capture) {
      case nil: return nil
      case .notObservable(let obstacle): outcome = .skipped("not observable: \(obstacle.sentence)")
      case .evaluated(let counts), .bounded(_, let counts):
        if !counts.isZero { notes.append("# \(CountText.entries(counts))") }
        if counts.definite > 0 {
          outcome = .broken
        } else if counts.possible > 0 {
          outcome = .skipped("holds or not depending on unknown facts")
        } else {
          outcome =
            result.trust.isTrusted ? .ok : .skipped("not found in what could be seen, but the result is not trusted")
        }
      }
      return (verdict.rawValue, notes, outcome)
    }
  }

  private func broken(_ encoding: EncodingResult, _ result: ReplayResult) -> [Divergence] {
    result.divergences.filter { divergence in
      divergence.encoding == encoding.id && divergence.count > 0
        && FailureCondition.divergence.includes(divergence.verdict)
    }
  }

  private func notes(_ rule: RuleID, _ encoding: EncodingResult, _ result: ReplayResult) -> [String] {
    let states = encoding.states.filter { $0.rule == rule && !$0.broken.isZero }.map { state in
      "# the state at snapshots and at the end: \(state.broken.definite) entries definite, \(state.broken.possible) possible"
    }
    return states
      + broken(encoding, result).filter { $0.rule == rule }.worstFirst.map { divergence in
        "# \(divergence.verdict.rawValue) at \(escaped(divergence.transition.rawValue)), order \(divergence.order.rawValue): "
          + "\(Numbers.plural(divergence.count, "entry", "entries")), \(divergence.certainty.rawValue), first at seq "
          + "\(divergence.firstSequence.rawValue)"
      }
  }

  /// `#` starts a directive in KTAP.
  private func escaped(_ text: String) -> String {
    text.split(separator: "\n").joined(separator: " ").split(separator: "#", omittingEmptySubsequences: false)
      .joined(separator: "\\#")
  }
}
