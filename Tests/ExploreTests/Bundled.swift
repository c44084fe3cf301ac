// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Testing

@testable import Explore

/// The files of fixtures/interleavings.
enum Bundled {
  static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../fixtures/interleavings").standardizedFileURL.path

  static func library() throws -> InterleavingLibrary {
    var library = InterleavingLibrary()
    try library.add(directory: directory)
    return library
  }

  /// Results of the cells of one row.
  static func results(
    _ id: String, _ selection: CellSelection = CellSelection(), reductions: Bool = true
  ) throws -> [CellResult] {
    let library = try library()
    let row = try #require(library.rows.first { $0.id == id })
    var options = SearchOptions()
    options.reductions = reductions
    return try CellRunner.run(try selection.cells(of: row, in: library), in: library, options)
  }
}

/// A model and a row in one text, for tests of the language.
enum Small {
  static func result(
    _ text: String, memory: MemoryModel = .sc, without: [String] = [], _ options: SearchOptions = SearchOptions()
  ) throws -> CellResult {
    var library = InterleavingLibrary()
    try library.add(text: text, file: "small.model")
    let row = try #require(library.rows.first)
    let cell = ExploreCell(row: row, variant: Variant(memory: memory, without: without), coordinates: [], rules: [])
    return try CellRunner.run(cell, in: library, options)
  }
}
