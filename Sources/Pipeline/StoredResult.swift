// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
import Glibc
package import Replay
import Report
import TraceFile

/// A result by the name of its capture: read from `X/result.ndjson` when its seal holds, from `X` when it is such a file
/// itself, replayed otherwise.
package struct StoredResult {
  let path: String
  let tool: String
  let notices: Notices

  /// - Parameter tool: The name and version of the program, which its results are sealed with.
  package init(path: String, tool: String, notices: Notices = Notices()) {
    (self.path, self.tool, self.notices) = (path, tool, notices)
  }

  package static let fileName = "result.ndjson"

  package func load() throws -> ReplayResult {
    // Who names the file wants what is in it, whoever wrote it.
    if path.hasSuffix(".ndjson") { return try read(path) }
    if let stored = try sealed() { return stored }
    return try Analysis(path: path, notices: notices).replay()
  }

  /// What this program found in this very capture before, and nothing else.
  package func found() -> ReplayResult? {
    do {
      return try sealed()
    } catch {
      return nil  // As good as none: it is replayed.
    }
  }

  /// What this program found in this very capture before, for this user.
  private func sealed() throws -> ReplayResult? {
    let file = path + "/" + StoredResult.fileName
    // No file, or none that `store` can have left: as good as none.
    guard TraceFile.isDirectory(path), isPlausible(file), let bytes = try? Data(contentsOf: URL(filePath: file)) else {
      return nil
    }
    let (result, seal) = ResultSeal.split(Array(bytes))
    guard let seal, seal == ResultSeal(of: result, by: tool, capture: path, key: UserKey.load()) else {
      notices.detail("\(file): not what this program found in this capture; replaying")
      return nil
    }
    notices.detail("reading \(file)")
    return try parse(Array(result), file)
  }

  /// Leaves the result beside the trace. A capture that is not ours to write to keeps none, which is worth a word
  /// but no failure: the report itself is out.
  package func store(_ lines: [UInt8]) {
    guard TraceFile.isDirectory(path) else { return }
    let file = path + "/" + StoredResult.fileName
    let seal = ResultSeal(of: lines, by: tool, capture: path, key: UserKey.load())
    do {
      try OutputFile.replace(file, with: seal?.appended(to: lines) ?? lines)
      notices.detail("result in \(file)")
    } catch {
      notices.warn("\(error.description); `report` will replay again")
    }
  }

  private func read(_ file: String) throws(AnalysisError) -> ReplayResult {
    let bytes: Data
    do {
      bytes = try Data(contentsOf: URL(filePath: file))
    } catch {
      throw AnalysisError(path: file, reason: "cannot be read")
    }
    return try parse(Array(bytes), file)
  }

  private func parse(_ bytes: [UInt8], _ file: String) throws(AnalysisError) -> ReplayResult {
    do {
      return try ResultReader.read(bytes)
    } catch {
      throw AnalysisError(path: file, reason: error.description)
    }
  }

  /// A regular file of the size of a result: a FIFO would never end, and a huge one is not worth its reading.
  private func isPlausible(_ file: String) -> Bool {
    var status = stat()
    return unsafe lstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && status.st_size < StoredResult.largest
  }

  private static let largest = 256 << 20
}
