// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
package import Replay

/// A result as `result.ndjson`: one JSON object a line, keys sorted, integers only, so that equal results are equal
/// bytes.
package struct ResultWriter {
  package init() {}

  /// The whole file, ending in a newline.
  package func lines(of result: ReplayResult) throws(ReportError) -> [UInt8] {
    var bytes: [UInt8] = []
    let shift = result.capture.pageShift
    try append(capture(result), to: &bytes)
    for encoding in result.encodings { try append(self.encoding(encoding, result.capture), to: &bytes) }
    for divergence in result.divergences { try append(self.divergence(divergence, pageShift: shift), to: &bytes) }
    for audit in result.audits {
      try append(ResultLine.Audit(audit), to: &bytes)
    }
    for process in result.processes { try append(ResultLine.Process(process), to: &bytes) }
    if let timeline = result.timeline { try append(ResultLine.Timeline(timeline), to: &bytes) }
    try append(loss(result.loss), to: &bytes)
    for (gap, count) in result.gaps.met { try append(ResultLine.Gap(gap, count), to: &bytes) }
    try append(summary(result), to: &bytes)
    return bytes
  }

  /// `verify --json`: one object on one line.
  package func verification(of result: ReplayResult, explains: Bool = false) throws(ReportError) -> [UInt8] {
    var object = VerificationObject(result.verification, pageShift: result.capture.pageShift, explains: explains)
    object.trust = ResultLine.Trust(result)
    return try JSONLine.encode(object)
  }

  private func append(_ line: some Encodable, to bytes: inout [UInt8]) throws(ReportError) {
    bytes.append(contentsOf: try JSONLine.encode(line))
  }

  private func capture(_ result: ReplayResult) -> ResultLine.Capture {
    let capture = result.capture
    let defects = KernelDefect.present(in: capture.kernel).map(\.name)
    return ResultLine.Capture(
      name: capture.name, kernel: capture.kernel, command: capture.command, records: capture.records,
      spanNanoseconds: capture.spanNanoseconds, addressSpaces: capture.addressSpaces, pageShift: capture.pageShift,
      limits: capture.capabilities.missing.map(\.description.limit),
      occurrences: capture.occurrences.map(\.rawValue).sorted(), knownDefects: defects.isEmpty ? nil : defects,
      incomplete: capture.isIncomplete ? true : nil,
      named: result.named.isEmpty ? nil : result.named.map(\.rawValue), trust: ResultLine.Trust(result))
  }

  func encoding(_ encoding: EncodingResult, _ capture: CaptureSummary) -> ResultLine.Encoding {
    var verdicts: [String: ResultLine.Verdict] = [:]
    for verdict in Verdict.allCases where verdict != .ok {
      switch encoding.observation(of: verdict, in: capture) {
      case nil: break
      case .evaluated(let counts), .bounded(_, let counts):
        verdicts[verdict.rawValue] = .counted(definite: counts.definite, possible: counts.possible)
      case .notObservable: verdicts[verdict.rawValue] = .notObservable
      }
    }
    var costs: [String: ResultLine.Cost] = [:]
    for cost in encoding.costs {
      switch encoding.observation(ofCost: cost.name, in: capture) {
      case nil: break
      case .evaluated(let count): costs[cost.name] = .exactly(count)
      case .bounded(let low, let high): costs[cost.name] = .between(low, high)
      case .notObservable: costs[cost.name] = .notObservable
      }
    }
    let states = encoding.states.map { state in
      (
        state.rule.rawValue,
        ResultLine.State(checked: state.checked, definite: state.broken.definite, possible: state.broken.possible)
      )
    }
    return ResultLine.Encoding(
      id: encoding.id.rawValue, checks: encoding.checks, verdicts: verdicts, costs: costs,
      states: states.isEmpty ? nil : Dictionary(states) { first, _ in first })
  }

  private func divergence(_ found: Divergence, pageShift: UInt8) -> ResultLine.Divergence {
    ResultLine.Divergence(
      encoding: found.encoding.rawValue, verdict: found.verdict.rawValue, certainty: found.certainty.rawValue,
      rule: found.rule.rawValue, transition: found.transition.rawValue, order: found.order.rawValue, count: found.count,
      firstSequence: found.firstSequence.rawValue, firstTime: found.firstTime.nanoseconds, mm: found.mm.rawValue,
      address: found.page.address(pageShift: pageShift), frame: found.frame?.rawValue,
      history: found.history.map(ResultLine.History.init))
  }

  private func loss(_ loss: LossSummary) -> ResultLine.Loss {
    let perCPU = loss.perCPU.map { (String($0.cpu.rawValue), $0.count) }
    return ResultLine.Loss(
      perCPU: Dictionary(perCPU) { a, b in a.flatMap { a in b.map { a + $0 } } },
      unknownAddressSpaces: loss.unknownAddressSpaces)
  }

  private func summary(_ result: ReplayResult) -> ResultLine.Summary {
    ResultLine.Summary(
      events: result.events, unknownEvents: result.gaps.total(.doubt) + result.gaps.total(.loss),
      trustedNanoseconds: result.trustedNanoseconds,
      denominators: ResultLine.Denominators(result),
      verification: VerificationObject(result.verification, pageShift: result.capture.pageShift),
      exit: result.outcome().rawValue)
  }
}

extension ResultLine.Denominators {
  init(_ result: ReplayResult) {
    self.init(
      trustedNanoseconds: result.trustedNanoseconds, events: result.events,
      entries: result.encodings.map(\.checks).max() ?? 0, forks: result.forks, faults: result.faults)
  }
}

extension ResultLine.Trust {
  init(_ result: ReplayResult) {
    let trust = result.trust
    self.init(
      state: trust.state.rawValue, reasons: trust.reasons.map(Reason.init), sentence: TrustText.sentence(result),
      maxUnknownPercent: result.maxUnknownPercent)
  }
}

extension ResultLine.Trust.Reason {
  init(_ reason: Trust.Reason) {
    switch reason {
    case .disagreement(let count, let checked): self.init(name: "disagreement", count: count, of: checked)
    case .unknown(let count, let checked, _): self.init(name: "unknown", count: count, of: checked)
    case .loss(let cpu, let records): self.init(name: "loss", count: records, cpu: cpu.rawValue)
    case .gap(let gap, let count): self.init(name: "gap", count: count, what: gap.description.name)
    case .incomplete: self.init(name: "incomplete")
    case .missing(let capability): self.init(name: "missing", what: capability.description.limit)
    case .noRecords: self.init(name: "no-records")
    case .nothingJudged: self.init(name: "nothing-judged")
    case .nothingCompared: self.init(name: "nothing-compared")
    }
  }
}
