// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// I11: Of a PMD mapping only the head page's flag counts; the tails are 0 until the split.
package enum PMDUsesHead: Rule {
  package static let id = RuleID.i11
  package static let statement =
    "Of a PMD mapping only the head page's flag counts; the tails are 0 until the split."
  package static let source = "huge_memory.c:__split_huge_pmd_locked"
  package static let danger = "The split only sets bits: a stale tail would become exclusive."
  package static let evidence = "Flags of all pages below a PMD entry."
  package static let visibility = RuleVisibility.state

  package static let isDefinition = true

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    guard applies(to: E.self) else { return [] }
    return world.entries { ref, entry in
      guard entry.kind == .present, world.memory.isHuge(ref) else { return nil }
      let folio = entry.folio
      let pages = world.folios.order(folio).pageCount
      let isMappedByPTEs = world.folios.attached(folio) > (world.folios.side(folio)?.entire ?? 0)
      guard !isMappedByPTEs else { return nil }
      for page in 1..<pages where world.memory.pageBit(folio, page) == .exclusive { return "tail \(page) has the flag" }
      return nil
    }
  }
}
