// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// An entry appears, changes bits, or goes, and the counts of what it refers to follow.
extension Memory {
  /// Writes an entry where none (or one without references) is.
  @inline(never)
  mutating func place(_ entry: Entry, at ref: EntryRef) {
    let old = tables.entry(ref)
    precondition(!old.kind.refersToFolio && old.kind != .swap, "placing over a \(old.kind) entry")
    if old.verdict != .ok { recarried.append(ref) }
    tables.write(entry, at: ref)
    if entry.kind.refersToFolio {
      let folio = entry.folio
      attach(ref, to: folio, page: entry.page)
      if entry.kind.isMigration {
        folios.withSide(folio) { $0.migrations += 1 }
      } else {
        mmMapped(ref, folio)
      }
    } else if entry.kind == .swap {
      slots[entry.swapSlot].entries += 1
    }
  }

  /// Clears an entry that refers to a folio. The counts beside the mapping list are to follow (`countUnmapped`).
  @inline(never)
  mutating func clear(_ ref: EntryRef, _ entry: Entry) {
    tables.write(.none, at: ref)
    detach(ref, from: entry.folio, page: entry.page)
  }

  /// Clears any other entry, and frees the swap slot that nobody refers to any more.
  @inline(never)
  mutating func dropWithoutFolio(_ ref: EntryRef, _ entry: Entry) {
    tables.write(.none, at: ref)
    if entry.kind == .swap { releaseSwapEntry(entry.swapSlot) }
  }

  /// Changes bits of the entry; its kind may change between kinds that refer to the same page.
  @inline(never)
  mutating func update(_ entry: Entry, at ref: EntryRef) {
    let old = tables.entry(ref)
    tables.write(entry, at: ref)
    guard old.kind.refersToFolio, old.kind.isMigration != entry.kind.isMigration else { return }
    let folio = entry.folio
    if entry.kind.isMigration {
      folios.withSide(folio) { $0.migrations += 1 }
      mmUnmapped(ref, folio)
    } else {
      folios.withSide(folio) { $0.migrations -= 1 }
      mmMapped(ref, folio)
    }
  }

  func isHuge(_ ref: EntryRef) -> Bool { tables[ref.table].isHuge }

  mutating func countUnmapped(_ ref: EntryRef, _ entry: Entry) {
    let folio = entry.folio
    if entry.kind.isMigration {
      folios.withSide(folio) { $0.migrations -= 1 }
    } else {
      mmUnmapped(ref, folio)
    }
  }

  /// `folio_add_return_large_mapcount`: the mm-id bookkeeping of large folios.
  private mutating func mmMapped(_ ref: EntryRef, _ folio: FolioID) {
    guard folios.flags(folio).contains(.large) else { return }
    let mm = tables[ref.table].mm
    let mapcount = mapcount(folio)
    folios.withSide(folio) { $0.mmIDs.added(mm: mm, largeMapcount: mapcount) }
  }

  private mutating func mmUnmapped(_ ref: EntryRef, _ folio: FolioID) {
    guard folios.flags(folio).contains(.large) else { return }
    let mm = tables[ref.table].mm
    let mapcount = mapcount(folio)
    folios.withSide(folio) { $0.mmIDs.removed(mm: mm, largeMapcount: mapcount) }
  }

  /// Present (and device) mappings of all pages of the folio: `folio_mapcount`.
  func mapcount(_ folio: FolioID) -> UInt32 { folios.attached(folio) - folios.migrations(folio) }

  /// Frees the folio when nothing refers to it.
  @inline(never)
  mutating func release(_ folio: FolioID) {
    guard folios.attached(folio) == 0, !folios.flags(folio).contains(.swapCache) else { return }
    if folios.isHeld(folio) { return }
    frames.unbind(folio, pages: folios.order(folio).pageCount)
    folios.free(folio)
  }

  mutating func releaseSwapEntry(_ slot: SwapSlotID) {
    slots[slot].entries -= 1
    guard slots[slot].entries == 0 else { return }
    guard let folio = slots[slot].folio else { return slots.release(slot) }
    // A cached folio nobody maps is only waiting for its swap entries: `free_swap_and_cache`.
    if folios.attached(folio) == 0, canFreeSwapCache(folio) { freeSwapCache(folio) }
  }

  /// `folio_free_swap` would succeed: no swap entry names the slots, and no writeback runs.
  func canFreeSwapCache(_ folio: FolioID) -> Bool {
    guard !folios.flags(folio).contains(.writeback) else { return false }
    guard let side = folios.side(folio) else { return true }
    return side.slots.allSatisfy { hasNoEntries($0) }
  }

  /// No swap entry names the slot; `nil` names none.
  func hasNoEntries(_ slot: SwapSlotID?) -> Bool {
    slot.map { slots[$0].entries == 0 } ?? true
  }

  /// `folio_free_swap`: the folio leaves the swapcache and is dirty from then on.
  mutating func freeSwapCache(_ folio: FolioID) {
    removeFromSwapCache(folio)
    folios.insert(.dirty, folio)
    release(folio)
  }

  mutating func removeFromSwapCache(_ folio: FolioID) {
    let cached = folios.side(folio)?.slots ?? []
    folios.withSide(folio) { $0.slots = [] }
    folios.remove(.swapCache, folio)
    for case let slot? in cached {
      slots[slot].folio = nil
      if slots[slot].entries == 0 { slots.release(slot) }
    }
  }

  /// A fresh anonymous folio, without mappings.
  mutating func newFolio(order: FolioOrder = .base, flags: FolioFlags = []) -> FolioID {
    folios.allocate(order: order, flags: flags.union(.swapBacked))
  }

  /// `folio_mark_dirty`.
  mutating func markDirty(_ folio: FolioID) { folios.insert(.dirty, folio) }

  /// The exclusive bit of a page: the folio's flag for small folios, the page's own for large ones.
  @inline(__always)
  package func pageBit(_ folio: FolioID, _ page: Int) -> Claim {
    let flags = folios.flags(folio)
    if flags.contains(.exclusiveUnknown) { return .unknown }
    return Claim(flags.contains(.large) ? folios.isExclusive(folio, page: page) : flags.contains(.exclusive))
  }

  @inline(never)
  package mutating func setPageBit(_ folio: FolioID, _ page: Int, _ value: Bool) {
    folios.remove(.exclusiveUnknown, folio)
    guard folios.flags(folio).contains(.large) else {
      setFolioBit(folio, value)
      return
    }
    folios.setExclusive(folio, page: page, value)
  }

  @inline(never)
  mutating func setFolioBit(_ folio: FolioID, _ value: Bool) {
    folios.remove(.exclusiveUnknown, folio)
    if value { folios.insert(.exclusive, folio) } else { folios.remove(.exclusive, folio) }
  }
}
