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
    lines += proposals(result)
    lines += EncodingTable(style: style).lines(result)
    lines += callSites(result)
    lines += divergences(result)
    lines += audits(result)
    lines += unknowns(result)
    lines += [""] + VerificationText(style: style, detail: detail).lines(result)
    return style.printed(lines)
  }

  // — what was replayed, and whether to believe it

  private func header(_ result: ReplayResult) -> [String] {
    let capture = result.capture
    var lines = [style.bold("cowscope: \(capture.name)")]
    let sentence = Paragraph.lines(TrustText.sentence(result), indent: "", width: width)
    lines += sentence.map(result.trust.isTrusted ? style.good : style.bad)
    lines.append("  kernel \(capture.kernel)" + command(capture.command))
    let facts = [
      Numbers.plural(capture.records, "record"), Numbers.plural(result.events, "event"),
      Numbers.seconds(capture.spanNanoseconds), Numbers.plural(capture.addressSpaces, "mm"),
    ]
    lines.append("  " + facts.joined(separator: ", "))
    return lines + kernelsOwn(result) + loss(result) + LimitText(style: style).lines(capture) + defects(capture)
  }

  /// What no encoding is to blame for.
  private func kernelsOwn(_ result: ReplayResult) -> [String] {
    let defects = AuditText.defects(result)
    guard !defects.isEmpty else { return [] }
    return Paragraph.lines("the kernel itself: \(defects.joined(separator: ", ")), see AUDITS").map(style.bad)
  }

  private func defects(_ capture: CaptureSummary) -> [String] {
    let names = KernelDefect.present(in: capture.kernel).map(\.name)
    guard !names.isEmpty else { return [] }
    let sentence =
      "known defects of this kernel, by its release: \(names.joined(separator: ", ")) (`cowscope explain NAME`)"
    return Paragraph.lines(sentence).map(style.dim)
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
    var lines: [String] = []
    if !perCPU.isEmpty {
      lines += wrapped("  lost records: ", perCPU).map(style.bad)
    } else if result.gaps.total(.loss) == 0, !capture(result, isIn: .incomplete) {
      lines.append("  lost: nothing")
    }
    if loss.unknownAddressSpaces > 0 {
      let count = Numbers.plural(loss.unknownAddressSpaces, "mm")
      lines.append(style.bad("  \(count) unknown from the loss on, to the end"))
      lines.append("  before the first loss: \(Numbers.seconds(result.trustedNanoseconds))")
    }
    return lines
  }

  private func capture(_ result: ReplayResult, isIn reason: Trust.Reason) -> Bool {
    result.trust.reasons.contains(reason)
  }

  // — the answer

  private func proposals(_ result: ReplayResult) -> [String] {
    guard !result.subjects.isEmpty else { return [] }
    var lines = [""]
    let summaries = result.subjects.map { ProposalSummary($0, in: result) }
    let rows =
      [("ENCODING", "HERE", "WHY, AND WHAT IT COSTS HERE")]
      + summaries.map { ($0.encoding.id.rawValue, $0.word.text, $0.why) }
    let widths = (rows.map(\.0.count).max() ?? 0, rows.map(\.1.count).max() ?? 0)
    for (index, row) in rows.enumerated() {
      func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: width - text.count) }
      let start = "  " + padded(row.0, widths.0) + "  "
      let word = padded(row.1, widths.1)
      let room = String(repeating: " ", count: start.count + word.count + 2)
      let why = Paragraph.lines(row.2, indent: room, width: width)
      let first = String(why.first?.dropFirst(room.count) ?? "")
      guard index > 0 else {
        lines.append(style.bold(start + word + "  " + first))
        continue
      }
      lines.append(start + paint(summaries[index - 1].word, word) + "  " + first)
      lines += why.dropFirst()
    }
    for (obstacle, names) in UnobservableNames(result).rows {
      lines += Paragraph.lines(
        "not observable here: \(names.joined(separator: ", ")): \(obstacle.sentence)", width: width
      ).map(style.dim)
    }
    return lines
  }

  private func paint(_ word: ProposalSummary.Word, _ text: String) -> String {
    switch word {
    case .breaks: style.bad(text)
    case .mayBreak, .safeButSlower, .notShownUnsafe: style.warn(text)
    case .safe: style.good(text)
    }
  }

  // — call sites

  private func callSites(_ result: ReplayResult) -> [String] {
    guard detail != .brief, let sites = CallSites(result), !sites.rows.isEmpty else { return [] }
    var lines = [
      "", style.bold("CALL SITES FOR C") + ": where the entries of today's kernel do not say what today's flag says",
    ]
    for row in sites.rows {
      let name = row.site?.rawValue ?? "elsewhere"
      let source = row.site.map { " (\($0.description.source))" } ?? ""
      lines += Paragraph.lines(
        "\(name): \(CountText.entries(row.entries))\(source)", width: width)
      if let site = row.site { lines += Paragraph.lines(site.description.duty, indent: "    ", width: width) }
      let example = row.example
      lines.append(
        style.dim(
          "    first: \(example.verdict.rawValue) at \(example.transition.rawValue), seq \(example.firstSequence.rawValue), "
            + "mm\(example.mm.rawValue), addr \(example.page.address(pageShift: result.capture.pageShift))"))
    }
    return lines
  }

  // — the worst divergences

  private func divergences(_ result: ReplayResult) -> [String] {
    let worst = result.divergencesTold
    guard !worst.isEmpty else { return agreement(result) }
    let shown: Int
    switch detail {
    case .brief: shown = 0
    case .screen: shown = Swift.min(worst.count, 5)
    case .everything: shown = worst.count
    }
    var counts = CertaintyCounts()
    for divergence in worst { counts[divergence.certainty] += divergence.count }
    var title = "\(Numbers.plural(UInt64(worst.count), "signature")); \(CountText.entries(counts))"
    if shown > 0, shown < worst.count { title += "; the \(shown) worst (-v shows all)" }
    var lines = ["", style.bold("DIVERGENCES") + ": " + title]
    for (index, divergence) in worst.prefix(shown).enumerated() {
      lines += self.lines(divergence, number: index + 1, capture: result.capture)
    }
    return lines
  }

  /// Said only where it is known.
  private func agreement(_ result: ReplayResult) -> [String] {
    let checks = result.subjects.map(\.checks)
    guard result.trust.isTrusted, let fewest = checks.min(), fewest > 0 else { return [] }
    return [
      "",
      style.good(
        "No divergence in \(Numbers.plural(fewest, "entry", "entries")) judged: every encoding agreed with today's bit."
      ),
    ]
  }

  private func lines(_ found: Divergence, number: Int, capture: CaptureSummary) -> [String] {
    let verdict = style.verdict(found.verdict, found.verdict.rawValue)
    let where_ =
      "\(found.encoding.rawValue): \(found.rule.rawValue) at \(found.transition.rawValue), order \(found.order.rawValue)"
    let entries = Numbers.plural(found.count, "entry", "entries")
    let frame = found.frame.map { ", pfn \($0.rawValue)" } ?? ""
    var lines = ["", " \(number). \(verdict) \(where_); \(entries), \(found.certainty.rawValue)"]
    lines.append(
      "    first: seq \(found.firstSequence.rawValue), mm\(found.mm.rawValue), "
        + "addr \(found.page.address(pageShift: capture.pageShift))\(frame)")
    let limit = detail == .everything ? nil : 8
    lines += HistoryText(style: style, encoding: found.encoding, limit: limit, width: width).lines(found.history)
    lines.append(style.dim("    reproduce: " + Reproduction.command(capture: capture, divergence: found)))
    return lines
  }

  // — audits, and what is not known

  private func audits(_ result: ReplayResult) -> [String] {
    guard detail != .brief else { return [] }
    let isWhole = detail == .everything
    return AuditText(style: style, width: width, examples: isWhole ? .max : 3, historyLimit: isWhole ? nil : 16)
      .lines(result)
  }

  private func unknowns(_ result: ReplayResult) -> [String] {
    let possible = result.divergences.filter { $0.certainty == .possible && result.isAbout($0) }
      .reduce(0) { $0 + $1.count }
    var lines = GapText(style: style).lines(result.gaps)
    if possible > 0 {
      lines.append("  verdicts that hold only for some values: \(Numbers.plural(possible, "entry", "entries"))")
    }
    guard lines.isEmpty else {
      return ["", style.bold("NOT KNOWN") + ": what the model did not follow or could not explain"] + lines
    }
    return result.trust.isTrusted && result.events > 0
      ? ["", "Everything in the trace was followed and explained."] : []
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

extension [NamedCount] {
  var mostFirst: [NamedCount] { sorted { ($1.count, $0.name) < ($0.count, $1.name) } }
}
