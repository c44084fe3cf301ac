// SPDX-License-Identifier: GPL-2.0-only

/// Page tables deposited below PMD entries (`pgtable_trans_huge_deposit`, `_withdraw`): one list per PMD page, pushed
/// and popped at its head. A split gets whatever table stands there, not the one that was deposited for its slot.
extension World {
  /// The slot becomes a PMD entry.
  mutating func makeHuge(_ table: TableID) {
    tables.setHuge(true, table: table)
    guard E.keepsTableState else { return }
    let state = tables[table]
    mms[Int(state.mm)]?.deposits[state.base &>> 9, default: []].append(table)
  }

  /// The PMD entry is gone: a table is withdrawn for its slot, or freed with it.
  mutating func makeTable(_ table: TableID) {
    if E.keepsTableState, tables[table].isHuge { withdraw(for: table) }
    tables.setHuge(false, table: table)
  }

  private mutating func withdraw(for table: TableID) {
    let state = tables[table]
    guard var list = mms[Int(state.mm)]?.deposits[state.base &>> 9], let head = list.popLast() else { return }
    if head != table, let own = list.firstIndex(of: table) {
      // The model keeps a slot's table with the slot: the two change places.
      E.tablesExchanged(&self, head, table)
      list[own] = head
    }
    mms[Int(state.mm)]?.deposits[state.base &>> 9] = list.isEmpty ? nil : list
  }

  /// The PMD entry moved to another PMD page, its table with it.
  mutating func depositMoved(_ table: TableID, from base: UInt64) {
    guard E.keepsTableState else { return }
    let state = tables[table]
    guard var list = mms[Int(state.mm)]?.deposits[base &>> 9], let index = list.firstIndex(of: table) else { return }
    list.remove(at: index)
    mms[Int(state.mm)]?.deposits[base &>> 9] = list.isEmpty ? nil : list
    mms[Int(state.mm)]?.deposits[state.base &>> 9, default: []].append(table)
  }

  /// The slot whose table stands at the head of the list for this PMD entry.
  func headOfDeposits(_ table: TableID) -> TableID? {
    let state = tables[table]
    return mms[Int(state.mm)]?.deposits[state.base &>> 9]?.last
  }
}
