// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// One invariant of PageAnonExclusive, or of an encoding of it (docs/semantics.md, "Rules").
package protocol Rule: Sendable {
  static var id: RuleID { get }
  /// The invariant in one sentence.
  static var statement: String { get }
  /// The kernel code that relies on it or checks it.
  static var source: String { get }
  /// What goes wrong when it does not hold.
  static var danger: String { get }
  /// What has to be known to check it.
  static var evidence: String { get }
  static var visibility: RuleVisibility { get }
  /// It says something of pinned pages only: where no pin is known it holds for want of any.
  static var needsPins: Bool { get }
  /// It is about the encodings that have it in their definition, and no other. The kernel's own are rules for all.
  static var isDefinition: Bool { get }

  /// Where the state of a world breaks the rule. Empty too for rules about operations.
  static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation]
}

/// Whether a state alone shows a violation, or only what an operation did.
package enum RuleVisibility: String, Sendable { case state, operation }

package struct RuleViolation: Sendable, Equatable {
  package var mm: MMID
  package var page: VirtualPage
  package var what: String
}

extension Rule {
  package static var needsPins: Bool { false }

  package static var isDefinition: Bool { false }

  package static func applies(to encoding: EncodingID) -> Bool { !isDefinition || encoding.definition.contains(id) }

  static func applies<E: Encoding>(to encoding: E.Type) -> Bool { !isDefinition || E.definition.contains(id) }

  package static func violations<E: Encoding>(in world: World<E>) -> [RuleViolation] { [] }
}

extension World {
  /// A message per entry for which `check` has one.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  func entries(_ check: (EntryRef, Entry) -> String?) -> [RuleViolation] {
    var found: [RuleViolation] = []
    for mm in mms {
      guard let mm else { continue }
      memory.forEachRef(mm.id, .everything) { ref in
        let entry = tables.entry(ref)
        guard let what = check(ref, entry) else { return }
        found.append(RuleViolation(mm: mm.id, page: memory.owner(ref).page, what: what))
      }
    }
    return found
  }

  /// PTE-level entries of the page and PMD-level ones of the folio.
  func mappingCount(_ folio: FolioID, page: Int) -> UInt32 {
    guard let side = folios.side(folio), side.order > .base else { return folios.attached(folio) }
    return side.attachedPerPage[page] + side.entire
  }

  func swapEntryCount(_ folio: FolioID, page: Int) -> UInt32 {
    folios.side(folio)?.slot(of: page).map { slots[$0].entries } ?? 0
  }

  /// A pin was taken through exactly this entry and still holds its page.
  func isPinnedThrough(_ ref: EntryRef, _ entry: Entry) -> Bool {
    guard !pins.isEmpty else { return false }
    let (mm, page) = memory.owner(ref)
    let range = PageRange(start: page, count: memory.isHuge(ref) ? 512 : 1)
    return pins.contains { pin in
      pin.mm == mm && range.contains(pin.page) && pin.folio == entry.folio
        && (memory.isHuge(ref) || pin.pageInFolio == entry.page)
    }
  }
}
