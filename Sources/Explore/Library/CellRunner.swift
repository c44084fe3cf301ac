// SPDX-License-Identifier: GPL-2.0-only

internal import Dispatch
internal import Synchronization

/// Searches cells on all CPUs; the results keep the order of the cells.
package enum CellRunner {
  package static func run(
    _ cells: [Cell], in library: InterleavingLibrary, _ options: SearchOptions,
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
    _ cell: Cell, in library: InterleavingLibrary, _ options: SearchOptions
  ) throws(ModelError) -> CellResult {
    guard let syntax = library.model(cell.row.model) else {
      throw cell.row.line.error("there is no model \(cell.row.model)")
    }
    let model = try ModelBuilder.build(syntax, cell.row, cell.variant)
    let exploration = try Search.run(model, options)
    return CellResult(cell: cell, exploration: exploration, expected: expected(of: cell, in: library))
  }

  private static func expected(of cell: Cell, in library: InterleavingLibrary) -> CellResult.Expected? {
    guard cell.variant.without.isEmpty else { return nil }
    if let row = cell.row.expected[cell.variant.memory], cell.rules.isEmpty { return .row(row) }
    return library.expectations.verdicts(of: cell.name).map { .verdicts($0) }
  }
}
