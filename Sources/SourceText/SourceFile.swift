// SPDX-License-Identifier: GPL-2.0-only

internal import FoundationEssentials
internal import Glibc

/// Texts that people write for the program: litmus examples, models, rows.
package enum SourceFile {
  package static func read(_ path: String) throws(SourceError) -> String {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw SourceError(reason: "cannot be read: \(reason(of: error))")
    }
  }

  /// The names in a directory, in order.
  package static func names(in directory: String) throws(SourceError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    } catch {
      throw SourceError(reason: "cannot be listed: \(reason(of: error))")
    }
  }

  package static func isDirectory(_ path: String) -> Bool {
    var isDirectory = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
  }

  private static func reason(of error: any Error) -> String {
    guard let error = error as? CocoaError else { return "\(error)" }
    if let system = error.underlying as? POSIXError { return unsafe String(cString: strerror(system.code.rawValue)) }
    let isEncoding = [.fileReadCorruptFile, .fileReadInapplicableStringEncoding].contains(error.code)
    return isEncoding ? "it is not UTF-8" : "\(error)"
  }
}

/// Why a text cannot be had. Who asked for it names the file.
package struct SourceError: Error {
  package let reason: String
}
