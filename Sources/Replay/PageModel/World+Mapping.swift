// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// The primitive steps of which transitions are made: an entry appears, changes bits, or goes, and the counts of
/// what it refers to follow.
extension World {
  func isHuge(_ ref: EntryRef) -> Bool { tables[ref.table].isHuge }

  /// Writes an entry where none (or one without references) is.
  mutating func place(_ entry: Entry, at ref: EntryRef) {
    let old = tables.entry(ref)
    precondition(!old.kind.refersToFolio && old.kind != .swap, "placing over a \(old.kind) entry")
    if old.verdict != .ok { recarried.append(ref) }
    tables.write(settled(entry), at: ref)
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
    touch(ref)
  }

  /// Removes whatever is at `ref`, and frees the folio or swap slot nobody refers to any more. Exclusivity
  /// is left as it is (I15).
  mutating func drop(_ ref: EntryRef) {
    let entry = tables.entry(ref)
    if entry.kind.refersToFolio {
      E.removed(&self, ref, entry)
      tables.write(.none, at: ref)
      detach(ref, entry)
      release(entry.folio)
    } else {
      tables.write(.none, at: ref)
      if entry.kind == .swap { releaseSwapEntry(entry.swapSlot) }
    }
    touch(ref)
  }

  /// Changes bits of the entry; its kind may change between kinds that refer to the same page.
  package mutating func update(_ entry: Entry, at ref: EntryRef) {
    let old = tables.entry(ref)
    tables.write(settled(entry), at: ref)
    if old.kind.refersToFolio, old.kind.isMigration != entry.kind.isMigration {
      let folio = entry.folio
      if entry.kind.isMigration {
        folios.withSide(folio) { $0.migrations += 1 }
        mmUnmapped(ref, folio)
      } else {
        folios.withSide(folio) { $0.migrations -= 1 }
        mmMapped(ref, folio)
      }
    }
    touch(ref)
  }

  /// Where stores are not seen, a writable clean entry may be dirty by now: hardware sets the bit silently.
  @inline(__always)
  func settled(_ entry: Entry) -> Entry {
    guard options.storesAreSilent, entry.writable, !entry.dirty, entry.kind == .present else { return entry }
    var entry = entry
    entry.dirtyUnknown = true
    return entry
  }

  private mutating func detach(_ ref: EntryRef, _ entry: Entry) {
    detach(ref, from: entry.folio, page: entry.page)
    unmapped(ref, entry)
  }

  /// The counts beside the mapping list, after an entry was taken off it.
  mutating func unmapped(_ ref: EntryRef, _ entry: Entry) {
    let folio = entry.folio
    let before = standing(folio)
    countUnmapped(ref, entry)
    touchDiverged(folio, lost: isHuge(ref) ? nil : entry.page, standing: before)
  }

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

  // — the per-page flag, as storage

  /// The exclusive bit of a page: the folio's flag for small folios, the page's own for large ones.
  @inline(__always)
  package func pageBit(_ folio: FolioID, _ page: Int) -> Claim {
    let flags = folios.flags(folio)
    if flags.contains(.exclusiveUnknown) { return .unknown }
    return Claim(flags.contains(.large) ? folios.isExclusive(folio, page: page) : flags.contains(.exclusive))
  }

  package mutating func setPageBit(_ folio: FolioID, _ page: Int, _ value: Bool) {
    folios.remove(.exclusiveUnknown, folio)
    guard folios.flags(folio).contains(.large) else {
      setFolioBit(folio, value)
      return
    }
    folios.setExclusive(folio, page: page, value)
  }

  mutating func setFolioBit(_ folio: FolioID, _ value: Bool) {
    folios.remove(.exclusiveUnknown, folio)
    if value { folios.insert(.exclusive, folio) } else { folios.remove(.exclusive, folio) }
  }
}

/// Physical frames (the world that follows the kernel).
extension World {
  package mutating func bind(_ pfn: PFN, to folio: FolioID) {
    if let stale = frames.folio(pfn), stale != folio { frames.unbind(stale, pages: folios.order(stale).pageCount) }
    frames.unbind(folio, pages: folios.order(folio).pageCount)
    frames.bind(pfn, pages: folios.order(folio).pageCount, to: folio)
  }

  @inline(__always)
  package func folio(at pfn: PFN) -> FolioID? { frames.folio(pfn) }

  /// The frame of the folio's head page.
  package func pfn(of folio: FolioID) -> PFN? { frames.frame(folio) }

  /// The page allocator has the frame back. `true` when the model still mapped it: the stream was misunderstood.
  package mutating func pfnFreed(_ pfn: PFN) -> Bool {
    guard let folio = frames.folio(pfn) else { return false }
    let stillMapped = folios.attached(folio) > 0
    frames.unbind(folio, pages: folios.order(folio).pageCount)
    return stillMapped
  }
}
