// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Swap-out, swap-in and swapoff: the swap entry carries exclusivity (docs/semantics.md, "Swap and reclaim").
extension World {
  /// `try_to_unmap` and the write-out. With `keepsCache` the folio stays in the swapcache, under writeback when
  /// `writeback`; else it is gone once written. A lazyfree folio is discarded instead.
  package mutating func swapOut(
    _ mm: MMID, _ page: VirtualPage, keepsCache: Bool = false, writeback: Bool = false, stableWrites: Bool = false
  ) -> Outcome {
    if skips(.swapOut) { return .nothing }
    guard let ref = memory.find(mm, page), tables.entry(ref).kind == .present else { return .nothing }
    let folio = tables.entry(ref).folio
    guard !folios.flags(folio).contains(.hugetlb) else { return .nothing }
    if isLocked(folio) || folios.flags(folio).contains(.writeback) { return .failed(.busy) }
    if !folios.flags(folio).contains(.swapBacked) { return discardLazyfree(folio) }
    if !folios.flags(folio).contains(.swapCache) {
      // `shrink_folio_list`: what may be pinned gets no swap space; its shared entries stay too.
      if memory.isPinned(folio) { return .failed(.busy) }
      for other in memory.mappings(of: folio) where memory.isHuge(other) { splitHugeEntry(other.table) }
      addToSwapCache(folio, stableWrites: stableWrites)
    }
    for other in memory.mappings(of: folio) where memory.isHuge(other) { splitHugeEntry(other.table) }
    let isHeld = folios.isHeld(folio)
    folios.withSide(folio) { $0.extraReferences += 1 }
    defer {
      folios.withSide(folio) { $0.extraReferences -= 1 }
      memory.release(folio)
    }
    let sawDirtyEntry = !translations.isEmpty && memory.mappings(of: folio).contains { tables.entry($0).dirty }
    var isBusy = false
    isReclaiming = true
    let mappers = memory.mappings(of: folio)
    for other in mappers.reversed() where !unmapToSwap(other) { isBusy = true }
    isReclaiming = false
    // `pageout` and `__remove_mapping`: somebody's reference keeps it in the swapcache, unwritten.
    if isBusy || memory.mapcount(folio) > 0 || isHeld { return .failed(.busy) }
    flushBeforeIO(folio, sawDirtyEntry: sawDirtyEntry)
    let fate: ReclaimedPage.Fate = folios.flags(folio).contains(.dirty) ? .written : .notWritten
    for other in mappers {
      let owner = memory.owner(other)
      reclaimed.append(ReclaimedPage(mm: owner.mm, page: owner.page, fate: fate))
    }
    writeOut(folio)
    if keepsCache {
      if writeback { folios.insert(.writeback, folio) }
    } else {
      memory.removeFromSwapCache(folio)
    }
    return .done
  }

  /// `folio_alloc_swap`: slots are found, and the folio is dirty because no slot holds its content yet.
  mutating func addToSwapCache(_ folio: FolioID, stableWrites: Bool) {
    var slotsOfPages: [SwapSlotID?] = []
    for page in 0..<folios.order(folio).pageCount {
      let slot = slots.allocate(stableWrites: stableWrites)
      slots[slot].folio = folio
      slots[slot].page = UInt16(page)
      slotsOfPages.append(slot)
    }
    folios.withSide(folio) { $0.slots = slotsOfPages }
    folios.insert([.swapCache, .dirty], folio)
    if stableWrites { folios.insert(.stableWrites, folio) }
  }

  /// `try_to_unmap_one`. False: exclusive and maybe pinned, the entry was put back.
  mutating func unmapToSwap(_ ref: EntryRef) -> Bool {
    let entry = tables.entry(ref)
    guard entry.kind == .present else { return false }
    let folio = entry.folio
    if E.claim(self, ref, entry) != .shared, memory.isPinned(folio) { return false }
    guard let slot = folios.side(folio)?.slot(of: entry.page) else { return false }
    let isDirty = E.isDataDirty(self, entry)
    if isDirty { memory.markDirty(folio) }
    if folios.flags(folio).contains(.ksm) { slots.holdsKSMPage(slot) }
    var swap = Entry(swap: slot)
    swap.exclusiveMark = E.temporarilyUnmapped(&self, ref, entry)
    swap.softDirty = entry.softDirty
    swap.uffdWP = entry.uffdWP
    substitute(swap, at: ref)
    return true
  }

  /// The entry names something else from here on; no removal in the sense of an encoding, and the old folio is kept.
  mutating func substitute(_ entry: Entry, at ref: EntryRef) {
    let old = tables.entry(ref)
    tables.write(.none, at: ref)
    if old.kind.refersToFolio {
      memory.detach(ref, from: old.folio, page: old.page)
      unmapped(ref, old)
    } else if old.kind == .swap {
      slots[old.swapSlot].entries -= 1
    }
    place(entry, at: ref)
  }

