// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What is known of a page table.
package enum PageTableState: Int, Sendable, CaseIterable {
  case absent
  /// All its entries are none.
  case empty
  case filled
  /// A PMD entry stands in its place, and has it for when it is split.
  case deposited
  /// It is there; whether it has an entry is not known.
  case uncounted
}

/// Which page tables there are, and what is in them.
extension Memory {
  package func tableState(_ table: TableID) -> PageTableState {
    let state = tables[table]
    guard state.mm != noIndex else { return .absent }
    if state.isHuge {
      // hugetlb deposits none; the one below a THP is freed with its PMD (`zap_deposited_table`).
      let isHugetlb = state.pmd.refersToFolio && folios.flags(state.pmd.folio).contains(.hugetlb)
      return state.live > 0 && !isHugetlb ? .deposited : .absent
    }
    if state.live > 0 { return .filled }
    let slot = Int(state.mm)
    return !state.isUncounted && mms[slot]?.isComplete == true && mms[slot]?.tablesUnknown == nil
      ? .empty : .uncounted
  }

  /// Page tables of an mm, of all levels but the top one: `mm_pgtables_bytes`, by the page.
  package func tableCount(_ mm: MMID) -> Int {
    guard let slot = slot(of: mm), let tableIDs = mms[Int(slot)]?.tables else { return 0 }
    return (upperTables?.count(slot) ?? 0) + tableIDs.count { tableState($0) != .absent }
  }

  /// A page table for this base (vpn / 512) is there.
  package func hasTable(_ mm: MMID, base: UInt64) -> Bool {
    table(mm, base: base).map { tableState($0) != .absent } ?? false
  }

  /// A page table is there whose entries are not all known.
  package func isUncounted(_ mm: MMID, _ page: VirtualPage) -> Bool {
    table(mm, base: page.rawValue &>> 9).map { tables[$0].isUncounted } ?? false
  }

  /// Anything of the range is an anonymous page, or was one that is swapped out.
  func hasAnonymous(_ mm: MMID, _ range: PageRange) -> Bool {
    tableParts(mm, range).contains { table, part in
      if tables[table].live == 0 { return false }
      if tables[table].isHuge { return true }
      let first = Int(part.start.rawValue & 511)
      return tables.hasAnonymous(table, first..<first + part.count)
    }
  }

  /// Why the page tables of the mm are not known; `nil` also where the mm itself is not.
  package func tablesUnknown(_ mm: MMID) -> TableDoubt? {
    slot(of: mm).flatMap { mms[Int($0)]?.tablesUnknown }
  }

  /// Page tables of the mm may have come, gone or been filled unseen.
  package mutating func doubtTables(_ mm: MMID, _ cause: TableDoubt) {
    guard let slot = slot(of: mm), mms[Int(slot)]?.tablesUnknown == nil else { return }
    mms[Int(slot)]?.tablesUnknown = cause
  }

  /// Which tables changed since they were forgotten.
  package var changedTables: ContiguousArray<TableID> { tables.changed }

  /// Asked after each event that took a step.
  @inline(__always)
  var hasChangedTables: Bool { !tables.changed.isEmpty }

  /// PMD and PUD tables of all mms.
  package var upperTableCount: Int { upperTables?.count ?? 0 }

  package var notesTableChanges: Bool {
    get { tables.notesChanges }
    set { tables.notesChanges = newValue }
  }

  package mutating func forgetTableChanges() { tables.forgetChanges() }
}
