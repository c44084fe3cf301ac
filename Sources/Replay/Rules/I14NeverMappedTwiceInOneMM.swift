// SPDX-License-Identifier: GPL-2.0-only

/// I14: An anonymous page that is not KSM is mapped at most once in one mm.
package enum NeverMappedTwiceInOneMM: Rule {
  package static let id = RuleID.i14
  package static let statement =
    "An anonymous page that is not KSM is mapped at most once in one mm."
  package static let source = "memory.c:__wp_can_reuse_large_anon_folio (comment)"
  package static let danger = "The mm-id reuse check counts on it."
  package static let evidence = "The mappings of the page and their owners."
  package static let visibility = RuleVisibility.state

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] {
    world.entries { ref, entry in
      guard entry.kind == .present else { return nil }
      let folio = entry.folio
      guard !world.folios.flags(folio).contains(.ksm) else { return nil }
      var own = 0
      let mm = world.memory.owner(ref).mm
      world.memory.forEachMapping(of: folio, page: entry.page) { if world.memory.owner($0).mm == mm { own += 1 } }
      return own == 1 ? nil : "mapped \(own) times in one mm"
    }
  }
}
