// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What the lanes found, in the form of the result.
extension Lockstep {
  /// One account per encoding, in the order of reports.
  var accounts: [EncodingResult] {
    let first = EncodingResult(
      id: .baseline, checks: 0, verdicts: [:], costs: costs(baseline.costs), states: baselineRules.counts)
    return [first]
      + findings.map { log, costs in
        EncodingResult(
          id: log.encoding, checks: log.checks, verdicts: log.accounts, costs: self.costs(costs),
          states: log.stateRules.counts)
      }
  }

  private func costs(_ table: CostTable) -> [NamedCount] {
    CostKind.allCases.map { NamedCount(name: $0.name, count: table[$0]) }
  }

  /// Every signature of every encoding, the worst first; histories are empty.
  var divergences: [Divergence] {
    let all = findings.flatMap { log, _ in
      log.signatures.compactMap { signature -> Divergence? in
        guard let rule = signature.verdict.brokenRule(log.encoding, at: signature.transition) else { return nil }
        return Divergence(
          encoding: log.encoding, verdict: signature.verdict, certainty: signature.certainty,
          rule: rule, transition: signature.transition, order: signature.order, count: signature.count,
          firstSequence: signature.firstSequence,
          firstTime: signature.firstTime, mm: signature.mm, page: signature.page, history: [])
      }
    }
    return all.sorted { a, b in
      if a.verdict != b.verdict { return a.verdict < b.verdict }
      if a.count != b.count { return a.count > b.count }
      return a.firstSequence < b.firstSequence
    }
  }
}

extension DivergenceLog {
  /// How often entries came to hold each verdict, for certain and possibly.
  fileprivate var accounts: [Verdict: CertaintyCounts] {
    var accounts: [Verdict: CertaintyCounts] = [:]
    for signature in signatures {
      accounts[signature.verdict, default: CertaintyCounts()][signature.certainty] += signature.count
    }
    return accounts
  }
}

extension Lockstep {
  mutating func markIncomplete(_ mm: MMID) { baseline.memory.markIncomplete(mm) }
}
