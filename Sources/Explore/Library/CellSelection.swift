// SPDX-License-Identifier: GPL-2.0-only

/// Which cells are to be searched.
package struct CellSelection: Sendable {
  package var memories: [MemoryModel] = [.sc]
  /// `nil`: those the row names, else all of the model.
  package var encodings: [String]?
  package var without: [String] = []
  /// Options to switch on.
  package var rules: [String] = []
  /// Values of what models vary, by label; what is not named takes every value.
  package var coordinates: [String: String] = [:]

  package init() {}

  package func cells(of row: RowSyntax, in library: InterleavingLibrary) throws(ModelError) -> [ExploreCell] {
    guard let model = library.model(row.model) else { throw row.line.error("there is no model \(row.model)") }
    var cells = [ExploreCell(row: row, variant: Variant(without: without), coordinates: [], rules: [])]
    for constant in model.constants {
      guard case .varied(let label, let values) = constant.role else { continue }
      if row.settings.contains(where: { $0.name == constant.name }) { continue }
      cells = cells.flatMap { cell in
        values.filter { coordinates[label] == nil || coordinates[label] == $0.name }.map { value in
          var cell = cell
          cell.variant.constants[constant.name] = value.value
          cell.coordinates.append((label, value.name))
          return cell
        }
      }
    }
    cells = try withEncodings(cells, row, model)
    // Without an actor that may leave program order all memory models are one.
    let isRelaxed = row.actors.contains { model.actors[$0.actor]?.isRelaxed == true }
    let searched = isRelaxed || !memories.contains(.sc) ? memories : [.sc]
    return cells.flatMap { cell in
      searched.filter { row.expected.isEmpty || row.expected[$0] != nil }.map { memory in
        var cell = cell
        cell.variant.memory = memory
        return cell
      }
    }
  }

  private func withEncodings(
    _ cells: [ExploreCell], _ row: RowSyntax, _ model: ModelSyntax
  ) throws(ModelError) -> [ExploreCell] {
    let options = model.constants.compactMap { constant -> String? in
      if case .option = constant.role { constant.name } else { nil }
    }
    for rule in rules where !options.contains(rule) {
      throw model.line.error("model \(model.name) has no option \(rule)")
    }
    let own = row.encodings ?? model.encodings.filter { !$0.isAbstract }.map(\.name)
    let chosen = encodings.map { wanted in own.filter { wanted.contains($0) } } ?? own
    guard !own.isEmpty else { return cells }
    return cells.flatMap { cell in
      chosen.map { encoding in
        var cell = cell
        cell.variant.encoding = encoding
        // An option is a rule of the encodings that look at it; to the others it changes nothing.
        cell.rules = rules.filter { model.encodes($0, in: encoding) }
        for rule in cell.rules { cell.variant.constants[rule] = 1 }
        return cell
      }
    }
  }
}
