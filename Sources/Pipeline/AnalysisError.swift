// SPDX-License-Identifier: GPL-2.0-only

/// Why there is no result: of which file, and what was wrong with it.
package struct AnalysisError: Error, CustomStringConvertible {
  package let path: String
  package let reason: String

  package var description: String { "\(path): \(reason)" }
}
