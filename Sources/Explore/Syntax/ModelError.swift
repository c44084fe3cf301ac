// SPDX-License-Identifier: GPL-2.0-only

/// Why a model or a row was refused, and where: printed as `file:line: reason`.
package struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
  package var file: String
  /// Counted from 1.
  package var line: Int
  package var reason: String

  package init(file: String, line: Int, reason: String) {
    self.file = file
    self.line = line
    self.reason = reason
  }

  package var description: String { "\(file):\(line): \(reason)" }
}

/// A line of a model file. Files are named once, in the model.
package struct SourceLine: Sendable, Hashable {
  package var file: String
  package var line: Int

  func error(_ reason: String) -> ModelError { ModelError(file: file, line: line, reason: reason) }
}
