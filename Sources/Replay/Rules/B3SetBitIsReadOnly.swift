// SPDX-License-Identifier: GPL-2.0-only

/// B3: Encoding B: an entry under bit 1 is read-only.
package enum SetBitIsReadOnly: Rule {
  package static let id = RuleID.b3
  package static let statement =
    "Encoding B: an entry under bit 1 is read-only."
  package static let source = "I1, in terms of encoding B"
  package static let danger = "A writable page that may not be pinned or moved."
  package static let evidence = "Bitmaps, write bits."
  package static let visibility = RuleVisibility.state

  package static let isDefinition = true

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    guard applies(to: E.self) else { return [] }
    return world.entries { ref, entry in
      guard entry.kind == .present, entry.writable else { return nil }
      return E.claim(world, ref, entry) == .shared ? "writable under bit 1" : nil
    }
  }
}
