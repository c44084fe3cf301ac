// SPDX-License-Identifier: GPL-2.0-only

/// Page tables deposited below PMD entries (`pgtable_trans_huge_deposit`, `_withdraw`): one list per PMD page, pushed
/// and popped at its head. A split gets whatever table stands there, not the one that was deposited for its slot.
extension World {
  /// The slot becomes a PMD entry.
  mutating func makeHuge(_ region: UInt32) {
    tables.setHuge(true, region: region)
    guard E.keepsTableState else { return }
    let table = tables[region]
    mms[Int(table.mm)]?.deposits[table.base &>> 9, default: []].append(region)
  }

  /// The PMD entry is gone: a table is withdrawn for its slot, or freed with it.
  mutating func makeTable(_ region: UInt32) {
    if E.keepsTableState, tables[region].isHuge { withdraw(for: region) }
    tables.setHuge(false, region: region)
  }

  private mutating func withdraw(for region: UInt32) {
    let table = tables[region]
    guard var list = mms[Int(table.mm)]?.deposits[table.base &>> 9], let head = list.popLast() else { return }
    if head != region, let own = list.firstIndex(of: region) {
      // The model keeps a slot's table with the slot: the two change places.
      E.tablesExchanged(&self, head, region)
      list[own] = head
    }
    mms[Int(table.mm)]?.deposits[table.base &>> 9] = list.isEmpty ? nil : list
  }

  /// The PMD entry moved to another PMD page, its table with it.
  mutating func depositMoved(_ region: UInt32, from base: UInt64) {
    guard E.keepsTableState else { return }
    let table = tables[region]
    guard var list = mms[Int(table.mm)]?.deposits[base &>> 9], let index = list.firstIndex(of: region) else { return }
    list.remove(at: index)
    mms[Int(table.mm)]?.deposits[base &>> 9] = list.isEmpty ? nil : list
    mms[Int(table.mm)]?.deposits[table.base &>> 9, default: []].append(region)
  }

  /// The slot whose table stands at the head of the list for this PMD entry.
  func headOfDeposits(_ region: UInt32) -> UInt32? {
    let table = tables[region]
    return mms[Int(table.mm)]?.deposits[table.base &>> 9]?.last
  }
}
