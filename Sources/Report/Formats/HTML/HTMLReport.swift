// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
package import Replay

/// A result as one HTML file that needs nothing else: no script, no font, no network.
package struct HTMLReport {
  /// Name and version of the program, for the last section.
  let tool: String

  package init(tool: String = "cowscope") { self.tool = tool }

  /// `other`: a second result, which the pictures and a section of its own compare with the first.
  package func render(_ result: ReplayResult, comparedWith other: ReplayResult? = nil) -> String {
    let sections = sections(result, other)
    let title = other.map { "\(result.capture.name) and \($0.capture.name)" } ?? result.capture.name
    let contents = sections.map { "<li><a href=\"#\($0.id)\">\($0.title)</a></li>" }
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>cowscope: \(Markup.escaped(title))</title>
      <style>
      \(HTMLReport.styleSheet)
      </style>
      </head>
      <body>
      <header>
      <h1>cowscope: \(Markup.escaped(title))</h1>
      \(([result] + [other].compactMap(\.self)).map { headline($0, named: other != nil) }.joined(separator: "\n"))
      <nav aria-label="Sections"><ul>\(contents.joined())</ul></nav>
      </header>
      <main>
      \(sections.map { Markup.section($0.id, $0.title, $0.body) }.joined(separator: "\n"))
      </main>
      <footer><p>\(Markup.escaped(tool))</p></footer>
      </body>
      </html>

      """
  }

  private struct Section {
    var id: String
    var title: String
    /// Empty: it is left out.
    var body: String
  }

  private func sections(_ result: ReplayResult, _ other: ReplayResult?) -> [Section] {
    let all = [
      Section(id: "encodings", title: "Encodings", body: encodings(result)),
      Section(id: "compared", title: "Compared", body: other.map { comparison(result, $0) } ?? ""),
      Section(id: "over-time", title: "Over time", body: pictures(result, other)),
      Section(id: "call-sites", title: "Call sites for C", body: callSites(result)),
      Section(id: "found", title: "Divergences", body: divergences(result)),
      Section(id: "processes", title: "Processes", body: processes(result)),
      Section(id: "audits", title: "Audits", body: audits(result)),
      Section(id: "verify", title: "Verify: the model against the kernel", body: verification(result)),
      Section(id: "not-known", title: "Not known", body: unknowns(result)),
      Section(id: "words", title: "Words", body: glossary(result)),
      Section(id: "made", title: "How it was made", body: capture(result) + (other.map(capture) ?? "")),
    ]
    return all.filter { !$0.body.isEmpty }
  }

  /// The two sentences that everything below rests on: what was recorded, and whether to believe it.
  private func headline(_ result: ReplayResult, named: Bool) -> String {
    let capture = result.capture
    let command = capture.command.isEmpty ? "" : "\(capture.command.joined(separator: " ")), "
    let words =
      "\(named ? "\(capture.name): " : "")\(command)kernel \(capture.kernel); "
      + "\(Numbers.seconds(capture.spanNanoseconds)), \(Numbers.plural(capture.addressSpaces, "mm")), "
      + "\(Numbers.plural(result.events, "event"))"
    let defects = AuditText.defects(result)
    let accused =
      defects.isEmpty ? "" : "\n<p class=\"bad\">Today's kernel: \(Markup.escaped(defects.joined(separator: "; ")))</p>"
    return """
      <p class="headline">\(Markup.escaped(words))</p>
      <p class="headline \(result.trust.isTrusted ? "good" : "bad")">\(Markup.escaped(TrustText.sentence(result)))</p>\(accused)
      """
  }

  private func pictures(_ result: ReplayResult, _ other: ReplayResult?) -> String {
    guard let charts = TimelineCharts([result] + [other].compactMap(\.self)) else {
      return "<p>This result has nothing over time; a new replay of the capture has.</p>"
    }
    let limit =
      result.capture.capabilities.contains(.pageFaults)
      ? "" : "\n<p>\(Markup.escaped(Capability.pageFaults.description.consequence))</p>"
    return """
      <p>Time from the first event on. A stair shows what there was at the end of each stretch of the capture.</p>\(limit)
      \(charts.render())
      """
  }

  private func capture(_ result: ReplayResult) -> String {
    let capture = result.capture
    var rows = [("capture", capture.name), ("kernel", capture.kernel)]
    if !capture.command.isEmpty { rows.append(("command", capture.command.joined(separator: " "))) }
    rows += [
      ("records", Numbers.grouped(capture.records)), ("events", Numbers.grouped(result.events)),
      ("span", Numbers.seconds(capture.spanNanoseconds)), ("trusted", Numbers.seconds(result.trustedNanoseconds)),
      ("mms", Numbers.grouped(capture.addressSpaces)), ("lost", loss(result.loss)),
      ("encodings", result.encodings.map(\.id.rawValue).joined(separator: ", ")),
    ]
    rows += KernelDefect.present(in: capture.kernel).map { ("known defect: \($0.name)", $0.summary) }
    rows += capture.capabilities.missing.map { missing in
      ("limit: \(missing.description.limit)", missing.description.consequence)
    }
    rows.append(("replayed with", "cowscope replay \(ShellWord.quoted(capture.name))"))
    return Markup.pairs("What was recorded, and what was made of it", rows)
  }

  private func loss(_ loss: LossSummary) -> String {
    let perCPU = loss.perCPU.filter { $0.count != 0 }.map { entry in
      "cpu\(entry.cpu.rawValue): \(entry.count.map(Numbers.grouped) ?? "unknown number")"
    }
    let records = perCPU.isEmpty ? "no records by the kernel's count" : perCPU.joined(separator: ", ")
    return loss.unknownAddressSpaces == 0
      ? records : records + "; \(Numbers.plural(loss.unknownAddressSpaces, "mm")) unknown to the end"
  }
}
