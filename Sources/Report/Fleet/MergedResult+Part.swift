// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
package import Replay

extension MergedResult {
  /// A merge of one.
  ///
  /// - Parameter notRead: Kinds of lines in its file that were passed over.
  package init(_ result: ReplayResult, origin: ResultOrigin, notRead: Set<String> = []) throws(ReportError) {
    self = .empty
    let writer = ResultWriter()
    let place = Place(origin: origin, capture: result.capture)
    let trust = ResultLine.Trust(result)
    parts[Key(kernel: origin.kernel, host: origin.host, capture: origin.capture)] = MergedLine.Part(
      capture: origin.capture, host: origin.host, kernel: origin.kernel, tool: origin.tool, workload: origin.workload,
      thp: origin.thp, mthp: origin.mthp, name: result.capture.name, isTrusted: result.trust.isTrusted,
      reasons: Set(trust.reasons.map(\.name)).sorted(), denominators: ResultLine.Denominators(result))
    for encoding in result.encodings {
      add(MergedLine.Encoding(writer.encoding(encoding, result.capture)))
    }
    for found in result.divergences where found.count > 0 {
      let line = place.line(found)
      let signature = Signature(found)
      divergences[signature] = divergences[signature]?.merged(with: line) ?? line
    }
    for audit in result.audits {
      let line = MergedLine.Audit(audit, place)
      audits[audit.name] = audits[audit.name]?.merged(with: line) ?? line
    }
    loss = MergedLine.Loss(result.loss)
    for (gap, count) in result.gaps.met { gaps[gap.description.name] = count }
    verification = MergedLine.Verification(result.verification, place)
    for kind in notRead { notMerged[kind] = 1 }
    timeline = result.timeline.map(MergedSeries.init)
    if result.timeline?.gauges.isEmpty == false { notMerged["gauges"] = 1 }
    if !result.processes.isEmpty { notMerged["process"] = 1 }
    verification.coverage = MergedSeries(result.verification.coverage)
    if verification.coverage == nil, !result.verification.coverage.isEmpty { notMerged["coverage"] = 1 }
  }

  private mutating func add(_ encoding: MergedLine.Encoding) {
    encodings[encoding.id] = encodings[encoding.id]?.merged(with: encoding) ?? encoding
  }

  /// Where an instance is found again.
  fileprivate struct Place {
    let origin: ResultOrigin
    let capture: CaptureSummary

    func line(_ found: Divergence) -> MergedLine.Divergence {
      MergedLine.Divergence(
        encoding: found.encoding.rawValue, verdict: found.verdict.rawValue, certainty: found.certainty.rawValue,
        rule: found.rule.rawValue, transition: found.transition.rawValue, order: found.order.rawValue,
        count: found.count, captures: 1,
        exemplar: MergedLine.Exemplar(
          capture: origin.capture, host: origin.host, kernel: origin.kernel, name: capture.name,
          sequence: found.firstSequence.rawValue, time: found.firstTime.nanoseconds, mm: found.mm.rawValue,
          address: found.page.address(pageShift: capture.pageShift), frame: found.frame?.rawValue,
          history: found.history.map(ResultLine.History.init)))
    }

    func line(_ finding: Finding) -> MergedLine.Disagreement {
      MergedLine.Disagreement(
        evidence: finding.evidence.rawValue, cause: finding.cause, expected: finding.expected,
        observed: finding.observed,
        exemplar: MergedLine.Exemplar(
          capture: origin.capture, host: origin.host, kernel: origin.kernel, name: capture.name,
          sequence: finding.sequence.rawValue, time: finding.time.nanoseconds, mm: finding.mm.rawValue,
          address: finding.page.address(pageShift: capture.pageShift), frame: nil,
          history: finding.history.map(ResultLine.History.init)))
    }
  }
}

extension MergedLine.Encoding {
  fileprivate init(_ line: ResultLine.Encoding) {
    self.init(id: line.id, captures: 1, checks: line.checks, verdicts: [:], costs: [:], states: [:])
    for (name, verdict) in line.verdicts {
      switch verdict {
      case .counted(let definite, let possible):
        verdicts[name] = MergedLine.Verdict(definite: definite, possible: possible, captures: 1)
      case .notObservable: verdicts[name] = MergedLine.Verdict()
      }
    }
    for (name, cost) in line.costs {
      switch cost {
      case .exactly(let count): costs[name] = MergedLine.Cost(low: count, high: count, captures: 1)
      case .between(let low, let high): costs[name] = MergedLine.Cost(low: low, high: high, captures: 1)
      case .notObservable: costs[name] = MergedLine.Cost()
      }
    }
    for (name, state) in line.states ?? [:] {
      states[name] = MergedLine.State(checked: state.checked, definite: state.definite, possible: state.possible)
    }
  }
}

extension MergedLine.Audit {
  fileprivate init(_ audit: AuditResult, _ place: MergedResult.Place) {
    self.init(name: audit.name, captures: 1, figures: [:], examples: [])
    for figure in audit.notObservable { figures[figure] = MergedLine.Shown() }
    for (name, count) in audit.figures.byName { figures[name] = MergedLine.Shown(count: count, captures: 1) }
    examples = Self.chosen(
      audit.examples.map { example in
        MergedLine.Example(
          capture: place.origin.capture, host: place.origin.host, kernel: place.origin.kernel,
          name: place.capture.name, example: ResultLine.Audit.Example(example))
      })
  }
}

extension MergedLine.Loss {
  fileprivate init(_ loss: LossSummary) {
    let losing = loss.perCPU.filter { $0.count != 0 }
    records = losing.reduce(0) { saturatingSum($0, $1.count ?? 0) }
    captures = losing.isEmpty ? 0 : 1
    uncounted = losing.contains { $0.count == nil } ? 1 : 0
    unknownAddressSpaces = loss.unknownAddressSpaces
  }
}

extension MergedLine.Tally {
  fileprivate init(_ tally: Replay.Tally) {
    (agree, disagree, unknown) = (tally.agree, tally.disagree, tally.unknown)
  }
}

extension MergedLine.Verification {
  fileprivate init(_ found: Replay.Verification, _ place: MergedResult.Place) {
    decisions = MergedLine.Tally(found.decisions)
    entries = MergedLine.Tally(found.entries)
    pages = MergedLine.Tally(found.pages)
    tables = MergedLine.Tally(found.tables)
    scans = MergedLine.Tally(found.scans)
    unknownCauses = found.unknownCauses.byName
    notCompared = found.notComparedCauses.byName
    disagreementCauses = found.disagreementCauses.byName
    disagreement = found.firstDisagreement.map(place.line)
  }
}
