// SPDX-License-Identifier: GPL-2.0-only

/// C1: Encoding C: writable or dirty on a normal anonymous page that is not KSM means exclusive in truth.
package enum BitsMeanExclusive: Rule {
  package static let id = RuleID.c1
  package static let statement =
    "Encoding C: writable or dirty on a normal anonymous page that is not KSM means exclusive in truth."
  package static let source = "definition of encoding C"
  package static let danger = "A dirty bit left (or ORed) on a shared read-only entry."
  package static let evidence = "Write and dirty bits, mappings."
  package static let visibility = RuleVisibility.state

  package static let isDefinition = true

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    guard applies(to: E.self) else { return [] }
    return world.entries { ref, entry in
      guard entry.kind == .present, E.claim(world, ref, entry) == .exclusive else { return nil }
      return world.memory.isTrulyExclusive(ref) == .shared ? "W or D on a shared page" : nil
    }
  }
}
