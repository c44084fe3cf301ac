// SPDX-License-Identifier: GPL-2.0-only

/// I9: An exclusive swap entry is the only entry of its slot, and nobody maps the cached folio's page.
package enum SwapExclusiveCountsOne: Rule {
  package static let id = RuleID.i9
  package static let statement =
    "An exclusive swap entry is the only entry of its slot, and nobody maps the cached folio's page."
  package static let source = "memory.c:check_swap_exclusive, do_swap_page"
  package static let danger = "Swap-in would map writable what another mm will read."
  package static let evidence = "The slot's count, mappings of the cached folio."
  package static let visibility = RuleVisibility.state

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    world.entries { ref, entry in
      guard entry.kind == .swap, entry.exclusiveMark else { return nil }
      return world.memory.isTrulyExclusive(ref) == .shared ? "exclusive swap entry of a shared slot" : nil
    }
  }
}
