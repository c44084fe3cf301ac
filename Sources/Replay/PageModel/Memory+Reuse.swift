// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What a reuse check (`wp_can_reuse_anon_folio`) says.
package enum ReuseCheck: Sendable, Equatable, BitwiseCopyable {
  case passes
  case fails(ReuseObstacle)
  /// The model does not know enough.
  case unknown(UnknownReason)
}

/// Why it fails, in the order in which it is looked for.
package enum ReuseObstacle: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case ksm, otherMapping, extraReference, pinned, swapEntry, writeback, migrating, singlePageOfLargeFolio, largeFolio
}

/// Why it cannot say.
package enum UnknownReason: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// The process was attached to: who else maps the page was never seen.
  case sharersNotSeen
  /// The exclusive flag itself was never seen.
  case flagNotSeen
  /// The other mapper is being torn down: its entry may be gone already.
  case sharerDying
  /// Nothing is known about the entry.
  case entryNotSeen
}

/// Who else can see a page, and what the reuse check would say: asked by the write fault, the unshare fault and the
/// judge.
extension Memory {
  /// t: nobody but this entry can observe the page (no other mm, swap or migration entry, no KSM).
  @inline(never)
  package func isTrulyExclusive(_ ref: EntryRef) -> Claim {
    let entry = tables.entry(ref)
    if entry.kind == .swap {
      let slot = slots[entry.swapSlot]
      guard slot.entries == 1 else { return .shared }
      guard let cached = slot.folio else { return .exclusive }
      return Claim(observers(cached, page: Int(slot.page)) == slot.entries)
    }
    guard entry.kind.refersToFolio else { return .shared }
    let folio = entry.folio
    let flags = folios.flags(folio)
    if flags.contains(.ksm) { return .shared }
    if flags.contains(.sharersUnknown) { return .unknown }
    if isHuge(ref) {
      guard folios.attached(folio) == 1 else { return .shared }
      return Claim((folios.side(folio)?.slots ?? []).allSatisfy { hasNoEntries($0) })
    }
    return Claim(observers(folio, page: entry.page) == 1)
  }

  /// Entries through which the content of one page can be seen or come back.
  func observers(_ folio: FolioID, page: Int) -> UInt32 {
    guard !folios.isPlain(folio) else { return folios.attached(folio) }
    let isLarge = folios.flags(folio).contains(.large)
    let observers = folios.look(at: folio) { side in
      let swapEntries = side.slot(of: page).map { slots[$0].entries } ?? 0
      return swapEntries + (isLarge ? side.attachedPerPage[page] + side.entire : side.attached)
    }
    return observers ?? folios.attached(folio)
  }

  func isPinned(_ folio: FolioID) -> Bool { folios.pins(folio) > 0 }

  func isPinned(_ folio: FolioID, page: Int) -> Bool {
    guard isPinned(folio) else { return false }
    return folios.look(at: folio) { page < $0.pagePins.count && $0.pagePins[page] > 0 } ?? false
  }

  /// A copy of what is mapped at `ref` would separate a pin from the page table, or has done so.
  func isPinHit(_ ref: EntryRef, _ entry: Entry) -> Bool {
    guard entry.kind.refersToFolio else { return false }
    let folio = entry.folio
    if isHuge(ref) ? isPinned(folio) : isPinned(folio, page: entry.page) { return true }
    guard !pins.isEmpty else { return false }
    let (mm, page) = owner(ref)
    return pins.contains { $0.mm == mm && $0.page == page && !$0.isZapped && $0.folio != entry.folio }
  }

  /// The device under its slot needs the content to stay as it is while it is written.
  func isUnderStableWriteback(_ folio: FolioID) -> Bool {
    folios.flags(folio).isSuperset(of: [.writeback, .stableWrites])
  }

  /// `wp_can_reuse_anon_folio` and its PMD, hugetlb and large-folio forms, on the state of this instant and without
  /// side effects (docs/semantics.md, "Reuse check"). `largeFolios`: what this kernel asks of them.
  @inline(never)
  func reuseCheck(_ ref: EntryRef, largeFolios: KernelFacts.LargeFolioReuse) -> ReuseCheck {
    let entry = tables.entry(ref)
    guard entry.kind == .present else { return .unknown(.entryNotSeen) }
    let folio = entry.folio
    let (flags, attached) = (folios.flags(folio), folios.attached(folio))
    if flags.contains(.ksm) { return .fails(.ksm) }
    if flags.contains(.hugetlb) { return hugetlbReuseCheck(ref, folio) }
    if attached == 1, folios.isPlain(folio) {
      return flags.contains(.sharersUnknown) ? .unknown(.sharersNotSeen) : .passes
    }
    if let obstacle = referenceObstacle(folio) { return .fails(obstacle) }
    if flags.contains(.large), !isHuge(ref) { return largeReuseCheck(folio, largeFolios) }
    if attached > 1 { return othersAreDying(ref, folio) ? .unknown(.sharerDying) : .fails(.otherMapping) }
    return flags.contains(.sharersUnknown) ? .unknown(.sharersNotSeen) : .passes
  }

  /// `hugetlb_wp` asks for the mapcount alone.
  private func hugetlbReuseCheck(_ ref: EntryRef, _ folio: FolioID) -> ReuseCheck {
    if folios.attached(folio) > 1 { return othersAreDying(ref, folio) ? .unknown(.sharerDying) : .fails(.otherMapping) }
    return folios.flags(folio).contains(.sharersUnknown) ? .unknown(.sharersNotSeen) : .passes
  }

  func referenceObstacle(_ folio: FolioID) -> ReuseObstacle? {
    guard !folios.isPlain(folio) else { return nil }
    let flags = folios.flags(folio)
    let holder: ReuseObstacle?? = folios.look(at: folio) { side in
      if side.migrations > 0 || flags.contains(.locked) { return .migrating }
      if side.pins > 0 { return .pinned }
      return side.extraReferences > 0 ? .extraReference : nil
    }
    guard let holder else { return nil }
    if holder == nil, flags.contains(.swapCache), !canFreeSwapCache(folio) {
      return flags.contains(.writeback) ? .writeback : .swapEntry
    }
    return holder
  }

  /// `__wp_can_reuse_large_anon_folio`; before 6.15 see `KernelFacts.largeFolioReuse`.
  private func largeReuseCheck(_ folio: FolioID, _ reuse: KernelFacts.LargeFolioReuse) -> ReuseCheck {
    switch reuse {
    case .never: return .fails(.largeFolio)
    case .soleReference:
      return folios.attached(folio) == 1 ? .passes : .fails(.otherMapping)
    case .singleMM:
      guard mapcount(folio) > 1 else { return .fails(.singlePageOfLargeFolio) }
      if folios.flags(folio).contains(.sharersUnknown) { return .unknown(.sharersNotSeen) }
      return folios.look(at: folio) { $0.mmIDs.mappedShared } == true ? .fails(.otherMapping) : .passes
    }
  }

  /// Every other mapping is of an mm being torn down. Others may map any page of a PMD-mapped folio by PTEs.
  private func othersAreDying(_ ref: EntryRef, _ folio: FolioID) -> Bool {
    var dying = true
    for page in 0..<folios.order(folio).pageCount where dying {
      forEachMapping(of: folio, page: page) { other in
        if other != ref, !isDying(other) { dying = false }
      }
    }
    return dying
  }
}
