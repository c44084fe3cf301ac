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
    try append(capture(result.capture), to: &bytes)
    for encoding in result.encodings { try append(self.encoding(encoding), to: &bytes) }
    for divergence in result.divergences { try append(self.divergence(divergence, pageShift: shift), to: &bytes) }
    for audit in result.audits {
      try append(ResultLine.Audit(name: audit.name, figures: audit.figures.byName), to: &bytes)
    }
    try append(loss(result.loss), to: &bytes)
    for (gap, count) in result.gaps.met { try append(ResultLine.Gap(gap, count), to: &bytes) }
    try append(summary(result), to: &bytes)
    return bytes
  }

  /// `verify --json`: one object on one line.
  package func verification(of result: ReplayResult, explains: Bool = false) throws(ReportError) -> [UInt8] {
    try JSONLine.encode(
      VerificationObject(result.verification, pageShift: result.capture.pageShift, explains: explains))
  }

  private func append(_ line: some Encodable, to bytes: inout [UInt8]) throws(ReportError) {
    bytes.append(contentsOf: try JSONLine.encode(line))
  }

  private func capture(_ capture: CaptureSummary) -> ResultLine.Capture {
    ResultLine.Capture(
      name: capture.name, kernel: capture.kernel, command: capture.command, records: capture.records,
      spanNanoseconds: capture.spanNanoseconds, addressSpaces: capture.addressSpaces, pageShift: capture.pageShift,
      limits: capture.limits.isEmpty ? nil : capture.limits.map(\.rawValue))
  }

  private func encoding(_ encoding: EncodingResult) -> ResultLine.Encoding {
    let verdicts = encoding.verdicts.map { ($0.key.rawValue, $0.value) }
    return ResultLine.Encoding(
      id: encoding.id.rawValue, checks: encoding.checks, verdicts: Dictionary(verdicts, uniquingKeysWith: +),
      costs: encoding.costs.byName)
  }

  private func divergence(_ found: Divergence, pageShift: UInt8) -> ResultLine.Divergence {
    ResultLine.Divergence(
      encoding: found.encoding.rawValue, verdict: found.verdict.rawValue, certainty: found.certainty.rawValue,
      rule: found.rule, transition: found.transition, order: found.order.rawValue, count: found.count,
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
      verification: VerificationObject(result.verification, pageShift: result.capture.pageShift),
      exit: result.outcome().rawValue)
  }
}
