// SPDX-License-Identifier: GPL-2.0-only

/// What the verb `explore` was asked for, and what it found.
package struct ExploreRun: Sendable {
  /// How sure the answer is, for the exit status.
  package enum Conclusion: Sendable {
    case asExpected
    /// Something is broken that is not known to be, or holds that is known to be broken.
    case unexpected
    /// The limit was hit before anything was found.
    case inconclusive
  }

  package var results: [CellResult]

  package init(results: [CellResult]) { self.results = results }

  /// Files are read in addition to the bundled ones, and their rows run; anything else names rows.
  package static func cells(
    _ arguments: [String], _ selection: CellSelection, _ library: inout InterleavingLibrary
  ) throws(ModelError) -> [ExploreCell] {
    var rows: [RowSyntax] = []
    for argument in arguments {
      let isFile = [".model", ".rows", ".expected"].contains { argument.hasSuffix($0) }
      let known = library.rows.count
      if isFile || argument.contains("/") {
        try library.add(file: argument)
        rows += library.rows[known...]
      } else {
        let named = library.rows(named: argument)
        guard !named.isEmpty else { throw ModelError(file: argument, line: 1, reason: "is no row and no file") }
        rows += named
      }
    }
    if arguments.isEmpty { rows = library.rows }
    var cells: [ExploreCell] = []
    for row in rows { cells += try selection.cells(of: row, in: library) }
    return cells
  }

  package var conclusion: Conclusion {
    if results.contains(where: { !$0.isGood }) { return .unexpected }
    return results.contains { $0.result == .limit } ? .inconclusive : .asExpected
  }
}

extension CellResult {
  /// As expected; without an expectation, nothing is broken.
  package var isGood: Bool {
    if result == .limit { return true }
    return isAsExpected ?? (result == .holds)
  }
}
