// SPDX-License-Identifier: GPL-2.0-only

/// C2: Encoding C: an exclusive page's entry is writable or dirty.
package enum ExclusiveHasBits: Rule {
  package static let id = RuleID.c2
  package static let statement =
    "Encoding C: an exclusive page's entry is writable or dirty."
  package static let source = "definition of encoding C"
  package static let danger = "Exclusivity is lost: an extra fault, an extra copy, or a broken pin."
  package static let evidence = "Write and dirty bits, today's flag."
  package static let visibility = RuleVisibility.state
  package static let needsPins = true

  package static let isDefinition = true

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    guard applies(to: E.self) else { return [] }
    return world.entries { ref, entry in
      guard entry.kind == .present, world.isPinnedThrough(ref, entry) else { return nil }
      return E.claim(world, ref, entry) == .shared ? "a pinned page is read-only and clean" : nil
    }
  }
}
