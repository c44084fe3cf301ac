// SPDX-License-Identifier: GPL-2.0-only

/// Why a litmus text was refused, and where: printed as `file:line:column: reason`.
package struct LitmusError: Error, Sendable, Equatable, CustomStringConvertible {
  package var file: String
  /// Counted from 1.
  package var line: Int
  /// Of the first character of the offending word, counted from 1.
  package var column: Int
  package var reason: String

  package init(file: String, line: Int, column: Int, reason: String) {
    self.file = file
    self.line = line
    self.column = column
    self.reason = reason
  }

  package var description: String { "\(file):\(line):\(column): \(reason)" }
}
