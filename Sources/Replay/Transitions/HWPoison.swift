// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

extension World {
  /// `hwpoison_user_mappings`: every mapping becomes a hwpoison entry; the page keeps its stale flag and is never used
  /// again.
  package mutating func poison(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.poison) { return .nothing }
    guard let first = memory.find(mm, page), tables.entry(first).kind == .present else { return .nothing }
    let folio = tables.entry(first).folio
    if isLocked(folio) { return .failed(.busy) }
    if folios.flags(folio).contains(.large), splitFolio(folio) != .done { return .failed(.busy) }
    guard let ref = memory.find(mm, page) else { return .nothing }
    let poisoned = tables.entry(ref).folio
    if folios.flags(poisoned).contains(.swapCache) { return poisonCached(poisoned) }
    folios.insert(.hwpoison, poisoned)
    folios.withSide(poisoned) { $0.extraReferences += 1 }
    for other in memory.mappings(of: poisoned) {
      if E.isDataDirty(self, tables.entry(other)) { memory.markDirty(poisoned) }
      substitute(Entry(.hwpoison, poisoned), at: other)
    }
    return .done
  }

  /// In the swapcache (`unmap_poisoned_folio`, 6.12): swap entries instead of hwpoison entries. A clean page leaves the
  /// cache, its slot has the data (`me_swapcache_clean`); a dirty one stays to kill whoever asks for it
  /// (`me_swapcache_dirty`).
  private mutating func poisonCached(_ folio: FolioID) -> Outcome {
    for other in memory.mappings(of: folio).reversed() where !unmapToSwap(other) { return .failed(.busy) }
    folios.insert(.hwpoison, folio)
    folios.withSide(folio) { $0.extraReferences += 1 }
    if folios.flags(folio).contains(.dirty) {
      folios.remove(.dirty, folio)
    } else {
      memory.removeFromSwapCache(folio)
    }
    return .done
  }
}
