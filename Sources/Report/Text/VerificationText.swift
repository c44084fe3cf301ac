// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
package import Replay

/// The model against the kernel's own evidence, as text.
package struct VerificationText {
  private let style: Style
  private let detail: TextReport.Detail

  /// Every kept finding is walked through, not only the first disagreement.
  private let explains: Bool

  package init(style: Style, detail: TextReport.Detail = .screen, explains: Bool = false) {
    self.style = style
    self.detail = detail
    self.explains = explains
  }

  /// The output of `verify`, ending in a newline.
  package func render(_ result: ReplayResult) -> String {
    let title = style.bold("cowscope: \(result.capture.name)") + " (kernel \(result.capture.kernel))"
    let sentence = Paragraph.lines(TrustText.sentence(result), indent: "")
    let trust = sentence.map(result.trust.isTrusted ? style.good : style.bad)
    return style.printed([title] + trust + LimitText(style: style).lines(result.capture) + lines(result))
  }

  func lines(_ result: ReplayResult) -> [String] {
    let verification = result.verification
    var lines = [style.bold("VERIFY") + ": " + verdict(result)]
    guard detail != .brief else { return lines }
    var table = TextTable()
    table.add(["", "checked", "agree", "disagree", "unknown", "known"], paint: style.dim)
    for (name, tally) in [
      ("decisions: copy or reuse at a write-protection fault", verification.decisions),
      ("entries: type of a migration entry", verification.entries),
      ("pages: kpageflags bit 34", verification.pages),
      ("tables: VmPTE, bytes of an mm's page tables", verification.tables),
      ("scans: what scans for huge pages counted", verification.scans),
    ] {
      table.add([
        TextTable.Cell(text: name), TextTable.Cell(text: Numbers.count(tally.checked)),
        TextTable.Cell(text: Numbers.count(tally.agree)),
        TextTable.Cell(text: Numbers.count(tally.disagree)) { tally.disagree > 0 ? style.bad($0) : $0 },
        TextTable.Cell(text: Numbers.count(tally.unknown)),
        TextTable.Cell(text: Numbers.percent(tally.agree + tally.disagree, of: tally.checked)),
      ])
    }
    lines += table.lines(indentedBy: 2)
    for (label, counts) in [
      ("disagree because", verification.disagreementCauses), ("unknown because", verification.unknownCauses),
      ("not compared because", verification.notComparedCauses),
    ] {
      lines += counts.filter { $0.count > 0 }.mostFirst.map { "  \(label): \($0.name) \(Numbers.grouped($0.count))" }
    }
    lines += Self.coverage(verification.coverage)
    if explains {
      for finding in verification.findings { lines += self.lines(finding, finding.cause, capture: result.capture) }
    } else if let first = verification.firstDisagreement {
      lines += self.lines(first, "first disagreement", capture: result.capture)
    }
    return lines
  }

  /// Where the share of what is known is not the same all the time, as after attaching to what runs.
  static func coverage(_ slices: [CoverageSlice]) -> [String] {
    guard slices.contains(where: { $0.known * 100 < $0.checked * 99 }) else { return [] }
    let parts = slices.map { slice in
      "\(Numbers.percent(slice.known, of: slice.checked)) from \(Numbers.fixed(slice.start, over: 1_000_000_000, decimals: 3)) s"
    }
    return Paragraph.lines("known over time: " + parts.joined(separator: ", "))
  }

  private func verdict(_ result: ReplayResult) -> String {
    let total = result.verification.total
    let (agree, disagree, unknown) = (total.agree, total.disagree, total.unknown)
    let missing = result.capture.capabilities.missing.filter { $0.description.isNeeded }
    if result.verification.aboutFlag.agree + result.verification.aboutFlag.disagree == 0 {
      return style.bad("nothing to compare: the kernel's evidence says nothing about this model")
        + (missing.isEmpty ? "" : ": the trace has no " + missing.map(\.description.title).joined(separator: ", "))
        + (unknown > 0 ? " (\(Numbers.plural(unknown, "observation")) of unknown state)" : "")
    }
    let summary =
      "model and kernel agree \(Numbers.grouped(agree)) of \(Numbers.grouped(agree + disagree)) times"
      + (unknown > 0 ? ", \(Numbers.grouped(unknown)) more are of unknown state" : "")
    return disagree == 0 ? style.good(summary) : style.bad(summary)
  }

  private func lines(_ first: Finding, _ title: String, capture: CaptureSummary) -> [String] {
    let address = first.page.address(pageShift: capture.pageShift)
    let heading =
      "  \(title): \(first.evidence.rawValue) at seq \(first.sequence.rawValue), mm\(first.mm.rawValue), "
      + "addr \(address)"
    let claims = first.observed.isEmpty ? [] : ["    model: \(first.expected); kernel: \(first.observed)"]
    let history = HistoryText(style: style, limit: detail == .everything ? nil : explains ? 16 : 8, width: 100)
    return [heading] + claims + history.lines(first.history)
      + [style.dim("    reproduce: " + Reproduction.command(capture: capture, sequence: first.sequence))]
  }
}
