// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Reclaim and swap-in. The counters tell how many pages of an mm went out; which ones, the write to swap or the free
/// that follows.
extension ReplayDriver {
  mutating func swappedOut(_ mm: MMID, _ pages: UInt64) {
    occurrences.insert(.swapOut)
    dropped.take(mm, pages)
    unseen.doubtSwap(mm)
    hidden.swappedOut()
    noteReclaimed(mm)
    unmappedToSwap[current.task, default: 0] += Int(clamping: pages)
  }

  /// `pageout`: every mapping of the folio is a swap entry by now. The counters told how many, not which.
  mutating func swapWritten(_ pfn: PFN) {
    if !leaving.isEmpty { leftByReclaim(pfn) }
    noteGone(pfn)
    splitForSwap(pfn)
    let mappers = lockstep.baseline.memory.mappers(of: pfn)
    for owner in mappers {
      noteTouched(owner.mm, owner.page)
      noteReclaimed(owner.mm)
      unseen.doubtSwap(owner.mm)
    }
    guard let first = mappers.first, let folio = lockstep.baseline.memory.folio(at: pfn) else { return }
    explainUnmapped(mappers.count * lockstep.baseline.memory.pageCount(of: folio))
    // A page whose slot has it already, or that MADV_FREE gave up, is written only when it was stored to since.
    run(.settleDirty(first.mm, first.page, isDirty: true))
    // When the write ends is not told; a folio that waits for it is copied, and seldom met.
    let swapOut = Operation.swapOut(
      first.mm, first.page, keepsCache: true, writeback: false, stableWrites: false)
    // A lazyfree page that was stored to: reclaim fails to drop it, makes it swapbacked, and comes back.
    if lockstep.baseline.memory.isLazyfree(folio) { run(swapOut) }
    run(swapOut)
    cached[lockstep.baseline.memory.pfn(of: folio) ?? pfn] = (first.mm, first.page)
  }

  /// A page that is what its swap slot holds is not written again: reclaim unmaps it and frees it. `false`: it was not
  /// reclaim.
  mutating func cleanlyReclaimed(_ pfn: PFN, _ order: FolioOrder) -> Bool {
    guard unmappedToSwap[current.task] != nil else { return false }
    if order == .base { splitForSwap(pfn) }
    let mappers = lockstep.baseline.memory.mappers(of: pfn)
    guard let first = mappers.first, let folio = lockstep.baseline.memory.folio(at: pfn),
      mappers.allSatisfy({ !lockstep.baseline.memory.isDying($0.mm) })
    else { return false }
    for owner in mappers { noteTouched(owner.mm, owner.page) }
    explainUnmapped(mappers.count * lockstep.baseline.memory.pageCount(of: folio))
    run(.settleDirty(first.mm, first.page, isDirty: false))
    run(.swapOut(first.mm, first.page, keepsCache: false, writeback: false, stableWrites: false))
    _ = lockstep.baseline.memory.pfnFreed(pfn)
    return true
  }

  /// A lazyfree page is freed by reclaim: it was clean, and is gone for everybody who mapped it
  /// (`ttu_anon_lazyfree_folio`). `false`: it is no such page.
  mutating func lazilyFreed(_ pfn: PFN) -> Bool {
    guard let folio = lockstep.baseline.memory.folio(at: pfn), lockstep.baseline.memory.isLazyfree(folio) else {
      return false
    }
    let mappers = lockstep.baseline.memory.mappers(of: pfn)
    guard let first = mappers.first, !lockstep.baseline.memory.isAnyDying(mappers) else { return false }
    // Within a removal the counters have to say that reclaim took it: MADV_PAGEOUT.
    if hidden.isUnmapping(current.task), !mappers.allSatisfy({ dropped.includes($0.mm) }) { return false }
    for owner in mappers {
      noteTouched(owner.mm, owner.page)
      dropped.take(owner.mm)
    }
    run(.settleDirty(first.mm, first.page, isDirty: false))
    run(.swapOut(first.mm, first.page, keepsCache: false, writeback: false, stableWrites: false), .lazyfree)
    for owner in lockstep.baseline.memory.mappers(of: pfn) {
      run(.zap(owner.mm, PageRange(start: owner.page, count: 1)), .lazyfree)
    }
    _ = lockstep.baseline.memory.pfnFreed(pfn)
    return true
  }

