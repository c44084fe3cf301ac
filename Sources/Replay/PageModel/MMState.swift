// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Why page tables of an mm may have come, gone or been filled unseen.
package enum TableDoubt: Sendable {
  case placeNotSeen, hugetlb
  /// The kernel counts others than the model.
  case refuted
}

/// One mm: where its page tables are.
struct MMState: Sendable {
  let id: MMID
  var origin: MMOrigin
  /// The mm that the chain of forks began with.
  var family: MMID
  /// `MMF_HAS_PINNED`.
  var hasPinned = false
  /// `exit_mmap` is tearing the tables down: what it still maps may be gone already.
  var tearingDown = false
  /// Everything mapped is known (built by exec or by a fork of such an mm).
  var isComplete: Bool
  /// Where its page tables are (page number / 512), ascending, and the tables in the same order.
  private(set) var bases = ContiguousArray<UInt64>()
  private(set) var tables = ContiguousArray<TableID>()
  private var lastBase = UInt64.max
  private var lastTable = TableID(0)
  /// Why page tables may have come, gone or been filled unseen; `nil`: all are known, if the mm is complete.
  var tablesUnknown: TableDoubt?
  /// Per PMD page, the slots whose tables are deposited, the head last: where an encoding keeps state with tables.
  var deposits: [UInt64: [TableID]] = [:]
  /// `write_protect_seq`: odd while a fork of this mm runs.
  var writeProtectSequence: UInt32 = 0

  init(id: MMID, origin: MMOrigin, isComplete: Bool) {
    self.id = id
    family = id
    self.origin = origin
    self.isComplete = isComplete
  }

  /// Index of the first table whose base is not below `base`.
  func position(of base: UInt64) -> Int {
    var low = 0
    var high = bases.count
    while low < high {
      let middle = (low &+ high) / 2
      if bases[middle] < base { low = middle &+ 1 } else { high = middle }
    }
    return low
  }

  /// Bases, tables, and the index of the first that is not below `base`. They alone: whoever takes the whole state to
  /// look at them copies the rest too.
  func places(
    from base: UInt64
  ) -> (bases: ContiguousArray<UInt64>, tables: ContiguousArray<TableID>, first: Int) {
    (bases, tables, position(of: base))
  }

  mutating func table(base: UInt64) -> TableID? {
    if base == lastBase { return lastTable }
    let position = position(of: base)
    guard position < bases.count, bases[position] == base else { return nil }
    lastBase = base
    lastTable = tables[position]
    return lastTable
  }

  /// The same without touching the cache.
  func peekTable(base: UInt64) -> TableID? {
    if base == lastBase { return lastTable }
    let position = position(of: base)
    return position < bases.count && bases[position] == base ? tables[position] : nil
  }

  mutating func insert(table: TableID, base: UInt64) {
    let position = position(of: base)
    precondition(position == bases.count || bases[position] != base, "two page tables at one address")
    bases.insert(base, at: position)
    tables.insert(table, at: position)
    lastBase = base
    lastTable = table
  }

  mutating func remove(base: UInt64) {
    let position = position(of: base)
    precondition(position < bases.count && bases[position] == base, "no page table at \(base)")
    bases.remove(at: position)
    tables.remove(at: position)
    lastBase = .max
    lastTable = TableID(0)
  }
}
