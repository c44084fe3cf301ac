// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
package import Replay

/// A result on one screen, 100 columns wide: what was replayed, the encodings side by side, the worst divergences
/// with the page's history, what is not known, and what the kernel's own evidence says about the model.
package struct TextReport {
  /// How much of the result is shown.
  package enum Detail: Sendable {
    /// The table and the verify line.
    case brief
    /// The five worst divergences, the last eight lines of each history.
    case screen
    case everything
  }

  private let style: Style
  private let detail: Detail
  private let width = 100

  package init(style: Style, detail: Detail = .screen) {
    self.style = style
    self.detail = detail
  }

  /// The report, ending in a newline.
  package func render(_ result: ReplayResult) -> String {
    var lines = header(result)
    lines += table(result)
    lines += divergences(result)
    lines += audits(result)
    lines += unknowns(result)
    lines += [""] + VerificationText(style: style, detail: detail).lines(result)
    return style.printed(lines)
  }

  // — what was replayed

  private func header(_ result: ReplayResult) -> [String] {
    let capture = result.capture
    var lines = [style.bold("cowscope: \(capture.name)")]
    lines.append("  kernel \(capture.kernel)" + command(capture.command))
    let facts = [
      Numbers.plural(capture.records, "record"), Numbers.plural(result.events, "event"),
      Numbers.seconds(capture.spanNanoseconds), Numbers.plural(capture.addressSpaces, "mm"),
    ]
    lines.append("  " + facts.joined(separator: ", "))
    return lines + loss(result) + limits(capture)
  }

  private func limits(_ capture: CaptureSummary) -> [String] {
    capture.limits.flatMap { Paragraph.lines($0.sentence) }.map(style.bad)
  }

  private func command(_ words: [String]) -> String {
    guard !words.isEmpty else { return "" }
    let text = words.joined(separator: " ")
    return ", command: " + (text.count > 60 ? text.prefix(57) + "..." : text[...])
  }

  private func loss(_ result: ReplayResult) -> [String] {
    let loss = result.loss
    let perCPU = loss.perCPU.filter { $0.count != 0 }.map { entry in
      "cpu\(entry.cpu.rawValue) \(entry.count.map(Numbers.grouped) ?? "an unknown number")"
    }
    var lines = perCPU.isEmpty ? ["  lost: nothing"] : wrapped("  lost records: ", perCPU).map(style.bad)
    if loss.unknownAddressSpaces > 0 {
      let count = Numbers.plural(loss.unknownAddressSpaces, "mm")
      lines.append(style.bad("  \(count) unknown from the loss on, to the end"))
    }
    if loss.unknownAddressSpaces > 0 {
      lines.append("  trusted: the first \(Numbers.seconds(result.trustedNanoseconds))")
    }
    return lines
  }

  // — the encodings side by side

  private func table(_ result: ReplayResult) -> [String] {
    guard !result.encodings.isEmpty else { return ["", "No encoding was replayed."] }
    var table = TextTable()
    table.add([""] + result.encodings.map(\.id.rawValue), paint: style.bold)
    table.add(["checks"] + result.encodings.map { Numbers.count($0.checks) })
    for verdict in Verdict.allCases.sorted() where verdict != .ok {
      let counts = result.encodings.map { $0.verdicts[verdict] ?? 0 }
      guard counts.contains(where: { $0 > 0 }) else { continue }
      table.add(
        [TextTable.Cell(text: verdict.rawValue)]
          + counts.map { count in
            count == 0
              ? TextTable.Cell(text: "0", paint: style.dim)
              : TextTable.Cell(text: Numbers.count(count)) { style.verdict(verdict, $0) }
          })
    }
    for name in CostCatalogue.names(in: result) {
      let counts = result.encodings.map { encoding in encoding.costs.first { $0.name == name }?.count }
      guard counts.contains(where: { $0 != nil && $0 != 0 }) else { continue }
      table.add([name] + counts.map { $0.map(Numbers.count) ?? "-" })
    }
    let never = Verdict.allCases.filter { verdict in
      verdict != .ok && result.encodings.allSatisfy { ($0.verdicts[verdict] ?? 0) == 0 }
    }
    let note = never.isEmpty ? [] : [style.dim("  never: " + never.map(\.rawValue).joined(separator: ", "))]
    return [""] + table.lines(indentedBy: 2) + note
  }

  // — the worst divergences

  private func divergences(_ result: ReplayResult) -> [String] {
    let worst = result.divergences.filter { $0.count > 0 }.worstFirst
    guard !worst.isEmpty else { return ["", style.good("No divergence: every encoding agreed with today's bit.")] }
    let total = worst.reduce(0) { $0 + $1.count }
    let shown: Int
    switch detail {
    case .brief: shown = 0
    case .screen: shown = Swift.min(worst.count, 5)
    case .everything: shown = worst.count
    }
    var title = "\(Numbers.plural(UInt64(worst.count), "signature")), \(Numbers.plural(total, "occurrence"))"
    if shown > 0, shown < worst.count { title += "; the \(shown) worst (-v shows all)" }
    var lines = ["", style.bold("DIVERGENCES") + ": " + title]
    for (index, divergence) in worst.prefix(shown).enumerated() {
      lines += self.lines(divergence, number: index + 1, capture: result.capture)
    }
    return lines
  }

  private func lines(_ found: Divergence, number: Int, capture: CaptureSummary) -> [String] {
    let verdict = style.verdict(found.verdict, found.verdict.rawValue)
    let where_ = "\(found.encoding.rawValue): \(found.rule) at \(found.transition), order \(found.order.rawValue)"
    let times = found.count == 1 ? "once" : "\(Numbers.grouped(found.count)) times"
    let frame = found.frame.map { ", pfn \($0.rawValue)" } ?? ""
    var lines = ["", " \(number). \(verdict) \(where_); \(times), \(found.certainty.rawValue)"]
    lines.append(
      "    first: seq \(found.firstSequence.rawValue), mm\(found.mm.rawValue), "
        + "addr \(found.page.address(pageShift: capture.pageShift))\(frame)")
    lines += HistoryText(style: style, limit: detail == .everything ? nil : 8, width: width).lines(found.history)
    lines.append(style.dim("    reproduce: " + Reproduction.command(capture: capture, divergence: found)))
    return lines
  }

  // — audits, and what is not known

  private func audits(_ result: ReplayResult) -> [String] {
    guard !result.audits.isEmpty, detail != .brief else { return [] }
    return ["", style.bold("AUDITS")]
      + result.audits.flatMap { audit in
        wrapped("  \(audit.name): ", audit.figures.map { "\($0.name) \(Numbers.grouped($0.count))" })
      }
  }

  private func unknowns(_ result: ReplayResult) -> [String] {
    let possible = result.divergences.filter { $0.certainty == .possible }.reduce(0) { $0 + $1.count }
    var lines = GapText(style: style).lines(result.gaps)
    if possible > 0 { lines.append("  verdicts that hold only for some values: \(Numbers.grouped(possible))") }
    return lines.isEmpty
      ? ["", "Everything in the trace was followed and explained."]
      : ["", style.bold("NOT KNOWN") + ": what the model did not follow or could not explain"] + lines
  }

  private func wrapped(_ label: String, _ items: [String]) -> [String] {
    var lines: [String] = []
    var line = label
    for (index, item) in items.enumerated() {
      let text = item + (index + 1 < items.count ? ", " : "")
      if line.count + text.count > width, line.count > label.count {
        lines.append(line)
        line = String(repeating: " ", count: label.count)
      }
      line += text
    }
    return lines + [line]
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

extension [NamedCount] {
  var mostFirst: [NamedCount] { sorted { ($1.count, $0.name) < ($0.count, $1.name) } }
}
