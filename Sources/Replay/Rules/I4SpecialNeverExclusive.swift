// SPDX-License-Identifier: GPL-2.0-only

/// I4: KSM pages, the zero page and special mappings are never exclusive.
package enum SpecialNeverExclusive: Rule {
  package static let id = RuleID.i4
  package static let statement =
    "KSM pages, the zero page and special mappings are never exclusive."
  package static let source = "page-flags.h (set/clear assertions), folio_set_stable_node"
  package static let danger = "A write would change a page shared system-wide."
  package static let evidence = "The kind of page, the claim."
  package static let visibility = RuleVisibility.state

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    world.entries { ref, entry in
      switch entry.kind {
      case .zeroPage: E.claim(world, ref, entry) == .exclusive ? "zero page claimed exclusive" : nil
      case .present:
        world.folios.flags(entry.folio).contains(.ksm) && E.claim(world, ref, entry) == .exclusive
          ? "KSM page claimed exclusive" : nil
      case .none, .filePage, .swap, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate,
        .deviceExclusive, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
        nil
      }
    }
  }
}
