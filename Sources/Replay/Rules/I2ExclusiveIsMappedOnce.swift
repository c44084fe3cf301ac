// SPDX-License-Identifier: GPL-2.0-only

/// I2: A page whose exclusive flag is set is referred to by exactly one mapped entry over all mms, or by none and the
/// flag is stale.
package enum ExclusiveIsMappedOnce: Rule {
  package static let id = RuleID.i2
  package static let statement =
    "A page whose exclusive flag is set is referred to by exactly one mapped entry over all mms, or by none and the flag is stale."
  package static let source = "rmap.h:__folio_add_anon_rmap (warnings)"
  package static let danger = "Two mms would both be allowed to write."
  package static let evidence = "The mappings of the page, the claims of their entries."
  package static let visibility = RuleVisibility.state

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    world.entries { ref, entry in
      guard entry.kind.refersToFolio, E.claim(world, ref, entry) == .exclusive else { return nil }
      let folio = entry.folio
      let count = world.memory.isHuge(ref) ? world.folios.attached(folio) : world.mappingCount(folio, page: entry.page)
      return count == 1 ? nil : "exclusive, but \(count) entries refer to the page"
    }
  }
}
