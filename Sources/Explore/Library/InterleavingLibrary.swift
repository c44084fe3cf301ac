// SPDX-License-Identifier: GPL-2.0-only

internal import SourceText

/// Models and rows from files.
package struct InterleavingLibrary: Sendable {
  private var contents = ModelParser.Library()
  /// What cells without a result of their own in a row are known to give.
  package private(set) var expectations = CellExpectations()

  package init() {}

  package var rows: [RowSyntax] { contents.rows }
  package func model(_ name: String) -> ModelSyntax? { contents.models[name] }

  /// The rows with this id; a name without a suffix finds its variants too (`K-08` and `K-08-r`, not `K-08a`), letters
  /// alone all that start so (`K`).
  package func rows(named id: String) -> [RowSyntax] {
    let isGroup = id.allSatisfy { $0.isLetter }
    return contents.rows.filter { row in
      row.id == id || row.id.hasPrefix(id + "-") || (isGroup && row.id.prefix { $0.isLetter } == id)
    }
  }

  package mutating func add(text: String, file: String) throws(ModelError) {
    if file.hasSuffix(".expected") {
      try expectations.add(text: text, file: file)
    } else {
      try ModelParser.parse(text, file: file, into: &contents)
    }
  }

  package mutating func add(file: String) throws(ModelError) {
    let text: String
    do {
      text = try SourceFile.read(file)
    } catch {
      throw ModelError(file: file, line: 1, reason: error.reason)
    }
    try add(text: text, file: file)
  }

  /// Models, then rows, then expectations, by name.
  package mutating func add(directory: String) throws(ModelError) {
    let names: [String]
    do {
      names = try SourceFile.names(in: directory)
    } catch {
      throw ModelError(file: directory, line: 1, reason: error.reason)
    }
    for suffix in [".model", ".rows", ".expected"] {
      for name in names where name.hasSuffix(suffix) { try add(file: directory + "/" + name) }
    }
    guard !contents.models.isEmpty else {
      throw ModelError(file: directory, line: 1, reason: "holds no .model file")
    }
  }
}
