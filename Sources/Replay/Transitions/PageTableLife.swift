// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Page tables as things that come and go, beside the entries that make one (docs/semantics.md, "Page tables").
extension World {
  /// `__handle_mm_fault`, `walk_page_range_mm`: a page table for all of the range. What it maps is not told.
  mutating func populateTables(_ mm: MMID, _ range: PageRange) {
    guard !range.isEmpty else { return }
    for base in range.start.rawValue &>> 9...(range.end.rawValue &- 1) &>> 9 {
      let ref = ensure(mm, VirtualPage(base &<< 9))
      if !tables[ref.table].isHuge { tables.setUncounted(true, table: ref.table) }
    }
  }

  /// `free_pgtables`: `hole` is what lies between two VMAs, and has none.
  mutating func freeTables(_ mm: MMID, _ hole: PageRange) {
    if skips(.freeTables) { return }
    freeEmptyTables(mm, hole)
    if let slot = memory.slot(of: mm) { memory.upperTables?.remove(within: hole, slot) }
  }

  /// Everything in the tables that lie in the range was zapped: what they map is known again.
  mutating func countAgain(_ mm: MMID, _ range: PageRange) {
    for (table, part) in memory.tableParts(mm, range) where part.count == PageTables.entriesPerTable {
      tables.setUncounted(false, table: table)
    }
  }

  /// `copy_pte_range` makes the child's table before it looks at an entry.
  mutating func copyEmptyTable(_ parent: TableID, _ page: VirtualPage, _ child: MMID) -> TableID {
    let table = ensure(child, page, relative: parent).table
    if tables[parent].isUncounted { tables.setUncounted(true, table: table) }
    return table
  }
}
