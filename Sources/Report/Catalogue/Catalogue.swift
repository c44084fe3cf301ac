// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// What `list` can list.
package enum CatalogueSection: String, Sendable, CaseIterable {
  case events, encodings, switches, rules, verdicts, costs, gaps, limits, audits, defects
}

/// Everything with a name in reports.
package enum Catalogue {
  /// One line per name, ending in a newline.
  package static func listing(of section: CatalogueSection) -> String {
    let entries = self.entries(of: section)
    let width = entries.map(\.name.count).max() ?? 0
    return entries.map { entry in
      entry.name + String(repeating: " ", count: width - entry.name.count) + "  " + entry.summary + "\n"
    }.joined()
  }

  /// Upper and lower case are the same here.
  package static func entry(named name: String) -> CatalogueEntry? {
    let all = [CatalogueSection.allCases.flatMap(entries), EncodingCatalogue.all].joined()
    return all.first { $0.name.lowercased() == name.lowercased() }
  }

  private static func entries(of section: CatalogueSection) -> [CatalogueEntry] {
    switch section {
    case .events:
      EventKind.allCases.map { CatalogueEntry(name: $0.name, summary: $0.summary, text: "An event of `script`.") }
    case .encodings: EncodingCatalogue.listed
    case .switches: CallSiteSwitch.allCases.map(\.catalogueEntry)
    case .rules: RuleCatalogue.all.map { $0.catalogueEntry }
    case .verdicts: Verdict.allCases.map(\.catalogueEntry)
    case .costs: CostCatalogue.all
    case .gaps: Gap.allCases.map(\.catalogueEntry)
    case .audits: AuditCatalogue.all
    case .defects: KernelDefect.known.map(\.catalogueEntry)
    case .limits: Capability.allCases.map(\.catalogueEntry)
    }
  }
}
