// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// Two results beside each other.
extension HTMLReport {
  func comparison(_ old: ReplayResult, _ new: ReplayResult) -> String {
    let names = [old.capture.name, new.capture.name]
    return [
      old.capture.records == new.capture.records
        ? "" : "<p>The captures differ in length: compare counts with care.</p>",
      Markup.table("Each proposal in a word", css: "words", head: ["encoding"] + names, rows: words(old, new)),
      changes(old, new),
      Markup.table("Figures of the audits that are not 0 in both", head: ["figure"] + names, rows: figures(old, new)),
    ].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private func words(_ old: ReplayResult, _ new: ReplayResult) -> [String] {
    let ids = old.subjects.map(\.id) + new.subjects.map(\.id).filter { id in !old.subjects.contains { $0.id == id } }
    return ids.map { id in
      Markup.row(
        id.rawValue,
        [old, new].map { result in
          guard let encoding = result.subjects.first(where: { $0.id == id }) else {
            return Markup.cell("not replayed", "zero")
          }
          let summary = ProposalSummary(encoding, in: result)
          return "<td><span class=\"\(rating(summary.word))\">\(Markup.escaped(summary.word.text))</span>: "
            + "\(Markup.escaped(summary.why))</td>"
        })
    }
  }

  private func changes(_ old: ReplayResult, _ new: ReplayResult) -> String {
    // What the page is about: an instrument has no say unless it was named.
    var (before, after) = (old, new)
    before.divergences.removeAll { !old.isAbout($0) }
    after.divergences.removeAll { !new.isAbout($0) }
    let diff = ResultDiff(old: before, new: after)
    let unchanged = "\(Numbers.plural(UInt64(diff.unchanged), "signature")) unchanged"
    guard !diff.rows.isEmpty else { return "<p>Divergences: \(unchanged).</p>" }
    let rows = diff.rows.map { row in
      Markup.row(
        row.change.rawValue,
        [
          Markup.cell(row.signature.text, rating(row.signature.verdict)), Markup.cell(Numbers.grouped(row.old)),
          Markup.cell(Numbers.grouped(row.new)),
        ])
    }
    return Markup.table(
      "Divergences by signature; \(unchanged)", css: "words", head: ["change", "signature", "before", "after"],
      rows: rows)
  }

  private func figures(_ old: ReplayResult, _ new: ReplayResult) -> [String] {
    AuditRegistry.all.flatMap { audit -> [String] in
      let description = audit.description
      let both = [old, new].map { result in result.audits.first { $0.name == description.name } }
      return description.figures.compactMap { figure in
        guard both.contains(where: { $0?[figure.name] ?? 0 > 0 }) else { return nil }
        return Markup.row(
          "\(description.name): \(figure.words)",
          both.map { result in
            guard let result, !result.notObservable.contains(figure.name) else { return Markup.cell("n/o", "zero") }
            return Markup.cell(Numbers.grouped(result[figure.name]))
          })
      }
    }
  }
}
