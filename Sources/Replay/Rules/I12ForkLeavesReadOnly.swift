// SPDX-License-Identifier: GPL-2.0-only

/// I12: After fork every entry that is not exclusive in the parent is read-only in parent and child.
package enum ForkLeavesReadOnly: Rule {
  package static let id = RuleID.i12
  package static let statement =
    "After fork every entry that is not exclusive in the parent is read-only in parent and child."
  package static let source = "rmap.h:__folio_try_dup_anon_rmap"
  package static let danger = "One side writes and the other sees it."
  package static let evidence = "Write bits of all mappers of a shared page."
  package static let visibility = RuleVisibility.state

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    world.entries { ref, entry in
      guard entry.kind == .present, entry.writable else { return nil }
      return world.memory.isTrulyExclusive(ref) == .shared ? "writable although others can see the page" : nil
    }
  }
}
