// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
package import Replay

/// A result as one HTML file that needs nothing else: no script, no font, no network.
package struct HTMLReport {
  package init() {}

  package func render(_ result: ReplayResult) -> String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>cowscope: \(escaped(result.capture.name))</title>
    <style>
    \(HTMLReport.styleSheet)
    </style>
    </head>
    <body>
    <h1>cowscope: \(escaped(result.capture.name))</h1>
    <p class="\(result.trust.isTrusted ? "good" : "bad")">\(escaped(TrustText.sentence(result)))</p>
    \(capture(result))
    <h2>Encodings</h2>
    \(proposals(result))
    \(table(result))
    \(callSites(result))
    <h2>Divergences</h2>
    \(divergences(result))
    \(audits(result))
    <h2>Verify: the model against the kernel</h2>
    \(verification(result))
    <h2>Not known</h2>
    \(unknowns(result))
    </body>
    </html>

    """
  }

  private static let styleSheet = """
    :root { color-scheme: light dark; --line: #8884; --bad: #b3261e; --warn: #8a5a00; --good: #1b6e3c; }
    @media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --warn: #ffca6b; --good: #7fd99a; } }
    body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
    h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    th, td { padding: .2rem .8rem .2rem 0; text-align: right; white-space: nowrap; }
    th:first-child, td:first-child { text-align: left; }
    .words td, .words th, .sites td:nth-child(n+4), .sites th:nth-child(n+4) { text-align: left; white-space: normal; }
    .gaps td:nth-child(2), .gaps td:nth-child(n+4), .gaps th:nth-child(n+4) { text-align: left; }
    tbody tr { border-top: 1px solid var(--line); }
    details { border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; padding: .4rem .8rem; }
    summary { cursor: pointer; }
    pre { overflow-x: auto; font-size: .85rem; }
    .bad { color: var(--bad); font-weight: 600; } .warn { color: var(--warn); } .good { color: var(--good); }
    .zero { opacity: .45; }
    """

  // — sections

  private func capture(_ result: ReplayResult) -> String {
    let capture = result.capture
    var rows = [("kernel", capture.kernel)]
    if !capture.command.isEmpty { rows.append(("command", capture.command.joined(separator: " "))) }
    rows += [
      ("records", Numbers.grouped(capture.records)), ("events", Numbers.grouped(result.events)),
      ("span", Numbers.seconds(capture.spanNanoseconds)), ("trusted", Numbers.seconds(result.trustedNanoseconds)),
      ("mms", Numbers.grouped(capture.addressSpaces)), ("lost", loss(result.loss)),
    ]
    rows += KernelDefect.present(in: capture.kernel).map { ("known defect: \($0.name)", $0.summary) }
    rows += capture.capabilities.missing.map { missing in
      ("limit: \(missing.description.limit)", missing.description.consequence)
    }
    return pairs(rows)
  }

  private func loss(_ loss: LossSummary) -> String {
    let perCPU = loss.perCPU.filter { $0.count != 0 }.map { entry in
      "cpu\(entry.cpu.rawValue): \(entry.count.map(Numbers.grouped) ?? "unknown number")"
    }
    let records = perCPU.isEmpty ? "no records by the kernel's count" : perCPU.joined(separator: ", ")
    return loss.unknownAddressSpaces == 0
      ? records : records + "; \(Numbers.plural(loss.unknownAddressSpaces, "mm")) unknown to the end"
  }

  private func proposals(_ result: ReplayResult) -> String {
    let rows = result.subjects.map { encoding in
      let summary = ProposalSummary(encoding, in: result)
      return "<tr><td>\(escaped(encoding.id.rawValue))</td><td class=\"\(rating(summary.word))\">"
        + "\(escaped(summary.word.text))</td><td>\(escaped(summary.why))</td></tr>"
    }
    let unseen = UnobservableNames(result).rows.map { obstacle, names in
      "<p>Not observable here: \(escaped(names.joined(separator: ", "))): \(escaped(obstacle.sentence)).</p>"
    }
    return """
      <div class="scroll"><table class="words">
      <thead><tr><th>encoding</th><th>here</th><th>why, and what it costs here</th></tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      \(unseen.joined(separator: "\n"))
      """
  }

  private func callSites(_ result: ReplayResult) -> String {
    guard let sites = CallSites(result), !sites.rows.isEmpty else { return "" }
    let rows = sites.rows.map { row in
      let example = row.example
      return
        "<tr><td>\(escaped(row.site?.rawValue ?? "elsewhere"))</td><td>\(Numbers.grouped(row.entries.definite))</td>"
        + "<td>\(Numbers.grouped(row.entries.possible))</td><td>\(escaped(row.site?.description.source ?? ""))</td>"
        + "<td>\(escaped(row.site?.description.duty ?? "what another path left behind"))</td>"
        + "<td>\(escaped(example.verdict.rawValue)) at \(escaped(example.transition.rawValue)), seq "
        + "\(example.firstSequence.rawValue), mm\(example.mm.rawValue), "
        + "\(example.page.address(pageShift: result.capture.pageShift))</td></tr>"
    }
    return """
      <h2>Call sites for C</h2>
      <p>Where the entries of today's kernel do not say what today's flag says: what a patch for C has to change.</p>
      <div class="scroll"><table class="sites">
      <thead><tr><th>site</th><th>entries, definite</th><th>entries, possible</th><th>kernel functions</th>
      <th>what has to be done</th><th>first example</th></tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  private func table(_ result: ReplayResult) -> String {
    let encodings = result.encodings.filter { $0.id == .baseline } + result.subjects.filter { $0.id != .baseline }
    let head = encodings.map { encoding in
      "<th title=\"\(escaped(EncodingCatalogue.summary(of: encoding.id)))\">\(escaped(encoding.id.rawValue))</th>"
    }
    var rows = [
      "<tr><td>entries judged</td>" + encodings.map { "<td>\(Numbers.grouped($0.checks))</td>" }.joined() + "</tr>"
    ]
    for verdict in Verdict.allCases.sorted() where verdict != .ok {
      for certainty in Certainty.allCases {
        let cells = encodings.map { cell($0.observation(of: verdict, in: result.capture), certainty, verdict) }
        rows.append(
          "<tr><td title=\"\(escaped(verdict.catalogueEntry.summary))\">\(escaped(verdict.rawValue)), "
            + "\(certainty.rawValue)</td>\(cells.joined())</tr>")
      }
    }
    for name in CostCatalogue.names(in: result) {
      let cells = encodings.map { encoding -> String in
        switch encoding.observation(ofCost: name, in: result.capture) {
        case .evaluated(let count): "<td class=\"\(count == 0 ? "zero" : "")\">\(Numbers.grouped(count))</td>"
        case .bounded(let low, let high): "<td>\(Numbers.grouped(low))..\(Numbers.grouped(high))</td>"
        case .notObservable(let obstacle): unobservable(obstacle)
        case nil: "<td class=\"zero\">-</td>"
        }
      }
      rows.append("<tr><td>\(escaped(name))</td>\(cells.joined())</tr>")
    }
    return """
      <div class="scroll"><table>
      <thead><tr><th></th>\(head.joined())</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  private func cell(_ observation: Observation<CertaintyCounts>?, _ certainty: Certainty, _ verdict: Verdict) -> String
  {
    switch observation {
    case .evaluated(let counts), .bounded(_, let counts):
      let count = counts[certainty]
      return "<td class=\"\(count == 0 ? "zero" : rating(verdict))\">\(Numbers.grouped(count))</td>"
    case .notObservable(let obstacle): return unobservable(obstacle)
    case nil: return "<td class=\"zero\">-</td>"
    }
  }

  private func unobservable(_ obstacle: Obstacle) -> String {
    "<td class=\"zero\" title=\"\(escaped(obstacle.sentence))\">n/o</td>"
  }

  private func divergences(_ result: ReplayResult) -> String {
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
        <details><summary><span class="\(rating(divergence.verdict))">\(escaped(divergence.verdict.rawValue))</span> \
        \(escaped(signature))</summary>
        <p>First: seq \(divergence.firstSequence.rawValue), mm\(divergence.mm.rawValue), addr \
        \(divergence.page.address(pageShift: shift))\(frame)</p>
        \(history(divergence.history, divergence.encoding))
        <p><code>\(escaped(Reproduction.command(capture: result.capture, divergence: divergence)))</code></p>
        </details>
        """
    }.joined(separator: "\n")
  }

  private func audits(_ result: ReplayResult) -> String {
    let met = result.audits.filter { !$0.isEmpty }
    guard !met.isEmpty else { return "" }
    let sections = met.map { audit in
      let question = AuditRegistry.audit(named: audit.name)?.description.question ?? ""
      func row(_ figure: String, _ count: String) -> String {
        "<tr><td>\(escaped(AuditText.words(of: figure, in: audit.name)))</td><td>\(count)</td></tr>"
      }
      let rows =
        audit.figures.map { row($0.name, Numbers.grouped($0.count)) } + audit.notObservable.map { row($0, "n/o") }
      let examples = audit.examples.map { example in
        let history = example.isFinding ? history(example.history) : ""
        return "<li>\(escaped(example.text)) (seq \(example.sequence.rawValue))\(history)</li>"
      }
      return """
        <h3>\(escaped(audit.name))</h3>
        <p>\(escaped(question))</p>
        <div class="scroll"><table><tbody>
        \(rows.joined(separator: "\n"))
        </tbody></table></div>
        \(examples.isEmpty ? "" : "<ul>" + examples.joined() + "</ul>")
        """
    }
    return "<h2>Audits</h2>\n" + sections.joined(separator: "\n")
  }

  private func verification(_ result: ReplayResult) -> String {
    let verification = result.verification
    let rows = [
      ("decisions: copy or reuse", verification.decisions), ("entries: migration types", verification.entries),
      ("pages: kpageflags bit 34", verification.pages), ("tables: VmPTE", verification.tables),
      ("scans for huge pages", verification.scans),
    ].map { name, tally in
      "<tr><td>\(name)</td><td>\(Numbers.grouped(tally.checked))</td><td>\(Numbers.grouped(tally.agree))</td>"
        + "<td class=\"\(tally.disagree == 0 ? "" : "bad")\">\(Numbers.grouped(tally.disagree))</td>"
        + "<td>\(Numbers.grouped(tally.unknown))</td></tr>"
    }
    var html = """
      <div class="scroll"><table>
      <thead><tr><th></th><th>checked</th><th>agree</th><th>disagree</th><th>unknown</th></tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      """
    html += counts("Disagree because", verification.disagreementCauses)
    html += counts("Unknown because", verification.unknownCauses)
    html += counts("Not compared because", verification.notComparedCauses)
    let coverage = VerificationText.coverage(verification.coverage)
    if !coverage.isEmpty { html += "\n<p>\(escaped(coverage.joined(separator: " ")))</p>" }
    if let first = verification.firstDisagreement {
      html += """

        <details open><summary class="bad">First disagreement: \(first.evidence.rawValue) at seq \
        \(first.sequence.rawValue), mm\(first.mm.rawValue), addr \
        \(first.page.address(pageShift: result.capture.pageShift))</summary>
        <p>model: \(escaped(first.expected)); kernel: \(escaped(first.observed))</p>
        \(history(first.history))
        </details>
        """
    }
    return html
  }

  private func unknowns(_ result: ReplayResult) -> String {
    let rows = result.gaps.met.map { gap, count in
      let row = gap.description
      return "<tr><td>\(row.name)</td><td class=\"\(rating(row.severity))\">\(row.severity.rawValue)</td>"
        + "<td>\(Numbers.grouped(count))</td><td>\(row.unit)</td><td>\(escaped(row.sentence))</td></tr>"
    }
    guard !rows.isEmpty else {
      return result.trust.isTrusted && result.events > 0
        ? "<p>Everything in the trace was followed and explained.</p>"
        : "<p>Nothing was counted; see the first line.</p>"
    }
    return """
      <div class="scroll"><table class="gaps">
      <thead><tr><th>gap</th><th>severity</th><th>count</th><th>of</th><th>which are</th></tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  // — pieces

  private func counts(_ title: String, _ counts: [NamedCount]) -> String {
    let present = counts.filter { $0.count > 0 }.mostFirst
    guard !present.isEmpty else { return "" }
    return "\n<h3>\(title)</h3>\n" + pairs(present.map { ($0.name, Numbers.grouped($0.count)) })
  }

  private func pairs(_ rows: [(String, String)]) -> String {
    let cells = rows.map { "<tr><td>\(escaped($0.0))</td><td>\(escaped($0.1))</td></tr>" }
    return "<div class=\"scroll\"><table><tbody>\n\(cells.joined(separator: "\n"))\n</tbody></table></div>"
  }

  private func history(_ history: [HistoryEntry], _ encoding: EncodingID? = nil) -> String {
    let lines = HistoryText(style: Style(isColoured: false), encoding: encoding, limit: nil, width: 400).lines(history)
    return lines.isEmpty ? "" : "<pre>\(escaped(lines.joined(separator: "\n")))</pre>"
  }

  private func rating(_ word: ProposalSummary.Word) -> String {
    switch word {
    case .breaks: "bad"
    case .mayBreak, .safeButSlower, .notShownUnsafe: "warn"
    case .safe: "good"
    }
  }

  private func rating(_ severity: Gap.Severity) -> String {
    switch severity {
    case .info: ""
    case .doubt: "warn"
    case .loss: "bad"
    }
  }

  private func rating(_ verdict: Verdict) -> String {
    if FailureCondition.corruption.includes(verdict) { return "bad" }
    return FailureCondition.divergence.includes(verdict) ? "warn" : "good"
  }

  /// Names and histories come from a trace: nothing in them may become markup.
  private func escaped(_ text: String) -> String {
    var escaped = ""
    // Scalar by scalar: with a combining mark behind it a quote is another character to Swift, and to browsers the same.
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
