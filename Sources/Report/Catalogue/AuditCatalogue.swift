// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// The audits of the registry.
enum AuditCatalogue {
  static var all: [CatalogueEntry] {
    AuditRegistry.all.map { audit in
      let description = audit.description
      let figures = description.figures.map { "\($0.name): \($0.meaning)" }
      return CatalogueEntry(
        name: description.name, summary: "an audit: \(description.question)",
        text: description.text + "\n\n" + figures.joined(separator: "\n"))
    }
  }
}
