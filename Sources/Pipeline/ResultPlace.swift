// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
import Glibc
package import Replay
package import Report
import TraceFile

/// The place of a capture's result among those of many captures and hosts:
/// `DIR/kernel=R/host=H/capture=HASH.ndjson`.
package struct ResultPlace {
  package let path: String
  package let origin: ResultOrigin
  private let directory: String

  /// - Parameter kernel: The release, where the capture does not say.
  package init(
    of capture: String, in directory: String, host: String, workload: String?, kernel: String?, tool: String
  ) throws {
    let reader = try TraceFile.open(capture)
    reader.toldRelease = kernel
    var origin = ResultOrigin(
      capture: try ContentHash.of(capture), host: host, kernel: reader.release ?? "unknown", tool: tool,
      workload: workload)
    origin.take(knobs: reader.capture?.manifest?.knobs ?? [:])
    self.origin = origin
    let names = ["kernel=" + ResultPlace.directoryName(origin.kernel), "host=" + ResultPlace.directoryName(host)]
    self.directory = ([directory] + names).joined(separator: "/")
    path = self.directory + "/capture=\(origin.capture).ndjson"
  }

  /// What an earlier run left here, when it was of this very program. A tree with changes is no version: what it found
  /// before may be what another program found.
  package func existing() -> ReplayResult? {
    guard !origin.tool.hasSuffix("-dirty)"), let bytes = try? Data(contentsOf: URL(filePath: path)) else { return nil }
    let file = Array(bytes)
    guard ResultOrigin.read(from: file) == origin else { return nil }
    do {
      return try ResultReader.read(file)
    } catch {
      return nil  // It is replayed, and replaced.
    }
  }

  /// In place at once, after it is on disk. Equal results are equal bytes, so whoever comes last changes nothing.
  package func store(_ lines: [UInt8]) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    // Two that replay one capture do not share a draft.
    try OutputFile.replace(path, with: try origin.appended(to: lines), draft: "\(path).\(getpid()).new")
  }

  /// A name as one component of a path, no two names the same: what is no letter, digit, `-`, `+`, `_` or single dot
  /// inside is written as `%2F`. Long ones end in a hash.
  package static func directoryName(_ name: String) -> String {
    var text = ""
    var isAfterDot = true
    for byte in name.utf8 {
      let scalar = Unicode.Scalar(byte)
      let isDot = byte == UInt8(ascii: ".")
      if isDot
        ? !isAfterDot
        : scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789-+_".contains(Character(scalar)))
      {
        text.unicodeScalars.append(scalar)
      } else {
        text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
      isAfterDot = isDot
    }
    guard text.utf8.count > longest else { return text.isEmpty ? "%00" : text }
    var hash = SHA256()
    hash.add(Array(name.utf8))
    return text.prefix(longest - 65) + "~" + hash.text()
  }

  private static let longest = 200
}
