// SPDX-License-Identifier: GPL-2.0-only

import Foundation

/// Finds and reads litmus files.
package enum LitmusLibrary {
  /// Every example of one file.
  package static func load(file: String) throws(LitmusError) -> [LitmusScenario] {
    let text: String
    do {
      text = try String(contentsOfFile: file, encoding: .utf8)
    } catch {
      throw LitmusError(file: file, line: 1, column: 1, reason: "cannot be read: \(error.localizedDescription)")
    }
    return try LitmusParser.parse(text, file: file)
  }

  /// Every example of every `.litmus` file of a directory, by name.
  package static func load(directory: String) throws(LitmusError) -> [LitmusScenario] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: directory)
    } catch {
      throw LitmusError(file: directory, line: 1, column: 1, reason: "cannot be listed: \(error.localizedDescription)")
    }
    var all: [LitmusScenario] = []
    for name in names.filter({ $0.hasSuffix(".litmus") }).sorted() { all += try load(file: directory + "/" + name) }
    guard !all.isEmpty else {
      throw LitmusError(file: directory, line: 1, column: 1, reason: "holds no .litmus file")
    }
    return all
  }

  /// Where the bundled examples are: `share/cowscope/litmus` beside the directory of the executable when installed,
  /// else `fixtures/litmus` in the nearest directory above the executable that has one (a build directory), else
  /// above the current directory. `nil` when there is none.
  package static func bundledDirectory(executable: String, currentDirectory: String) -> String? {
    let program = URL(fileURLWithPath: executable).resolvingSymlinksInPath().deletingLastPathComponent()
    let installed = program.deletingLastPathComponent().appendingPathComponent("share/cowscope/litmus")
    if isDirectory(installed.path) { return installed.path }
    return nearest(above: program) ?? nearest(above: URL(fileURLWithPath: currentDirectory))
  }

  private static func nearest(above start: URL) -> String? {
    var place = start.standardizedFileURL
    while true {
      let candidate = place.appendingPathComponent("fixtures/litmus")
      if isDirectory(candidate.path) { return candidate.path }
      if place.path == "/" { return nil }
      place = place.deletingLastPathComponent()
    }
  }

  package static func isDirectory(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
  }
}
