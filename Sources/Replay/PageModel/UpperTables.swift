// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The PMD and PUD tables of an mm: made on the way to a page table or a PMD entry, and there until `free_pgtables` finds
/// no VMA in what they span, whatever becomes of the tables below. The PGD is not counted, nor by `mm_pgtables_bytes`.
struct UpperTables: Sendable {
  /// Pages that a PMD and a PUD table span, as powers of two.
  private static let pmdSpan: UInt64 = 18
  private static let pudSpan: UInt64 = 27

  /// Virtual page numbers divided by the span, ascending.
  private var pmds = ContiguousArray<UInt64>()
  private var puds = ContiguousArray<UInt64>()

  var count: Int { pmds.count + puds.count }

  /// For a page table at `base` (vpn / 512). Returns how many are new.
  mutating func insert(above base: UInt64) -> Int {
    Self.insert(base &>> (Self.pmdSpan - 9), &pmds) + Self.insert(base &>> (Self.pudSpan - 9), &puds)
  }

  /// What fork makes for a VMA: wherever the parent has one (`copy_p4d_range`, `copy_pud_range`).
  mutating func insert(from parent: UpperTables, _ range: PageRange) -> Int {
    guard !range.isEmpty else { return 0 }
    let last = range.end.rawValue &- 1
    var new = 0
    for number in parent.pmds
    where range.start.rawValue &>> Self.pmdSpan <= number && number <= last &>> Self.pmdSpan {
      new += Self.insert(number, &pmds)
    }
    for number in parent.puds
    where range.start.rawValue &>> Self.pudSpan <= number && number <= last &>> Self.pudSpan {
      new += Self.insert(number, &puds)
    }
    return new
  }

  /// `free_pmd_range`, `free_pud_range`: the range has no VMA. Returns how many went.
  mutating func remove(within range: PageRange) -> Int {
    let before = count
    pmds.removeAll { Self.isWithin(range, $0, Self.pmdSpan) }
    puds.removeAll { Self.isWithin(range, $0, Self.pudSpan) }
    return before - count
  }

  private static func isWithin(_ range: PageRange, _ number: UInt64, _ span: UInt64) -> Bool {
    range.start.rawValue <= number &<< span && (number &+ 1) &<< span <= range.end.rawValue
  }

  private static func insert(_ number: UInt64, _ numbers: inout ContiguousArray<UInt64>) -> Int {
    let index = numbers.lastIndex { $0 <= number }
    if let index, numbers[index] == number { return 0 }
    numbers.insert(number, at: index.map { $0 + 1 } ?? 0)
    return 1
  }
}
