// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// The mms, and where their entries are.
extension Memory {
  /// A new mm. Only one built by `exec`, or forked from a complete one, is fully known.
  package mutating func createMM(_ id: MMID, _ origin: MMOrigin) {
    let isComplete =
      switch origin {
      case .exec, .fork: true
      case .attached: false
      }
    let state = MMState(id: id, origin: origin, isComplete: isComplete)
    while slotOfMM.count <= Int(id.rawValue) { slotOfMM.append(noIndex) }
    precondition(slotOfMM[Int(id.rawValue)] == noIndex, "mm \(id.rawValue) created twice")
    if let free = freeMMs.popLast() {
      mms[Int(free)] = state
      slotOfMM[Int(id.rawValue)] = free
    } else {
      mms.append(state)
      slotOfMM[Int(id.rawValue)] = UInt32(mms.count - 1)
    }
  }

  package func isLive(_ id: MMID) -> Bool { slot(of: id) != nil }

  @inline(__always)
  func slot(of id: MMID) -> UInt32? {
    guard Int(id.rawValue) < slotOfMM.count else { return nil }
    let slot = slotOfMM[Int(id.rawValue)]
    return slot == noIndex ? nil : slot
  }

  /// Where the entry for a page is; `nil` without a page table (or mm). A PMD-mapped page gives the PMD entry.
  @inline(__always)
  package func find(_ id: MMID, _ page: VirtualPage) -> EntryRef? {
    guard let table = table(id, base: page.rawValue &>> 9) else { return nil }
    return ref(table, page)
  }

  /// The page table (or PMD slot) for a 2 MiB block.
  @inline(__always)
  func table(_ id: MMID, base: UInt64) -> TableID? {
    guard let slot = slot(of: id) else { return nil }
    return mms[Int(slot)]?.peekTable(base: base)
  }

  @inline(__always)
  func ref(_ table: TableID, _ page: VirtualPage) -> EntryRef {
    EntryRef(table: table, slot: tables[table].isHuge ? 0 : Int(page.rawValue & 511))
  }

  /// The page table for a 2 MiB block of a live mm, made if there is none.
  @inline(never)
  mutating func ensureTable(_ id: MMID, base: UInt64, relative: TableID?) -> (table: TableID, isNew: Bool) {
    guard let slot = slot(of: id) else { preconditionFailure("mm \(id.rawValue) is not live") }
    if let table = mms[Int(slot)]?.table(base: base) { return (table, false) }
    let table = tables.allocate(mm: slot, base: base, relative: relative)
    mms[Int(slot)]?.insert(table: table, base: base)
    upperTables?.insert(above: base, slot)
    return (table, true)
  }

  /// The entry, `.none` when there is no table.
  package func entry(_ id: MMID, _ page: VirtualPage) -> Entry {
    find(id, page).map { tables.entry($0) } ?? .none
  }

  package func entry(_ ref: EntryRef) -> Entry { tables.entry(ref) }

  /// Whose entry it is.
  package func owner(_ ref: EntryRef) -> (mm: MMID, page: VirtualPage) {
    let table = tables[ref.table]
    guard let id = mms[Int(table.mm)]?.id else { preconditionFailure("page table without an mm") }
    let slot = table.isHuge ? 0 : ref.slot
    return (id, VirtualPage(table.base &<< 9 | UInt64(slot)))
  }

  package func isPMDMapped(_ id: MMID, _ page: VirtualPage) -> Bool {
    find(id, page).map { tables[$0.table].isHuge } ?? false
  }

  /// Sizes for statistics.
  package var population: Population {
    Population(
      addressSpaces: mms.count - freeMMs.count, pageTables: tables.count, folios: folios.liveCount,
      swapSlots: slots.liveCount)
  }
}

package struct Population: Sendable, Equatable {
  package var addressSpaces: Int
  package var pageTables: Int
  package var folios: Int
  package var swapSlots: Int
}
