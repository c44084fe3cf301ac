// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// What was found, and how far it is known.
extension HTMLReport {
  func divergences(_ result: ReplayResult) -> String {
    let found = result.divergencesTold
    guard !found.isEmpty else {
      return result.trust.isTrusted && result.subjects.contains { $0.checks > 0 }
        ? "<p class=\"good\">None: every encoding agreed with today's bit.</p>"
        : "<p>None found in what could be seen.</p>"
    }
    return found.map { divergence in
      let shift = result.capture.pageShift
      let frame = divergence.frame.map { ", pfn \($0.rawValue)" } ?? ""
      let signature =
        "\(divergence.encoding.rawValue): \(divergence.rule.rawValue) at \(divergence.transition.rawValue), order "
        + "\(divergence.order.rawValue); \(Numbers.plural(divergence.count, "entry", "entries")), \(divergence.certainty.rawValue)"
      return """
        <details><summary><span class="\(rating(divergence.verdict))">\(Markup.escaped(divergence.verdict.rawValue))</span> \
        \(Markup.escaped(signature))</summary>
        <p>First: seq \(divergence.firstSequence.rawValue), mm\(divergence.mm.rawValue), addr \
        \(divergence.page.address(pageShift: shift))\(frame)</p>
        \(history(divergence.history, divergence.encoding))
        <p><code>\(Markup.escaped(Reproduction.command(capture: result.capture, divergence: divergence)))</code></p>
        </details>
        """
    }.joined(separator: "\n")
  }

  func audits(_ result: ReplayResult) -> String {
    result.audits.filter { !$0.isEmpty }.map { audit in
      let question = AuditRegistry.audit(named: audit.name)?.description.question ?? ""
      let rows =
        audit.figures.map { (AuditText.words(of: $0.name, in: audit.name), Numbers.grouped($0.count)) }
        + audit.notObservable.map { (AuditText.words(of: $0, in: audit.name), "n/o") }
      let examples = audit.examples.map { example in
        let history = example.isFinding ? history(example.history) : ""
        return "<li>\(Markup.escaped(example.text)) (seq \(example.sequence.rawValue))\(history)</li>"
      }
      return """
        <h3>\(Markup.escaped(audit.name))</h3>
        <p>\(Markup.escaped(question))</p>
        \(Markup.table("Figures of \(audit.name)", rows: rows.map { Markup.row($0.0, [Markup.cell($0.1)]) }))
        \(examples.isEmpty ? "" : "<ul>" + examples.joined() + "</ul>")
        """
    }.joined(separator: "\n")
  }

  func verification(_ result: ReplayResult) -> String {
    let verification = result.verification
    let rows = [
      ("decisions: copy or reuse", verification.decisions), ("entries: migration types", verification.entries),
      ("pages: kpageflags bit 34", verification.pages), ("tables: VmPTE", verification.tables),
      ("scans for huge pages", verification.scans),
    ].map { name, tally in
      Markup.row(
        name,
        [
          Markup.cell(Numbers.grouped(tally.checked)), Markup.cell(Numbers.grouped(tally.agree)),
          Markup.cell(Numbers.grouped(tally.disagree), tally.disagree == 0 ? "" : "bad"),
          Markup.cell(Numbers.grouped(tally.unknown)),
        ])
    }
    var html = Markup.table(
      "What the kernel itself showed", head: ["evidence", "checked", "agree", "disagree", "unknown"], rows: rows)
    html += counts("Disagree because", verification.disagreementCauses)
    html += counts("Unknown because", verification.unknownCauses)
    html += counts("Not compared because", verification.notComparedCauses)
    let coverage = VerificationText.coverage(verification.coverage)
    if !coverage.isEmpty { html += "\n<p>\(Markup.escaped(coverage.joined(separator: " ")))</p>" }
    if let first = verification.firstDisagreement {
      html += """

        <details open><summary class="bad">First disagreement: \(first.evidence.rawValue) at seq \
        \(first.sequence.rawValue), mm\(first.mm.rawValue), addr \
        \(first.page.address(pageShift: result.capture.pageShift))</summary>
        <p>model: \(Markup.escaped(first.expected)); kernel: \(Markup.escaped(first.observed))</p>
        \(history(first.history))
        </details>
        """
    }
    return html
  }

  func unknowns(_ result: ReplayResult) -> String {
    let rows = result.gaps.met.map { gap, count in
      let row = gap.description
      return Markup.row(
        row.name,
        [
          Markup.cell(row.severity.rawValue, rating(row.severity)), Markup.cell(Numbers.grouped(count)),
          Markup.cell(row.unit), Markup.cell(row.sentence),
        ])
    }
    guard !rows.isEmpty else {
      return result.trust.isTrusted && result.events > 0
        ? "<p>Everything in the trace was followed and explained.</p>"
        : "<p>Nothing was counted; see the first line.</p>"
    }
    return Markup.table(
      "What was not read, not followed or not explained", css: "gaps",
      head: ["gap", "severity", "count", "of", "which are"], rows: rows)
  }

  private func counts(_ title: String, _ counts: [NamedCount]) -> String {
    let present = counts.filter { $0.count > 0 }.mostFirst
    guard !present.isEmpty else { return "" }
    return "\n" + Markup.pairs(title, present.map { ($0.name, Numbers.grouped($0.count)) })
  }

  private func history(_ history: [HistoryEntry], _ encoding: EncodingID? = nil) -> String {
    let lines = HistoryText(style: Style(isColoured: false), encoding: encoding, limit: nil, width: 400).lines(history)
    return lines.isEmpty ? "" : "<pre tabindex=\"0\">\(Markup.escaped(lines.joined(separator: "\n")))</pre>"
  }

  private func rating(_ severity: Gap.Severity) -> String {
    switch severity {
    case .info: ""
    case .doubt: "warn"
    case .loss: "bad"
    }
  }
}

extension HTMLReport {
  /// Who copied, kept and forked.
  func processes(_ result: ReplayResult) -> String {
    let told = result.processes.filter { $0.copies > 0 || $0.reuses > 0 || $0.forks > 0 }
    guard !told.isEmpty else { return "" }
    let titles = Dictionary(result.processes.map { ($0.mm, $0.title) }) { first, _ in first }
    let rows = told.map { process in
      let parent = process.parent.map { titles[$0] ?? "mm\($0.rawValue)" } ?? ""
      return Markup.row(
        process.title,
        [
          Markup.cell("mm\(process.mm.rawValue)"), Markup.cell(parent), Markup.cell(Numbers.grouped(process.forks)),
          Markup.cell(Numbers.grouped(process.copies)), Markup.cell(Numbers.grouped(process.reuses)),
        ])
    }
    let rest = result.capture.addressSpaces > UInt64(told.count) ? "; the rest copied less, or nothing" : ""
    return Markup.table(
      "Address spaces whose write faults copied most\(rest)", css: "processes",
      head: ["process", "mm", "forked from", "forks", "pages copied", "pages kept"], rows: rows)
  }
}
