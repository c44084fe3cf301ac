// SPDX-License-Identifier: GPL-2.0-only

/// I1: A writable mapped entry (also shadow stack, W migration, W device-private, device-exclusive) is exclusive.
package enum WritableIsExclusive: Rule {
  package static let id = RuleID.i1
  package static let statement =
    "A writable mapped entry (also shadow stack, W migration, W device-private, device-exclusive) is exclusive."
  package static let source = "do_swap_page, remove_migration_pmd, try_to_migrate_one (warnings)"
  package static let danger = "A pin can be taken without a proof of exclusivity; a later copy detaches it."
  package static let evidence = "Write and dirty bits of the entry, the claim."
  package static let visibility = RuleVisibility.state

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    world.entries { ref, entry in
      guard entry.countsAsWritable else { return nil }
      return E.claim(world, ref, entry) == .shared ? "writable but not exclusive" : nil
    }
  }
}
