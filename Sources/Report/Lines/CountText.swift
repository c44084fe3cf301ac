// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// Counts with their unit, what is certain and what is possible never added up.
enum CountText {
  /// `3 entries definite, 2 possible`.
  static func entries(_ counts: CertaintyCounts) -> String {
    var parts: [String] = []
    if counts.definite > 0 { parts.append("\(Numbers.plural(counts.definite, "entry", "entries")) definite") }
    if counts.possible > 0 { parts.append("\(Numbers.plural(counts.possible, "entry", "entries")) possible") }
    return parts.isEmpty ? "no entry" : parts.joined(separator: ", ")
  }
}
