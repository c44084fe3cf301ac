// SPDX-License-Identifier: GPL-2.0-only

extension World {
  /// `try_to_unmap_one` for a single entry, in the middle of somebody else's walk (O-51): the folio stays in the
  /// swapcache.
  mutating func unmapOneToSwap(_ ref: EntryRef, stableWrites: Bool) -> Outcome {
    let entry = tables.entry(ref)
    guard entry.kind == .present, !isHuge(ref) else { return .nothing }
    let folio = FolioID(entry.index)
    if E.claim(self, ref, entry) != .shared, isPinned(folio) { return .failed(.busy) }
    if !folios[folio].flags.contains(.swapCache) { addToSwapCache(folio, stableWrites: stableWrites) }
    guard let slot = folios.side(folio)?.slots[entry.page], slot != noIndex else { return .failed(.busy) }
    if E.isDataDirty(self, entry) { markDirty(folio) }
    var swap = Entry(.swap, index: slot)
    swap.exclusiveMark = E.temporarilyUnmapped(&self, ref, entry)
    swap.softDirty = entry.softDirty
    swap.uffdWP = entry.uffdWP
    substitute(swap, at: ref)
    return .done
  }
}
