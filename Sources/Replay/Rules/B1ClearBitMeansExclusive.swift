// SPDX-License-Identifier: GPL-2.0-only

/// B1: Encoding B: bit 0, or no bitmap, on a normal anonymous page that is not KSM means exclusive in truth.
package enum ClearBitMeansExclusive: Rule {
  package static let id = RuleID.b1
  package static let statement =
    "Encoding B: bit 0, or no bitmap, on a normal anonymous page that is not KSM means exclusive in truth."
  package static let source = "definition of encoding B"
  package static let danger = "A forgotten bit: the page is mapped writable without a copy."
  package static let evidence = "Bitmaps, mappings."
  package static let visibility = RuleVisibility.state

  package static let isDefinition = true

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    guard applies(to: E.self) else { return [] }
    return world.entries { ref, entry in
      guard entry.kind == .present, E.claim(world, ref, entry) == .exclusive else { return nil }
      return world.memory.isTrulyExclusive(ref) == .shared ? "bit 0, or no bitmap, on a shared page" : nil
    }
  }
}
