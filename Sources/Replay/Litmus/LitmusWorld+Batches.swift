// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Batches of entries whose dirty bits are ORed, and a reuse in halves.
extension World {
  /// arm64 `contpte_convert`: a block of entries of one folio, equal in all but young and dirty, becomes one; both
  /// bits are ORed over it.
  mutating func foldContpteBlock(_ refs: [EntryRef]) {
    let entries = refs.map { tables.entry($0) }
    guard let first = entries.first, entries.allSatisfy({ $0.kind == .present && $0.index == first.index }),
      entries.allSatisfy({ $0.writable == first.writable && $0.softDirty == first.softDirty }),
      E.id != .cStrict || !switches.contains(.cContPTE)
        || first.writable || entries.allSatisfy({ $0.dirty == first.dirty })
    else { return }
    orDirty(refs)
  }

  /// arm64 `mremap_folio_pte_batch`: needs a contpte hint to start, then runs over consecutive pages of the folio
  /// that agree in W; the batch is written back with its dirty bits ORed.
  mutating func batchForMove(_ refs: [EntryRef]) {
    var position = 0
    while position < refs.count {
      let first = tables.entry(refs[position])
      var end = position + 1
      if first.kind == .present, folios.order(FolioID(first.index)).pageCount >= 16 {
        while end < refs.count, refs[end].raw == refs[position].raw + UInt32(end - position) {
          let next = tables.entry(refs[end])
          guard next.kind == .present, next.index == first.index, next.page == first.page + end - position,
            next.writable == first.writable, E.mayBatch(self, first, next)
          else { break }
          end += 1
        }
      }
      if end - position >= 16 { orDirty(Array(refs[position..<end])) }
      position = end
    }
  }

  private mutating func orDirty(_ refs: [EntryRef]) {
    guard refs.contains(where: { tables.entry($0).dirty }) else { return }
    for ref in refs {
      var entry = tables.entry(ref)
      entry.dirty = true
      update(entry, at: ref)
    }
  }

  /// The rest of a write fault whose reuse check has passed (`wp_page_reuse`).
  mutating func commitReuse(_ ref: EntryRef, _ vma: VMAFacts) {
    E.reused(&self, ref, .write)
    var entry = tables.entry(ref)
    if vma.mayWrite { entry = entry.withWrite }
    entry.dirty = true
    entry.softDirty = true
    entry.young = true
    update(entry, at: ref)
  }

  /// Seed 002: for every batch `commit_anon_folio_batch` asked the folio's first pages instead of the batch's. The
  /// correct pass has run; write is decided again.
  mutating func decideByWrongPage(_ batches: [[EntryRef]], _ vma: VMAFacts) {
    for batch in batches {
      for (index, ref) in batch.enumerated() {
        let entry = tables.entry(ref)
        guard entry.kind == .present, !entry.protnone, !entry.uffdWP, !vma.needsSoftDirtyWP(entry), vma.mayWrite else {
          continue
        }
        let isWritable = pageBit(FolioID(entry.index), index).isExclusive
        update(isWritable ? entry.withWrite : entry.withoutWrite, at: ref)
      }
    }
  }

  /// The batches `change_pte_range` will take the range in: those of large folios.
  func protectionBatches(_ mm: MMID, _ range: PageRange) -> [[EntryRef]] {
    let refs = liveRefs(mm, range)
    var batches: [[EntryRef]] = []
    var position = 0
    while position < refs.count {
      let entry = tables.entry(refs[position])
      guard entry.kind == .present, !isHuge(refs[position]), folios[FolioID(entry.index)].flags.contains(.large) else {
        position += 1
        continue
      }
      let end = batchEnd(refs, from: position)
      batches.append(Array(refs[position..<end]))
      position = end
    }
    return batches
  }
}
