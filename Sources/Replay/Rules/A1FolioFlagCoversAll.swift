// SPDX-License-Identifier: GPL-2.0-only

/// A1: Encoding A: with the folio's flag set every mapped page of the folio has one mapping and no foreign entry.
package enum FolioFlagCoversAll: Rule {
  package static let id = RuleID.a1
  package static let statement =
    "Encoding A: with the folio's flag set every mapped page of the folio has one mapping and no foreign entry."
  package static let source = "definition of encoding A"
  package static let danger = "The flag speaks for a page that is shared."
  package static let evidence = "The mappings of every page of the folio, the flag."
  package static let visibility = RuleVisibility.state

  package static let isDefinition = true

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    guard applies(to: E.self) else { return [] }
    return world.entries { ref, entry in
      guard entry.kind == .present, E.claim(world, ref, entry) == .exclusive else { return nil }
      return world.memory.isTrulyExclusive(ref) == .shared ? "the folio's flag covers a shared page" : nil
    }
  }
}