  /// `try_to_unmap_one` for a single entry, in the middle of somebody else's walk: the folio stays in the swapcache.
  package mutating func unmapOneToSwap(_ mm: MMID, _ page: VirtualPage, stableWrites: Bool) -> Outcome {
    if skips(.swapOutOne) { return .nothing }
    guard let ref = memory.find(mm, page), tables.entry(ref).kind == .present, !memory.isHuge(ref) else {
      return .nothing
    }
    let folio = tables.entry(ref).folio
    if isLocked(folio) { return .failed(.busy) }
    if !folios.flags(folio).contains(.swapCache) {
      if memory.isPinned(folio) || !folios.flags(folio).contains(.swapBacked) { return .failed(.busy) }
      addToSwapCache(folio, stableWrites: stableWrites)
    }
    return unmapToSwap(ref) ? .done : .failed(.busy)
  }

  /// The content reaches the device; a clean folio's slot keeps what it has.
  private mutating func writeOut(_ folio: FolioID) {
    guard folios.flags(folio).contains(.dirty) else { return }
    let slotsOfPages = folios.side(folio)?.slots ?? []
    for case (let page, let slot?) in slotsOfPages.enumerated() {
      slots[slot].content = folios.content(folio, page: page)
      swapWrites += 1
    }
    folios.remove(.dirty, folio)
  }

  /// Writeback of a cached folio ends; `drops`: reclaim takes the folio out of the swapcache.
  package mutating func endWriteback(_ mm: MMID, _ page: VirtualPage, drops: Bool) {
    if skips(.endWriteback) { return }
    guard let folio = cachedFolio(mm, page) else { return }
    folios.remove(.writeback, folio)
    guard drops, memory.mapcount(folio) == 0, !folios.flags(folio).contains(.dirty) else { return }
    memory.removeFromSwapCache(folio)
    memory.release(folio)
  }

  private func cachedFolio(_ mm: MMID, _ page: VirtualPage) -> FolioID? {
    guard let ref = memory.find(mm, page) else { return nil }
    let entry = tables.entry(ref)
    if entry.kind == .present { return entry.folio }
    return entry.kind == .swap ? slots[entry.swapSlot].folio : nil
  }

  /// `do_swap_page`. A write goes on as a write-protection fault where the entry came out read-only.
  package mutating func swapIn(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts, write: Bool) -> Outcome {
    if skips(.swapIn) { return .nothing }
    guard let ref = memory.find(mm, page), tables.entry(ref).kind == .swap else { return .nothing }
    if let cached = slots[tables.entry(ref).swapSlot].folio {
      if isLocked(cached) { return .failed(.busy) }
      // VM_FAULT_HWPOISON.
      if folios.flags(cached).contains(.hwpoison) { return .failed(.fault) }
    }
    let outcome = mapFromSwap(mm, page, ref, vma, write: write)
    guard write, case .swappedIn = outcome, !tables.entry(ref).writable else { return outcome }
    // `do_wp_page`; the reference of the lookup is the mapping's by now.
    return writeFault(mm, page, vma)
  }

  private mutating func mapFromSwap(
    _ mm: MMID, _ page: VirtualPage, _ ref: EntryRef, _ vma: VMAFacts, write: Bool
  ) -> Outcome {
    let swap = tables.entry(ref)
    let (folio, pageInFolio) = readIntoCache(swap.swapSlot)
    folios.withSide(folio) { $0.extraReferences += 1 }
    defer {
      folios.withSide(folio) { $0.extraReferences -= 1 }
      memory.release(folio)
    }
    if needsCopy(swap.swapSlot, folio, at: ref) {
      return swapInFresh(ref, swap, folio, pageInFolio, vma, write: write)
    }
    var isExclusive = swap.exclusiveMark
    var site = SharedSite.swapIn
    if isExclusive, memory.isUnderStableWriteback(folio) {
      isExclusive = false
      site = .stableWrites
    }
    slots[swap.swapSlot].entries -= 1
    let triesFree = vma.flags.contains(.locked) || (write && folios.attached(folio) == 0)
    let isSole = folios.attached(folio) == 0 && folios.side(folio)?.extraReferences == 1 && !memory.isPinned(folio)
    let canFree = triesFree && memory.canFreeSwapCache(folio)
    let isKSM = folios.flags(folio).contains(.ksm)
    if canFree, site != .stableWrites, facts.swapInReusesSoleReference, isSole, !isKSM { isExclusive = true }
    if !isExclusive {
      switch E.prepareShared(&self, ref, folio, site) {
      case .ready: break
      case .noMemory:
        slots[swap.swapSlot].entries += 1
        return .failed(.noMemory)
      case .copyInstead: return swapInCopy(ref, swap, folio, pageInFolio, vma)
      }
    }
    slots[swap.swapSlot].entries += 1
    if !isKSM { slots.mapped(swap.swapSlot, at: place(of: ref)) }
    mapSwapped(ref, swap, folio, pageInFolio, vma, write: write, isExclusive: isExclusive, site)
    if canFree { memory.freeSwapCache(folio) }
    return .swappedIn(folio)
  }

