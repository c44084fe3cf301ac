// SPDX-License-Identifier: GPL-2.0-only

/// I3: No swap, migration or device-private entry of another mm refers to the content of an exclusive page.
package enum ExclusiveHasNoForeignEntry: Rule {
  package static let id = RuleID.i3
  package static let statement =
    "No swap, migration or device-private entry of another mm refers to the content of an exclusive page."
  package static let source = "fork rules (copy_nonpresent_pte)"
  package static let danger = "The other mm would see writes made after the fork."
  package static let evidence = "Swap slot counts, migration entries, the claim."
  package static let visibility = RuleVisibility.state

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    world.entries { ref, entry in
      guard entry.kind.refersToFolio, E.claim(world, ref, entry) == .exclusive else { return nil }
      let count = world.swapEntryCount(entry.folio, page: entry.page)
      return count == 0 ? nil : "exclusive, but \(count) swap entries refer to the page"
    }
  }
}
