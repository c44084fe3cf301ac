// SPDX-License-Identifier: GPL-2.0-only

/// I5: A page that is FOLL_PINned keeps its exclusivity until it is freed; no operation makes its entry shared.
package enum PinnedStaysExclusive: Rule {
  package static let id = RuleID.i5
  package static let statement =
    "A page that is FOLL_PINned keeps its exclusivity until it is freed; no operation makes its entry shared."
  package static let source = "gup.c:sanity_check_pinned_pages"
  package static let danger = "The next write copies: the device goes on with the old page."
  package static let evidence = "Pins, and the entry they were taken through."
  package static let visibility = RuleVisibility.state
  package static let needsPins = true

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    world.entries { ref, entry in
      guard entry.kind == .present, world.isPinnedThrough(ref, entry) else { return nil }
      return E.claim(world, ref, entry) == .shared ? "pinned through this entry, but not exclusive" : nil
    }
  }
}
