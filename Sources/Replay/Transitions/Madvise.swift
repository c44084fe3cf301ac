// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// `madvise` that neither zaps (`zap`), faults nor changes VMA flags.
extension World {
  /// O-42, `madvise_free_pte_range`: young and dirty go, write stays, swap entries are dropped. A folio that others
  /// map is left alone when it is dirty or in the swapcache, and a partly covered large folio is split first.
  package mutating func lazilyFree(_ mm: MMID, _ range: PageRange, _ vma: VMAFacts) {
    if skips(.madviseFree) { return }
    splitAtBorders(mm, range)
    splitPartlyCovered(mm, range)
    for ref in liveRefs(mm, range) {
      let entry = tables.entry(ref)
      switch entry.kind {
      case .swap: drop(ref)
      case .present: freeLazily(ref, entry)
      case .none, .zeroPage, .filePage, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate,
        .deviceExclusive, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
        break
      }
    }
  }

  private mutating func freeLazily(_ ref: EntryRef, _ entry: Entry) {
    let folio = FolioID(entry.index)
    let flags = folios.flags(folio)
    guard !flags.contains(.ksm) else { return }
    if !flags.isDisjoint(with: [.dirty, .swapCache]) {
      // `folio_maybe_mapped_shared`, folio_trylock, folio_free_swap.
      let isShared = isMaybeMappedShared(folio, from: ref)
      guard !isShared, !flags.contains(.locked) else { return }
      if flags.contains(.swapCache) {
        guard canFreeSwapCache(folio) else { return }
        freeSwapCache(folio)
      }
      folios.remove(.dirty, folio)
    }
    var freed = E.freedLazily(self, entry)
    freed.givenUp = true
    update(freed, at: ref)
    folios.remove(.swapBacked, folio)
  }

  /// `folio_maybe_mapped_shared`: more than one mapping of a small folio, or the mm-id bit of a large one.
  func isMaybeMappedShared(_ folio: FolioID, from ref: EntryRef) -> Bool {
    guard folios.flags(folio).contains(.large), let side = folios.side(folio) else { return mapcount(folio) > 1 }
    if isHuge(ref) { return mapcount(folio) > 1 }
    return side.mmIDs.mappedShared
  }

  /// O-43: MADV_COLD clears young only.
  package mutating func cool(_ mm: MMID, _ range: PageRange) {
    for ref in liveRefs(mm, range) {
      var entry = tables.entry(ref)
      guard entry.kind == .present else { continue }
      entry.young = false
      update(entry, at: ref)
    }
  }

  /// O-48: what was there is zapped, guard markers take its place.
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

  /// O-48: markers become none; tables that are empty now stay.
  package mutating func removeGuards(_ mm: MMID, _ range: PageRange) {
    if skips(.guardRemove) { return }
    for ref in liveRefs(mm, range) where tables.entry(ref).kind == .markerGuard { drop(ref) }
  }
}
