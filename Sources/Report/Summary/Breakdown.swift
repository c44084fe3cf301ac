// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
package import Replay

/// What a result found, row by row of one thing: who, on folios of which order, at which place in the kernel.
package struct Breakdown: Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case process, order, site
  }

  struct Cell: Sendable {
    var text: String
    /// What rows are sorted by, the greatest first.
    var value: UInt64
  }

  struct Row: Sendable {
    var name: String
    var cells: [Cell]
  }

  package let kind: Kind
  let columns: [String]
  private(set) var rows: [Row]

  package init(_ kind: Kind, of result: ReplayResult) {
    self.kind = kind
    switch kind {
    case .process:
      columns = ["mm", "forks", "copied", "kept", "forked from"]
      rows = Breakdown.processes(result)
    case .order:
      columns = result.subjects.map(\.id.rawValue)
      rows = Breakdown.divergences(result) { "order \($0.order.rawValue)" }
    case .site:
      columns = result.subjects.map(\.id.rawValue)
      rows = Breakdown.divergences(result) { $0.transition.rawValue }
    }
  }

  /// By a column, the greatest first; rows that are equal there stay as they stood. `false`: no such column.
  package mutating func sort(by column: String) -> Bool {
    guard let index = columns.firstIndex(where: { $0.lowercased() == column.lowercased() }) else { return false }
    rows = rows.enumerated().sorted { a, b in
      (a.element.cells[index].value, b.offset) > (b.element.cells[index].value, a.offset)
    }.map(\.element)
    return true
  }

  /// The names that `sort` takes.
  package var names: String { columns.joined(separator: ", ") }

  private static func processes(_ result: ReplayResult) -> [Row] {
    let titles = Dictionary(result.processes.map { ($0.mm, $0.title) }) { first, _ in first }
    return result.processes.filter { $0.copies > 0 || $0.reuses > 0 || $0.forks > 0 }.map { process in
      func number(_ value: UInt64) -> Cell { Cell(text: Numbers.grouped(value), value: value) }
      let parent = process.parent.map { titles[$0] ?? "mm\($0.rawValue)" } ?? ""
      return Row(
        name: process.title,
        cells: [
          Cell(text: "mm\(process.mm.rawValue)", value: UInt64(process.mm.rawValue)), number(process.forks),
          number(process.copies), number(process.reuses),
          Cell(text: parent, value: process.parent.map { UInt64($0.rawValue) + 1 } ?? 0),
        ])
    }
  }

  /// Entries that came to hold a verdict, for certain and possibly, apart; the worst first.
  private static func divergences(_ result: ReplayResult, _ name: (Divergence) -> String) -> [Row] {
    var names: [String] = []
    var counts: [String: [EncodingID: CertaintyCounts]] = [:]
    for divergence in result.divergencesTold where divergence.verdict != .lost && divergence.verdict != .better {
      let name = name(divergence)
      if counts[name] == nil { names.append(name) }
      counts[name, default: [:]][divergence.encoding, default: CertaintyCounts()][divergence.certainty] +=
        divergence.count
    }
    return names.map { name in
      Row(
        name: name,
        cells: result.subjects.map { encoding in
          let found = counts[name]?[encoding.id] ?? CertaintyCounts()
          let possible = found.possible > 0 ? " (\(Numbers.grouped(found.possible)) possible)" : ""
          return Cell(text: Numbers.grouped(found.definite) + possible, value: found.definite)
        })
    }
  }
}
