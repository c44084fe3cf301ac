// SPDX-License-Identifier: GPL-2.0-only

internal import FoundationEssentials

extension ExploreRun {
  private struct Line: Encodable {
    var id: String
    var geometry: String?
    var pages: Int?
    var encoding: String?
    var rules: [String]
    var memory: String
    var result: String
    var verdicts: [String]
    var costs: [String]
    var expected: String?
    var states: Int
    var complete: Bool
    /// Steps of the shortest schedule that breaks something.
    var length: Int?
    var schedule: [Step]?

    struct Step: Encodable {
      var actor: String
      var step: String?
      var what: String
      var changes: [String]
      var sees: [String]
    }
  }

  /// One object a line.
  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var text = ""
    for result in results { text += String(decoding: try encoder.encode(line(of: result)), as: UTF8.self) + "\n" }
    return text
  }

  private func line(of result: CellResult) -> Line {
    let coordinates = Dictionary(uniqueKeysWithValues: result.cell.coordinates.map { ($0.label, $0.value) })
    let schedule = result.violations.first?.schedule
    return Line(
      id: result.cell.row.id, geometry: coordinates["geometry"], pages: coordinates["pages"].flatMap { Int($0) },
      encoding: result.cell.variant.encoding, rules: result.cell.rules, memory: result.cell.variant.memory.rawValue,
      result: result.result.rawValue, verdicts: result.verdicts, costs: result.costs,
      expected: result.expected == nil ? nil : result.expectation, states: result.exploration.states,
      complete: result.exploration.isComplete, length: schedule?.lines.count,
      schedule: schedule?.lines.map {
        Line.Step(actor: $0.actor, step: $0.step, what: $0.what, changes: $0.changes, sees: $0.sees)
      })
  }
}
