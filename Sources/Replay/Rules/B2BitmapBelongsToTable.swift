// SPDX-License-Identifier: GPL-2.0-only

/// B2: Encoding B: a bitmap belongs to exactly one live table, is reachable if and only if the table is, and is freed
/// not earlier.
package enum BitmapBelongsToTable: Rule {
  package static let id = RuleID.b2
  package static let statement =
    "Encoding B: a bitmap belongs to exactly one live table, is reachable if and only if the table is, and is freed not earlier."
  package static let source = "definition of encoding B"
  package static let danger = "Use after free, or bits of another table."
  package static let evidence = "Page tables and the bitmaps that hang off them."
  package static let visibility = RuleVisibility.state

  package static let isDefinition = true

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    guard applies(to: E.self) else { return [] }
    return world.entries { ref, _ in E.hasStrayState(world, ref) ? "a bit without a bitmap" : nil }
  }
}
