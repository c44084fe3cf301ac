// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Entries that go for good: `munmap`, MADV_DONTNEED, truncation, `exit_mmap` (`zap_pte_range`). Exclusivity is
/// never set or cleared here, and a former sharer is not promoted (I15; docs/semantics.md, "Zap").
extension World {
  /// Guard markers survive MADV_DONTNEED but not munmap. A PMD mapping covered in part is split first.
  /// Returns entries removed.
  @discardableResult
  package mutating func zap(_ mm: MMID, _ range: PageRange, keepsMarkers: Bool = false) -> Int {
    if skips(.zap) { return 0 }
    splitAtBorders(mm, range)
    var removed = 0
    for ref in memory.liveRefs(mm, range) {
      if keepsMarkers, tables.entry(ref).kind.isMarker { continue }
      drop(ref)
      removed += 1
    }
    zapPins(mm, range)
    if range.end.rawValue &- range.start.rawValue >= 512 { countAgain(mm, range) }
    return removed
  }

  /// munmap, or DONTNEED of a whole table where the kernel reclaims it: tables that lie in the range and are empty
  /// are freed. `surroundings` is how far `free_pgtables` may go: up to the neighbouring VMAs.
  @discardableResult
  package mutating func freeEmptyTables(_ mm: MMID, _ range: PageRange) -> Int {
    if skips(.freeTables) { return 0 }
    guard let slot = memory.slot(of: mm),
      let (bases, tableIDs, first) = mms[Int(slot)]?.places(from: (range.start.rawValue &+ 511) &>> 9)
    else { return 0 }
    var freed = 0
    var position = first
    while position < bases.count, (bases[position] &+ 1) &<< 9 <= range.end.rawValue {
      if tables[tableIDs[position]].live == 0 {
        freeTable(tableIDs[position])
        freed += 1
      }
      position += 1
    }
    return freed
  }

  mutating func freeTable(_ table: TableID) {
    let state = tables[table]
    E.tableFreed(&self, table)
    makeTable(table)
    if E.keepsSlot(self, table) { return }
    mms[Int(state.mm)]?.remove(base: state.base)
    tables.free(table)
  }

  /// The mm's tables are about to be torn down; until `exitEnd` its entries may be gone in the kernel already.
  package mutating func exitBegin(_ mm: MMID) {
    guard let slot = memory.slot(of: mm), mms[Int(slot)]?.tearingDown == false else { return }
    mms[Int(slot)]?.tearingDown = true
    memory.dyingCount += 1
  }

  /// `exit_mmap` is through: nothing is mapped any more, the mm's memory in the model is given back.
  package mutating func exitEnd(_ mm: MMID) {
    if skips(.exit) { return }
    guard let slot = memory.slot(of: mm), let tableIDs = mms[Int(slot)]?.tables else { return }
    for table in tableIDs {
      dropAll(table)
      E.tableFreed(&self, table)
      tables.free(table)
    }
    zapPins(mm, .everything)
    memory.upperTables?.forget(slot)
    if mms[Int(slot)]?.tearingDown == true { memory.dyingCount -= 1 }
    mms[Int(slot)] = nil
    E.exited(&self, mm)
    memory.freeMMs.append(slot)
    memory.slotOfMM[Int(mm.rawValue)] = noIndex
  }

  /// The table goes with its entries: those of plain folios need not be cleared one by one.
  private mutating func dropAll(_ table: TableID) {
    defer { tables.empty(table) }
    guard tables[table].live > 0 else { return }
    if tables[table].isHuge {
      drop(EntryRef(table: table, slot: 0))
      return
    }
    var left = tables[table].live
    var slot = 0
    while left > 0, slot < PageTables.entriesPerTable {
      let ref = EntryRef(table: table, slot: slot)
      slot += 1
      let entry = tables.entry(ref)
      if entry.isNone { continue }
      left -= 1
      if entry.isPresent, folios.isPlain(entry.folio), pins.isEmpty {
        dropPlain(ref, entry)
      } else {
        drop(ref)
      }
    }
  }

  /// `drop` of a small folio that nothing is known of but its mappings, from an mm nobody will ask about again.
  @inline(__always)
  private mutating func dropPlain(_ ref: EntryRef, _ entry: Entry) {
    let folio = entry.folio
    E.removed(&self, ref, entry)
    folios.detach(ref, from: folio, page: 0, huge: false)
    if folios.flags(folio).contains(.diverged) {
      tables.write(.none, at: ref)
      touchDiverged(folio, lost: 0, standing: nil)
    }
    if folios.attached(folio) == 0 { memory.release(folio) }
  }

  /// A PMD entry that the range covers only in part becomes 512 PTEs (`__split_huge_pmd`).
  mutating func splitAtBorders(_ mm: MMID, _ range: PageRange) {
    for border in [range.start, range.end] where border.rawValue & 511 != 0 {
      if let ref = memory.find(mm, border), memory.isHuge(ref) { splitHugeEntry(ref.table) }
    }
  }
}