  private mutating func explainUnmapped(_ pages: Int) {
    guard let open = unmappedToSwap[current.task] else { return }
    unmappedToSwap[current.task] = open > pages ? open - pages : nil
  }

  /// Fewer pages were unmapped than the large folio has, or the frame is not its first: it was split before
  /// (`split_folio_to_list`).
  private mutating func splitForSwap(_ pfn: PFN) {
    guard let folio = lockstep.baseline.memory.folio(at: pfn), lockstep.baseline.memory.isLarge(folio),
      let owner = lockstep.baseline.memory.mappers(of: pfn).first, let unmapped = unmappedToSwap[current.task],
      unmapped < lockstep.baseline.memory.pageCount(of: folio) || lockstep.baseline.memory.pfn(of: folio) != pfn
    else { return }
    noteSplit(of: folio, at: pfn)
    run(.splitFolio(owner.mm, owner.page))
  }

  /// The frame of a folio that only the swapcache had: reclaim is done with it.
  mutating func swapCacheFreed(_ pfn: PFN) {
    guard let place = cached.removeValue(forKey: pfn) else { return }
    run(.endWriteback(place.mm, place.page, drops: true))
  }

  /// `MADV_POPULATE_READ` and `_WRITE` came back with success: what was a swap entry was read in, if only from the
  /// swapcache, which allocates nothing.
  mutating func readSwapIn(_ mm: MMID, _ range: PageRange, writes: Bool) {
    guard unseen.isSwapping(mm) else { return }
    var pages: [VirtualPage] = []
    lockstep.baseline.memory.forEachEntry(mm, range) { page, entry in
      if entry.kind == .swap { pages.append(page) }
    }
    for page in pages {
      noteTouched(mm, page)
      run(.swapIn(mm, page, facts(mm, page), write: writes))
    }
  }

  /// No counter tells a swap-in (`KernelFacts.batchesCounters`): that the entry is a swap entry has to do.
  mutating func swappedInUncounted(
    _ mm: MMID, _ page: VirtualPage, _ outcome: FaultOutcome, _ access: FaultAccess, _ vma: VMAFacts
  ) -> Bool {
    guard !access.contains(.present), lockstep.baseline.memory.entry(mm, page).kind == .swap else { return false }
    switch outcome {
    case .quiet, .file: followSwapIn(mm, page, nil, .none, access, vma)
    case .copiedFromFile(let pfn, _): followSwapIn(mm, page, pfn, .none, access, vma)
    case .anonymous, .copied, .swappedIn, .refused, .raced, .pooled, .surplus, .unexplained, .lost: return false
    }
    return true
  }

  /// `do_swap_page`. The frame is new where the fault allocated one, the swapcache's where it did not.
  mutating func followSwapIn(
    _ mm: MMID, _ page: VirtualPage, _ pfn: PFN?, _ copy: SwapInCopy, _ access: FaultAccess, _ vma: VMAFacts
  ) {
    switch lockstep.baseline.memory.entry(mm, page).kind {
    case .swap: break
    case .present:
      // It went out again while it was clean: nothing was written. Of its neighbours in a large folio that says nothing.
      if let known = lockstep.baseline.memory.mappedPage(mm, page), lockstep.baseline.memory.isLarge(known.folio) {
        if let head = lockstep.baseline.memory.pfn(of: known.folio) { noteSplit(of: known.folio, at: head) }
        run(.splitFolio(mm, page), .folioSplit)
      }
      run(.swapOut(mm, page, keepsCache: true, writeback: false, stableWrites: false))
    case .none, .zeroPage, .filePage, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate,
      .deviceExclusive, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
      unknown(.decision, mm, page, .entryNotSeen)
      run(.zap(mm, PageRange(start: page, count: 1)), .swapIn)
      run(.learn(mm, page, LearnedEntry()), .swapIn)
      return
    }
    let outcome = run(.swapIn(mm, page, vma, write: access.contains(.write) && copy != .givenBack))
    if let pfn, copy != .made { bind(outcome, pfn) }
  }
}
