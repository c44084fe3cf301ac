// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// The encodings side by side: what was judged, the verdicts, the costs.
struct EncodingTable {
  let style: Style

  func lines(_ result: ReplayResult) -> [String] {
    let columns = result.encodings.filter { $0.id == .baseline } + result.subjects.filter { $0.id != .baseline }
    guard !columns.isEmpty else { return ["", "No encoding was replayed."] }
    var table = TextTable()
    table.add([""] + columns.map { $0.id == .baseline ? "today" : $0.id.rawValue }, paint: style.bold)
    table.add(["entries judged"] + columns.map { $0.id == .baseline ? "" : Numbers.count($0.checks) })
    for verdict in Verdict.allCases.sorted() where verdict != .ok {
      for certainty in Certainty.allCases {
        let counts = columns.map { $0.verdicts[verdict]?[certainty] ?? 0 }
        guard counts.contains(where: { $0 > 0 }) else { continue }
        table.add(
          [TextTable.Cell(text: certainty == .definite ? verdict.rawValue : "\(verdict.rawValue), possible")]
            + zip(columns, counts).map { cell(verdict, $1, of: $0, result.capture) })
      }
    }
    for name in CostCatalogue.names(in: result) {
      let cells = columns.map { cost(name, of: $0, result.capture) }
      guard cells.contains(where: { $0 != "0" && $0 != "n/o" && $0 != "-" }) else { continue }
      table.add([name] + cells)
    }
    return [""] + table.lines(indentedBy: 2) + never(result)
  }

  private func cell(
    _ verdict: Verdict, _ count: UInt64, of encoding: EncodingResult, _ capture: CaptureSummary
  ) -> TextTable.Cell {
    if count > 0 { return TextTable.Cell(text: Numbers.count(count)) { style.verdict(verdict, $0) } }
    if encoding.id == .baseline { return TextTable.Cell(text: "") }
    switch encoding.observation(of: verdict, in: capture) {
    case .evaluated, .bounded: return TextTable.Cell(text: "0", paint: style.dim)
    case .notObservable: return TextTable.Cell(text: "n/o", paint: style.dim)
    case nil: return TextTable.Cell(text: "-", paint: style.dim)
    }
  }

  private func cost(_ name: String, of encoding: EncodingResult, _ capture: CaptureSummary) -> String {
    switch encoding.observation(ofCost: name, in: capture) {
    case .evaluated(let count): Numbers.count(count)
    case .bounded(let low, let high): "\(Numbers.count(low))..\(Numbers.count(high))"
    case .notObservable: "n/o"
    case nil: "-"
    }
  }

  /// Verdicts that no encoding came to hold although each could have been seen to.
  private func never(_ result: ReplayResult) -> [String] {
    guard let fewest = result.subjects.map(\.checks).min(), fewest > 0 else { return [] }
    let never = Verdict.allCases.filter { verdict in
      let observations = result.subjects.compactMap { $0.observation(of: verdict, in: result.capture) }
      return verdict != .ok && !observations.isEmpty && observations.allSatisfy { $0 == .evaluated(CertaintyCounts()) }
    }
    guard !never.isEmpty else { return [] }
    let names = never.map(\.rawValue).joined(separator: ", ")
    return Paragraph.lines("never in \(Numbers.plural(fewest, "entry", "entries")): \(names)").map(style.dim)
  }
}
