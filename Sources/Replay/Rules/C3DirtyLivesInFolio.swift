// SPDX-License-Identifier: GPL-2.0-only

/// C3: Encoding C: data is dirty if and only if the folio is dirty or the entry is writable and dirty.
package enum DirtyLivesInFolio: Rule {
  package static let id = RuleID.c3
  package static let statement =
    "Encoding C: data is dirty if and only if the folio is dirty or the entry is writable and dirty."
  package static let source = "definition of encoding C"
  package static let danger = "Reclaim drops a page whose content is nowhere else."
  package static let evidence = "Folio dirty flag, entry bits, page contents."
  package static let visibility = RuleVisibility.operation

  package static let isDefinition = true
}
