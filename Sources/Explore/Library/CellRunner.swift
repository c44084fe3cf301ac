// SPDX-License-Identifier: GPL-2.0-only

internal import Dispatch
internal import Synchronization

/// Searches cells on all CPUs; the results keep the order of the cells.
package enum CellRunner {
  package static func run(
    _ cells: [ExploreCell], in library: InterleavingLibrary, _ options: SearchOptions,
    eachDone: (@Sendable (Int) -> Void)? = nil
  ) throws(ModelError) -> [CellResult] {
    let results = Mutex([Result<CellResult, ModelError>?](repeating: nil, count: cells.count))
    DispatchQueue.concurrentPerform(iterations: cells.count) { index in
      let result = Result<CellResult, ModelError> { () throws(ModelError) in
        try run(cells[index], in: library, options)
      }
      let done = results.withLock { results in
        results[index] = result
        return results.count { $0 != nil }
      }
      eachDone?(done)
    }
    var all: [CellResult] = []
    for result in results.withLock({ $0 }) {
      if let result { all.append(try result.get()) }
    }
    return all
  }

  package static func run(
    _ cell: ExploreCell, in library: InterleavingLibrary, _ options: SearchOptions
  ) throws(ModelError) -> CellResult {
    guard let syntax = library.model(cell.row.model) else {
      throw cell.row.line.error("there is no model \(cell.row.model)")
    }
    let exploration =
      if let instead = cell.row.instead {
        try compare(cell, with: instead, syntax, options)
      } else {
        try Search.run(try ModelBuilder.build(syntax, cell.row, cell.variant), options)
      }
    return CellResult(cell: cell, exploration: exploration, expected: expected(of: cell, in: library))
  }

  /// Ends of either that the other does not have; broken rules are differences where only one breaks them.
  private static func compare(
    _ cell: ExploreCell, with instead: RowSyntax.ActorUse, _ syntax: ModelSyntax, _ options: SearchOptions
  ) throws(ModelError) -> Exploration {
    var other = cell.row
    other.actors[0] = instead
    other.without = []
    let models = [
      try ModelBuilder.build(syntax, cell.row, cell.variant), try ModelBuilder.build(syntax, other, cell.variant),
    ]
    var options = options
    options.collectsEnds = true
    let ends = try models.map { model throws(ModelError) in try Search.run(model, options).ends }
    options.knownEnds = ends[1]
    var result = try Search.run(models[0], options)
    options.knownEnds = ends[0]
    let reverse = try Search.run(models[1], options)
    result.states += reverse.states
    result.transitions += reverse.transitions
    result.isComplete = result.isComplete && reverse.isComplete
    result.findings += reverse.findings.filter { $0.verdict == RowSyntax.differs }
    return result
  }

  private static func expected(of cell: ExploreCell, in library: InterleavingLibrary) -> CellResult.Expected? {
    guard cell.variant.without.isEmpty else { return nil }
    if let row = cell.row.expected[cell.variant.memory], cell.rules.isEmpty { return .row(row) }
    return library.expectations.verdicts(of: cell.name).map { .verdicts($0) }
  }
}
