// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

extension KernelDefect {
  var catalogueEntry: CatalogueEntry {
    CatalogueEntry(
      name: name, summary: summary,
      text: text + "\n\nWhether a kernel has it is told by its release alone: a distribution may have ported the fix.",
      source: source)
  }
}
