// SPDX-License-Identifier: GPL-2.0-only

/// I10: The page's flag is 0 while a swap or migration entry represents the page: the entry carries it.
package enum FlagClearWhileUnmapped: Rule {
  package static let id = RuleID.i10
  package static let statement =
    "The page's flag is 0 while a swap or migration entry represents the page: the entry carries it."
  package static let source = "do_swap_page; page-flags.h"
  package static let danger = "A stale 1 would survive a fork of the entry."
  package static let evidence = "Page flag, migration entries."
  package static let visibility = RuleVisibility.state

  package static let isDefinition = true

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    guard applies(to: E.self) else { return [] }
    return world.entries { ref, entry in
      guard entry.kind.isMigration, !world.memory.isHuge(ref) else { return nil }
      return world.memory.pageBit(entry.folio, entry.page) == .exclusive ? "flag set under a migration entry" : nil
    }
  }
}
