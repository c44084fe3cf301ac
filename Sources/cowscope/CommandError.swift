// SPDX-License-Identifier: GPL-2.0-only

/// Why a verb could not do its work (exit status 1): which file, and what was wrong with it.
struct CommandError: Error, CustomStringConvertible {
  let path: String
  let reason: String

  var description: String { "\(path): \(reason)" }
}
