// SPDX-License-Identifier: GPL-2.0-only

import Replay

extension Rule {
  /// The rule as `list` and `explain` show it.
  static var catalogueEntry: CatalogueEntry {
    let check =
      switch visibility {
      case .state: "A state of memory alone can show that it is broken."
      case .operation: "Only an operation can break it visibly, a state cannot."
      }
    return CatalogueEntry(
      name: id.rawValue, summary: statement, text: "When it does not hold: \(danger)\n\nEvidence: \(evidence) \(check)",
      source: source)
  }
}
