// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

extension World {
  /// `try_to_unmap_one`: reclaim drops a lazyfree folio when it is clean and nobody holds it. A dirty one becomes
  /// swapbacked again. On failure the kernel puts the batch back with the dirty bits ORed together, and otherwise as the
  /// first entry was.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func discardLazyfree(_ folio: FolioID) -> Outcome {
    if skips(.lazyfreeDiscard) { return .nothing }
    if isLocked(folio) { return .failed(.busy) }
    for other in memory.mappings(of: folio) where memory.isHuge(other) { splitHugeEntry(other.table) }
    let refs = inWalkOrder(memory.mappings(of: folio))
    var position = 0
    while position < refs.count {
      var end = runEnd(refs, from: position)
      if let border = (position + 1..<end).first(where: { startsVMA(refs[$0]) }) { end = border }
      guard discardBatch(refs[position..<end], folio) else { return .failed(.busy) }
      position = end
    }
    return .done
  }

  /// `folio_unmap_pte_batch`, where there is one.
  private func runEnd(_ refs: [EntryRef], from start: Int) -> Int {
    switch facts.lazyfreeRuns {
    case .single: start + 1
    case .mixed: batchEnd(refs, from: start) { _, _ in true }
    case .alike:
      batchEnd(refs, from: start) { first, next in
        next.writable == first.writable && next.softDirty == first.softDirty && E.mayBatch(self, first, next)
      }
    }
  }

  private mutating func discardBatch(_ batch: ArraySlice<EntryRef>, _ folio: FolioID) -> Bool {
    let anyDirty = batch.contains { tables.entry($0).dirty }
    let isDataDirty = batch.contains { E.isDataDirty(self, tables.entry($0)) }
    if isDataDirty { memory.markDirty(folio) }
    let isDirty = folios.flags(folio).contains(.dirty)
    guard isDirty || folios.isHeld(folio) else {
      folios.withSide(folio) { $0.extraReferences += 1 }
      for ref in batch {
        let owner = memory.owner(ref)
        reclaimed.append(ReclaimedPage(mm: owner.mm, page: owner.page, fate: .discarded))
        drop(ref)
      }
      folios.withSide(folio) { $0.extraReferences -= 1 }
      memory.release(folio)
      return true
    }
    if isDirty { folios.insert(.swapBacked, folio) }
    guard let first = batch.first.map({ tables.entry($0) }) else { return false }
    for ref in batch {
      var entry = tables.entry(ref)
      entry.dirty = anyDirty
      entry.writable = first.writable
      entry.softDirty = first.softDirty
      update(entry, at: ref)
    }
    return false
  }

  private func startsVMA(_ ref: EntryRef) -> Bool {
    guard !vmaStarts.isEmpty else { return false }
    let (mm, page) = memory.owner(ref)
    return vmaStarts[mm]?.contains(page) ?? false
  }

  /// The anon_vma tree gives parents before children, addresses ascending.
  private func inWalkOrder(_ refs: [EntryRef]) -> [EntryRef] {
    refs.sorted { first, second in
      let a = memory.owner(first)
      let b = memory.owner(second)
      return (a.mm, a.page) < (b.mm, b.page)
    }
  }
}
