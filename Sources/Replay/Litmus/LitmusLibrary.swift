// SPDX-License-Identifier: GPL-2.0-only

internal import SourceText

/// Finds and reads litmus files.
package enum LitmusLibrary {
  /// Every example of one file.
  package static func load(file: String) throws(LitmusError) -> [LitmusScenario] {
    let text: String
    do {
      text = try SourceFile.read(file)
    } catch {
      throw LitmusError(file: file, line: 1, column: 1, reason: error.reason)
    }
    return try LitmusParser.parse(text, file: file)
  }

  /// Every example of every `.litmus` file of a directory, by name.
  package static func load(directory: String) throws(LitmusError) -> [LitmusScenario] {
    let names: [String]
    do {
      names = try SourceFile.names(in: directory)
    } catch {
      throw LitmusError(file: directory, line: 1, column: 1, reason: error.reason)
    }
    var all: [LitmusScenario] = []
    for name in names where name.hasSuffix(".litmus") { all += try load(file: directory + "/" + name) }
    guard !all.isEmpty else {
      throw LitmusError(file: directory, line: 1, column: 1, reason: "holds no .litmus file")
    }
    return all
  }
}
