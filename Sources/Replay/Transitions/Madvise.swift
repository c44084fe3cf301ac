// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// `madvise` that neither zaps (`zap`), faults nor changes VMA flags (docs/semantics.md, "madvise").
extension World {
  /// `madvise_free_pte_range`, table by table: young and dirty go, write stays, swap entries are dropped.
  package mutating func lazilyFree(_ mm: MMID, _ range: PageRange, _ vma: VMAFacts) {
    if skips(.madviseFree) { return }
    for (table, part) in memory.tableParts(mm, range) {
      if tables[table].isHuge, freeHugeLazily(table, part) { continue }
      freeTableLazily(mm, part)
    }
  }

  /// `madvise_free_huge_pmd`. True: the PMD stays; what others map too is left alone. False: the folio was split,
  /// because the range covers only a part of it.
  private mutating func freeHugeLazily(_ table: TableID, _ part: PageRange) -> Bool {
    let ref = EntryRef(table: table, slot: 0)
    let entry = tables.entry(ref)
    guard entry.kind == .present else { return true }
    let folio = entry.folio
    let isHugetlb = folios.flags(folio).contains(.hugetlb)
    if isHugetlb || isMaybeMappedShared(folio, from: ref) || isLocked(folio) { return true }
    if part.count < PageTables.entriesPerTable { return splitFolio(folio) != .done }
    freeLazily([ref], folio)
    return true
  }

  private mutating func freeTableLazily(_ mm: MMID, _ part: PageRange) {
    var refs = memory.liveRefs(mm, part)
    var position = 0
    while position < refs.count {
      let ref = refs[position]
      let entry = tables.entry(ref)
      switch entry.kind {
      case .swap, .hwpoison, .markerPoison: drop(ref)
      case .present:
        let folio = entry.folio
        let end = batchEnd(refs, from: position) { _, _ in true }
        if end - position == folios.order(folio).pageCount {
          freeLazily(refs[position..<end], folio)
        } else if !isMaybeMappedShared(folio, from: ref), !isLocked(folio), splitFolio(folio) == .done {
          // A large folio that is not all mapped within the range gives way to small ones, which come again.
          refs = memory.liveRefs(mm, PageRange(start: memory.owner(ref).page, end: part.end))
          position = 0
          continue
        }
        position = end
        continue
      case .none, .zeroPage, .filePage, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate,
        .deviceExclusive, .markerUffdWP, .markerGuard:
        break
      }
      position += 1
    }
  }

  /// All pages of the folio. What others map too is left alone when the folio is dirty or in the swapcache.
  private mutating func freeLazily(_ refs: ArraySlice<EntryRef>, _ folio: FolioID) {
    let flags = folios.flags(folio)
    guard !flags.contains(.ksm) else { return }
    if !flags.isDisjoint(with: [.dirty, .swapCache]) {
      guard memory.mapcount(folio) == refs.count, !isLocked(folio) else { return }
      if flags.contains(.swapCache) {
        guard memory.canFreeSwapCache(folio) else { return }
        memory.freeSwapCache(folio)
      }
      folios.remove(.dirty, folio)
    }
    for ref in refs {
      var freed = E.freedLazily(self, tables.entry(ref))
      freed.givenUp = true
      update(freed, at: ref)
    }
    folios.remove(.swapBacked, folio)
  }

  /// `folio_maybe_mapped_shared`: more than one mapping of a small folio, or the mm-id bit of a large one.
  func isMaybeMappedShared(_ folio: FolioID, from ref: EntryRef) -> Bool {
    guard folios.flags(folio).contains(.large), let side = folios.side(folio) else { return memory.mapcount(folio) > 1 }
    if memory.isHuge(ref) { return memory.mapcount(folio) > 1 }
    return side.mmIDs.mappedShared
  }

  /// MADV_COLD clears young only.
  package mutating func cool(_ mm: MMID, _ range: PageRange) {
    for ref in memory.liveRefs(mm, range) {
      var entry = tables.entry(ref)
      guard entry.kind == .present else { continue }
      entry.young = false
      update(entry, at: ref)
    }
  }

  /// `madvise_guard_install`: what was there is zapped, guard markers take its place.
  package mutating func installGuards(_ mm: MMID, _ range: PageRange) {
    if skips(.guardInstall) { return }
    zap(mm, range)
    var page = range.start
    while page < range.end {
      let ref = ensure(mm, page)
      if tables.entry(ref).kind != .none { drop(ref) }
      place(Entry(.markerGuard), at: ref)
      page = page.advanced(by: 1)
    }
  }

  /// `madvise_guard_remove`: markers become none; tables that are empty now stay.
  package mutating func removeGuards(_ mm: MMID, _ range: PageRange) {
    if skips(.guardRemove) { return }
    for ref in memory.liveRefs(mm, range) where tables.entry(ref).kind == .markerGuard { drop(ref) }
  }
}
