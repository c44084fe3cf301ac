// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
import Replay
import Report

/// A result by the name of its capture: read from `X/result.ndjson` when that is newer than the trace, from `X` when
/// it is such a file itself, replayed otherwise.
struct StoredResult {
  let path: String
  let verbosity: Verbosity

  static let fileName = "result.ndjson"

  func load() throws -> ReplayResult {
    if path.hasSuffix(".ndjson") { return try read(path) }
    let stored = path + "/" + StoredResult.fileName
    if isCurrent(stored) {
      verbosity.detail("reading \(stored)")
      return try read(stored)
    }
    verbosity.detail("\(path): no stored result that is newer than the trace; replaying")
    return try Analysis(path: path, verbosity: verbosity).replay(Analysis.Options())
  }

  /// Leaves the result beside the trace. A capture that is not ours to write to keeps none, which is worth a word
  /// but no failure: the report itself is out.
  func store(_ lines: [UInt8]) {
    guard isDirectory(path) else { return }
    let file = path + "/" + StoredResult.fileName
    do {
      try Data(lines).write(to: URL(filePath: file), options: .atomic)
      verbosity.detail("result in \(file)")
    } catch {
      verbosity.warn("\(file) cannot be written; `report` will replay again")
    }
  }

  private func read(_ file: String) throws(CommandError) -> ReplayResult {
    let bytes: Data
    do {
      bytes = try Data(contentsOf: URL(filePath: file))
    } catch {
      throw CommandError(path: file, reason: "cannot be read")
    }
    do {
      return try ResultReader.read(Array(bytes))
    } catch {
      throw CommandError(path: file, reason: error.description)
    }
  }

  private func isCurrent(_ stored: String) -> Bool {
    guard let result = modified(stored) else { return false }
    guard let trace = modified(path + "/trace.dat") else { return true }
    return result >= trace
  }

  private func modified(_ file: String) -> Date? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: file)  // A missing file has no date.
    return attributes?[.modificationDate] as? Date
  }

  private func isDirectory(_ path: String) -> Bool {
    var isDirectory: Bool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
  }
}
