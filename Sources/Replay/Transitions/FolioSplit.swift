// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Splitting a large folio into small ones (`split_folio`).
extension World {
  /// `unmap_folio`, `remap_page`: every mapping becomes a migration entry of one new small folio per page, then present
  /// again. Pages nobody maps are freed, with their stale exclusive bits. `busy` when references beyond the mappings (a
  /// pin, GUP, isolation) forbid it.
  ///
  /// `unusedToZeroPage`: the deferred split of an underused THP; pages that hold only zeros give way to the zero page.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  package mutating func splitFolio(_ folio: FolioID, unusedToZeroPage: Bool = false) -> Outcome {
    if skips(.folioSplit) { return .nothing }
    guard folios.flags(folio).contains(.large), !folios.flags(folio).contains(.hugetlb) else { return .nothing }
    if folios.isHeld(folio) || folios.migrations(folio) > 0 || folios.flags(folio).contains(.writeback) {
      return .failed(.busy)
    }
    unmapForMigration(folio)
    let head = frames.frame(folio)
    let pages = folios.order(folio).pageCount
    let flags = folios.flags(folio).intersection([.dirty, .swapBacked, .sharersUnknown])
    let slotsOfPages = folios.side(folio)?.slots ?? []
    folios.withSide(folio) {
      $0.extraReferences += 1
      $0.slots = []
    }
    folios.remove(.swapCache, folio)
    frames.unbind(folio, pages: pages)
    for page in 0..<pages {
      if unusedToZeroPage, data(folios.content(folio, page: page)) == 0 { mapZeroPage(folio, page) }
      let slot = page < slotsOfPages.count ? slotsOfPages[page] : nil
      let small = splitOff(folio, page, flags, slot)
      if let small, let head { frames.bind(head.advanced(by: page), pages: 1, to: small) }
    }
    folios.withSide(folio) { $0.extraReferences -= 1 }
    memory.release(folio)
    return .done
  }

  /// `try_to_map_unused_to_zeropage`: soft-dirty and uffd-wp stay.
  private mutating func mapZeroPage(_ folio: FolioID, _ page: Int) {
    if skips(.folioSplitZeros) { return }
    var refs: [EntryRef] = []
    memory.forEachMapping(of: folio, page: page) { refs.append($0) }
    for ref in refs where tables.entry(ref).kind.isMigration {
      let old = tables.entry(ref)
      drop(ref)
      var entry = Entry(.zeroPage)
      entry.softDirty = old.softDirty
      entry.uffdWP = old.uffdWP
      place(entry, at: ref)
    }
  }

  /// One page becomes a folio of its own, and its migration entries present again. `nil`: nobody wanted it.
  private mutating func splitOff(
    _ folio: FolioID, _ page: Int, _ flags: FolioFlags, _ slot: SwapSlotID?
  ) -> FolioID? {
    var refs: [EntryRef] = []
    memory.forEachMapping(of: folio, page: page) { refs.append($0) }
    guard !refs.isEmpty || slot != nil else { return nil }
    let small = folios.allocate(order: .base, flags: flags)
    if options.followsContent { folios.setContent(folios.content(folio, page: page), of: small, page: 0) }
    if let slot {
      folios.insert(.swapCache, small)
      folios.withSide(small) { $0.slots = [slot] }
      slots[slot].folio = small
      slots[slot].page = 0
    }
    folios.withSide(small) { $0.extraReferences += 1 }
    // Oldest first, as the reverse map walks parents before children.
    for ref in refs.reversed() {
      var entry = tables.entry(ref)
      dropForSplit(ref, entry)
      entry.folio = small
      entry.page = 0
      place(entry, at: ref)
    }
    for ref in refs.reversed() { restoreMigrationEntry(ref) }
    folios.withSide(small) { $0.extraReferences -= 1 }
    memory.release(small)
    return small
  }

  /// Nobody is looked at again because of it: all mappings are on their way to folios of their own.
  private mutating func dropForSplit(_ ref: EntryRef, _ entry: Entry) {
    tables.write(.none, at: ref)
    memory.detach(ref, from: entry.folio, page: entry.page)
    memory.countUnmapped(ref, entry)
  }
}
