// SPDX-License-Identifier: GPL-2.0-only

/// Why a report could not be written or read back.
package enum ReportError: Error, Equatable, CustomStringConvertible {
  /// The line number counts from 1.
  case badLine(Int, reason: String)
  case unsupportedVersion(Int)
  /// The file ends before its `summary` line: whoever wrote it died.
  case incomplete
  case notEncodable(String)
  case notMergeable(String)

  package var description: String {
    switch self {
    case .badLine(let number, let reason): "line \(number): \(reason)"
    case .unsupportedVersion(let version):
      "version \(version), written by \(version < ResultLine.version ? "an older" : "a newer") cowscope: this one "
        + "reads version \(ResultLine.version); `cowscope replay` writes it again"
    case .incomplete: "ends before its summary line: the replay that wrote it did not finish"
    case .notMergeable(let reason): reason
    case .notEncodable(let reason): "cannot be written as JSON: \(reason)"
    }
  }
}
