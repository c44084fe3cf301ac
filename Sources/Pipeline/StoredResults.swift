// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
package import Report
import TraceFile

/// Results of many captures, by the names of their files.
package enum StoredResults {
  /// The files themselves, and all `capture=*.ndjson` below the directories; each once, in the order of the names.
  package static func files(_ paths: [String]) throws -> [String] {
    var files: [String] = []
    for path in paths {
      guard TraceFile.isDirectory(path) else {
        files.append(path)
        continue
      }
      for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
        let last = name.split(separator: "/").last ?? ""
        if last.hasPrefix("capture=") && last.hasSuffix(".ndjson") { files.append(path + "/" + name) }
      }
    }
    return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// One file after the other: what is kept grows with the number of captures, not with their results.
  package static func merged(_ files: [String]) throws -> MergedResult {
    var merged = MergedResult.empty
    for file in files {
      do {
        try merged.add(try MergedFile.read(try bytes(file)))
      } catch let error as ReportError {
        throw AnalysisError(path: file, reason: error.description)
      } catch let error as MergeError {
        throw AnalysisError(path: file, reason: error.description)
      }
    }
    return merged
  }

  /// The merge in that file; `nil` where it is no merge.
  package static func merge(in file: String) throws -> MergedResult? {
    guard file.hasSuffix(".ndjson"), !TraceFile.isDirectory(file) else { return nil }
    let bytes = try bytes(file)
    guard MergedFile.isMerge(bytes) else { return nil }
    do {
      return try MergedFile.read(bytes)
    } catch {
      throw AnalysisError(path: file, reason: error.description)
    }
  }

  private static func bytes(_ file: String) throws(AnalysisError) -> [UInt8] {
    do {
      return Array(try Data(contentsOf: URL(filePath: file)))
    } catch {
      throw AnalysisError(path: file, reason: "cannot be read")
    }
  }
}
