// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// A merged result on one screen: which captures, the encodings side by side, the worst signatures with an exemplar each.
package struct MergedText {
  private let style: Style
  private let detail: TextReport.Detail

  package init(style: Style, detail: TextReport.Detail = .screen) { (self.style, self.detail) = (style, detail) }

  /// The report, ending in a newline.
  package func render(_ result: MergedResult, name: String) -> String {
    let lines =
      header(result, name) + proposals(result) + table(result) + divergences(result) + audits(result) + unknowns(result)
      + verification(result)
    return style.printed(lines)
  }

  // — which captures

  private func header(_ result: MergedResult, _ name: String) -> [String] {
    let header = result.header
    var lines = [style.bold("cowscope: \(name)")]
    lines += Paragraph.lines(header.trust.sentence, indent: "").map(result.isTrusted ? style.good : style.bad)
    let kernels = header.kernels.sorted { $0.key < $1.key }.map { "\($0.key) (\(Numbers.grouped($0.value)))" }
    lines += Paragraph.lines(
      "\(Numbers.plural(header.captures, "capture")) of \(Numbers.plural(header.hosts, "host")); kernels: "
        + kernels.joined(separator: ", "))
    if header.tools.count > 1 {
      let tools = header.tools.keys.sorted().joined(separator: ", ")
      lines += Paragraph.lines("made by \(header.tools.count) versions, whose counts may differ: \(tools)").map(
        style.warn)
    }
    for (label, counts) in [("all", header.denominators), ("trusted", header.trustedDenominators)] {
      lines += Paragraph.lines("\(label): " + words(counts, of: label == "all" ? header.captures : header.trusted))
    }
    if !result.notMerged.isEmpty {
      let kinds = result.notMerged.keys.sorted().joined(separator: ", ")
      lines += Paragraph.lines("not merged, see the captures' own results: \(kinds)").map(style.dim)
    }
    return lines
  }

  private func words(_ counts: MergedLine.Denominators, of captures: UInt64) -> String {
    func shown(_ shown: MergedLine.Shown, _ name: String) -> String {
      let rest = shown.captures == captures ? "" : " (shown by \(Numbers.plural(shown.captures, "capture")))"
      return Numbers.plural(shown.count, name) + rest
    }
    return [
      Numbers.seconds(counts.trustedNanoseconds), Numbers.plural(counts.events, "event"),
      Numbers.plural(counts.entries, "entry", "entries") + " judged", shown(counts.forks, "fork"),
      shown(counts.faults, "fault"),
    ].joined(separator: ", ")
  }

  // — the answer

  private func proposals(_ result: MergedResult) -> [String] {
    let subjects = result.encodingsInOrder.filter { $0.isProposal }
    guard !subjects.isEmpty else { return ["", "No encoding was replayed."] }
    var table = [(name: "ENCODING", word: "HERE", why: "WHY")]
    table += subjects.map { encoding in
      let word = MergedWord(encoding, in: result)
      return (encoding.id, word.text, word.why)
    }
    let widths = (table.map(\.name.count).max() ?? 0, table.map(\.word.count).max() ?? 0)
    var lines = [""]
    for (index, row) in table.enumerated() {
      func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: width - text.count) }
      let start = "  " + padded(row.name, widths.0) + "  " + padded(row.word, widths.1) + "  "
      let room = String(repeating: " ", count: start.count)
      let why = Paragraph.lines(row.why, indent: room, width: 100)
      lines.append((index == 0 ? style.bold : { $0 })(start + String(why.first?.dropFirst(room.count) ?? "")))
      lines += why.dropFirst()
    }
    return lines
  }

  private func table(_ result: MergedResult) -> [String] {
    let columns = result.encodingsInOrder.filter { $0.id == EncodingID.baseline.rawValue || $0.isProposal }
    guard !columns.isEmpty else { return [] }
    var table = TextTable()
    table.add([""] + columns.map { $0.id == EncodingID.baseline.rawValue ? "today" : $0.id }, paint: style.bold)
    table.add(["captures"] + columns.map { Numbers.count($0.captures) })
    table.add(["entries judged"] + columns.map { Numbers.count($0.checks) })
    for verdict in Verdict.allCases.sorted() where verdict != .ok {
      let counts = columns.map { $0.verdicts[verdict.rawValue] }
      for (name, count) in [
        (verdict.rawValue, { (counts: MergedLine.Verdict) in counts.definite }),
        ("\(verdict.rawValue), possible", \.possible),
      ] where counts.contains(where: { $0.map(count) ?? 0 > 0 }) {
        table.add([name] + zip(columns, counts).map { cell($1.map(count), $1?.captures, of: $0) })
      }
    }
    for name in Set(columns.flatMap(\.costs.keys)).sorted() {
      let costs = columns.map { $0.costs[name] }
      guard costs.contains(where: { $0?.high ?? 0 > 0 }) else { continue }
      table.add([name] + zip(columns, costs).map { cost($1, of: $0) })
    }
    return [""] + table.lines(indentedBy: 2) + unobserved(columns)
  }

  private func cell(_ count: UInt64?, _ seenIn: UInt64?, of encoding: MergedLine.Encoding) -> String {
    guard let count, let seenIn else { return "-" }
    return count == 0 && seenIn == 0 ? "n/o" : Numbers.count(count)
  }

  private func cost(_ cost: MergedLine.Cost?, of encoding: MergedLine.Encoding) -> String {
    guard let cost else { return "-" }
    guard cost.captures > 0 else { return "n/o" }
    return cost.low == cost.high ? Numbers.count(cost.low) : "\(Numbers.count(cost.low))..\(Numbers.count(cost.high))"
  }

  /// What some captures cannot show: no number above speaks of them.
  private func unobserved(_ columns: [MergedLine.Encoding]) -> [String] {
    var rows: [String] = []
    for encoding in columns {
      let names = encoding.verdicts.filter { $0.value.captures < encoding.captures }.sorted { $0.key < $1.key }
      guard !names.isEmpty else { continue }
      let parts = names.map { "\($0.key) in \(Numbers.grouped(encoding.captures - $0.value.captures))" }
      rows.append("\(encoding.id): " + parts.joined(separator: ", "))
    }
    guard !rows.isEmpty else { return [] }
    return ["  not observable, by number of captures:"] + rows.flatMap { Paragraph.lines($0, indent: "    ") }
  }

  // — what was found

  private func divergences(_ result: MergedResult) -> [String] {
    let worst = result.divergences.filter { EncodingID($0.value.encoding).role == .proposal }.sorted { $0.key < $1.key }
    guard !worst.isEmpty else {
      return result.isTrusted ? ["", style.good("No divergence in any of the captures, in what they could show.")] : []
    }
    let shown = detail == .brief ? 0 : detail == .screen ? min(worst.count, 5) : worst.count
    var lines = [
      "", style.bold("DIVERGENCES") + ": \(Numbers.plural(UInt64(worst.count), "signature")), the worst first",
    ]
    for (signature, found) in worst.prefix(shown) {
      let exemplar = found.exemplar
      let told =
        "\(signature.text); \(Numbers.plural(found.count, "entry", "entries")) in "
        + Numbers.plural(found.captures, "capture")
      lines += ["", "  " + style.verdict(signature.verdict, told)]
      lines.append("    one, chosen by hash: host \(exemplar.host), capture \(exemplar.capture.prefix(16))")
      let history = HistoryText(
        style: style, encoding: signature.encoding, limit: detail == .everything ? nil : 8, width: 100)
      lines += history.lines(exemplar.history.map(HistoryEntry.init))
      lines.append(style.dim("    reproduce: " + Self.command(exemplar)))
    }
    return lines
  }

  static func command(_ exemplar: MergedLine.Exemplar) -> String {
    "cowscope replay \(ShellWord.quoted(exemplar.name)) --until \(exemplar.sequence)"
      + (exemplar.frame.map { " --pfn \($0)" } ?? "")
  }

  private func audits(_ result: MergedResult) -> [String] {
    guard detail != .brief else { return [] }
    var lines: [String] = []
    for (name, audit) in result.audits.sorted(by: { $0.key < $1.key }) {
      let figures = audit.figures.filter { $0.value.count > 0 }.sorted { $0.key < $1.key }.map { figure in
        let rest = figure.value.captures < audit.captures ? " (shown by \(Numbers.grouped(figure.value.captures)))" : ""
        return "\(figure.key) \(Numbers.grouped(figure.value.count))\(rest)"
      }
      guard !figures.isEmpty else { continue }
      lines += Paragraph.lines("\(name): " + figures.joined(separator: ", "))
    }
    return lines.isEmpty ? [] : ["", style.bold("AUDITS") + ": `cowscope explain NAME`"] + lines
  }

  private func unknowns(_ result: MergedResult) -> [String] {
    let lines = GapText(style: style).lines(result.gapCounts)
    let loss = result.loss
    var lost: [String] = []
    if loss.captures > 0 {
      let rest =
        loss.uncounted > 0 ? ", and a number that the kernel did not give in \(Numbers.grouped(loss.uncounted))" : ""
      lost = ["  lost records: \(Numbers.grouped(loss.records)) in \(Numbers.plural(loss.captures, "capture"))\(rest)"]
    }
    guard !lines.isEmpty || !lost.isEmpty else { return [] }
    return ["", style.bold("NOT KNOWN") + ": what the model did not follow or could not explain"] + lost.map(style.bad)
      + lines
  }

  private func verification(_ result: MergedResult) -> [String] {
    let found = result.verification
    var table = TextTable()
    table.add(["", "checked", "agree", "disagree", "unknown"], paint: style.dim)
    for (name, tally) in [
      ("decisions", found.decisions), ("entries", found.entries), ("pages", found.pages), ("tables", found.tables),
      ("scans", found.scans),
    ] {
      let checked = saturatingSum(saturatingSum(tally.agree, tally.disagree), tally.unknown)
      table.add([name] + [checked, tally.agree, tally.disagree, tally.unknown].map(Numbers.count))
    }
    var lines = ["", style.bold("VERIFY") + ": model and kernel, in all captures"] + table.lines(indentedBy: 2)
    if let disagreement = found.disagreement {
      lines.append(
        style.bad(
          "  one disagreement, chosen by hash: \(disagreement.evidence), \(disagreement.cause): model "
            + "\(disagreement.expected); kernel: \(disagreement.observed)"))
      lines.append(
        style.dim("    reproduce, host \(disagreement.exemplar.host): " + Self.command(disagreement.exemplar)))
    }
    return lines
  }
}

extension MergedLine.Encoding {
  var isProposal: Bool { EncodingID(id).role == .proposal }
}