  mutating func mapSwapped(
    _ ref: EntryRef, _ swap: Entry, _ folio: FolioID, _ page: Int, _ vma: VMAFacts, write: Bool, isExclusive: Bool,
    _ site: SharedSite
  ) {
    var entry = Entry(.present, folio, page: page)
    entry.young = true
    entry.softDirty = swap.softDirty
    entry.uffdWP = swap.uffdWP
    if isExclusive, vma.mayWrite, !entry.uffdWP, !vma.needsSoftDirtyWP(entry),
      facts.swapInMapsExclusiveWritable || write
    {
      entry = vma.granting(entry)
      entry.dirty = write
      if write { entry.softDirty = true }
    }
    substitute(vma.marking(entry), at: ref)
    guard isExclusive else {
      E.installedShared(&self, ref, site)
      return
    }
    E.installedExclusive(&self, ref, .swapIn)
    if tables.entry(ref).writable, !E.mayMapWritable(self, ref, .swapIn) {
      var readOnly = tables.entry(ref).withoutWrite
      readOnly.dirty = false
      update(readOnly, at: ref)
    }
  }

  /// The folio cached for the slot, read in if there is none.
  private mutating func readIntoCache(_ id: SwapSlotID) -> (FolioID, Int) {
    let slot = slots[id]
    if let cached = slot.folio { return (cached, Int(slot.page)) }
    let folio = memory.newFolio(flags: slot.stableWrites ? [.swapCache, .stableWrites] : .swapCache)
    folios.withSide(folio) { $0.slots = [id] }
    slots[id].folio = folio
    slots[id].page = 0
    slots.readIn(id)
    if options.followsContent { folios.setContent(slot.content, of: folio, page: 0) }
    return (folio, 0)
  }

  /// `swapin_walk_pmd_entry`: the swapcache is filled, the entries stay.
  package mutating func readAhead(_ mm: MMID, _ range: PageRange) {
    for ref in memory.liveRefs(mm, range) where tables.entry(ref).kind == .swap {
      _ = readIntoCache(tables.entry(ref).swapSlot)
    }
  }

  /// `unuse_pte`: every swap entry of every mm becomes present, read-only, clean and old.
  package mutating func swapOff() -> Outcome {
    if skips(.swapOff) { return .nothing }
    for mm in mms {
      guard let mm else { continue }
      for ref in memory.liveRefs(mm.id, .everything) where tables.entry(ref).kind == .swap {
        if let cached = slots[tables.entry(ref).swapSlot].folio, isLocked(cached) { return .failed(.busy) }
        guard unuse(ref) else { return .failed(.noMemory) }
      }
    }
    // `try_to_unuse`: no swap entry is left, the folios still cached leave the swapcache too.
    for folio in slots.cachedFolios where folios.flags(folio).contains(.swapCache) {
      folios.remove(.writeback, folio)
      memory.freeSwapCache(folio)
    }
    return .done
  }

  private mutating func unuse(_ ref: EntryRef) -> Bool {
    let swap = tables.entry(ref)
    let (folio, page) = readIntoCache(swap.swapSlot)
    if folios.flags(folio).contains(.hwpoison) {
      substitute(Entry(.hwpoison, folio), at: ref)
      return true
    }
    folios.remove(.writeback, folio)
    let copy = needsCopy(swap.swapSlot, folio, at: ref) ? self.copy(of: folio, page) : nil
    let isExclusive = swap.exclusiveMark || copy != nil
    if !isExclusive {
      switch E.prepareShared(&self, ref, folio, .swapOff) {
      case .ready: break
      case .noMemory: return false
      case .copyInstead:
        folios.withSide(folio) { $0.extraReferences += 1 }
        slots[swap.swapSlot].entries -= 1
        _ = swapInCopy(ref, swap, folio, page, .anonymous)
        folios.withSide(folio) { $0.extraReferences -= 1 }
        memory.release(folio)
        return true
      }
    }
    if copy == nil, !folios.flags(folio).contains(.ksm) { slots.mapped(swap.swapSlot, at: place(of: ref)) }
    var entry = Entry(.present, copy ?? folio, page: copy == nil ? page : 0)
    entry.softDirty = swap.softDirty
    entry.uffdWP = swap.uffdWP
    substitute(entry, at: ref)
    if isExclusive {
      E.installedExclusive(&self, ref, .swapOff)
    } else {
      E.installedShared(&self, ref, .swapOff)
    }
    // The slot is about to vanish with its device.
    if memory.canFreeSwapCache(folio) { memory.freeSwapCache(folio) } else { memory.markDirty(folio) }
    return true
  }
}

extension PageRange {
  /// All of an address space.
  package static let everything = PageRange(start: VirtualPage(0), end: VirtualPage(.max))
}
