// SPDX-License-Identifier: GPL-2.0-only

import Replay

extension CallSiteSwitch {
  /// The call site as `list switches` and `explain` show it.
  var catalogueEntry: CatalogueEntry {
    CatalogueEntry(
      name: rawValue, summary: description.duty, text: "Forgotten (`--without \(rawValue)`): \(description.omission)",
      source: description.source)
  }
}
