// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

extension Capability {
  /// The limit of a capture that lacks it, as `list limits` and `explain` show it.
  var catalogueEntry: CatalogueEntry {
    let row = description
    let text =
      row.isNeeded
      ? "A result of such a capture is not to be relied on."
      : "What does not depend on it can be relied on; verdicts that do are not observable, or less is known."
    return CatalogueEntry(
      name: row.limit, summary: "a limit: the capture does not show \(row.title)",
      text: "\(row.consequence)\n\n\(text)")
  }
}
