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

  /// For a page table at `base` (vpn / 512).
  mutating func insert(above base: UInt64) {
    Self.insert(base &>> (Self.pmdSpan - 9), &pmds)
    Self.insert(base &>> (Self.pudSpan - 9), &puds)
  }

  /// What fork makes for a VMA: wherever the parent has one (`copy_p4d_range`, `copy_pud_range`).
  mutating func insert(from parent: UpperTables, _ range: PageRange) {
    Self.insert(parent.pmds, range, Self.pmdSpan, &pmds)
    Self.insert(parent.puds, range, Self.pudSpan, &puds)
  }

  /// Those of which any part lies in the range.
  private static func insert(
    _ others: ContiguousArray<UInt64>, _ range: PageRange, _ span: UInt64, _ numbers: inout ContiguousArray<UInt64>
  ) {
    guard !range.isEmpty else { return }
    let wanted = range.start.rawValue &>> span...(range.end.rawValue &- 1) &>> span
    for number in others where wanted.contains(number) { insert(number, &numbers) }
  }

  /// `free_pmd_range`, `free_pud_range`: the range has no VMA.
  mutating func remove(within range: PageRange) {
    pmds.removeAll { Self.isWithin(range, $0, Self.pmdSpan) }
    puds.removeAll { Self.isWithin(range, $0, Self.pudSpan) }
  }

  private static func isWithin(_ range: PageRange, _ number: UInt64, _ span: UInt64) -> Bool {
    range.start.rawValue <= number &<< span && (number &+ 1) &<< span <= range.end.rawValue
  }

  private static func insert(_ number: UInt64, _ numbers: inout ContiguousArray<UInt64>) {
    let index = numbers.lastIndex { $0 <= number }
    if let index, numbers[index] == number { return }
    numbers.insert(number, at: index.map { $0 + 1 } ?? 0)
  }
}

/// Those of all mms, by the slot of the mm.
struct AllUpperTables: Sendable {
  private var tables = ContiguousArray<UpperTables>()
  private(set) var count = 0

  func count(_ slot: UInt32) -> Int { Int(slot) < tables.count ? tables[Int(slot)].count : 0 }

  mutating func insert(above base: UInt64, _ slot: UInt32) { change(slot) { $0.insert(above: base) } }

  mutating func copy(from parent: UInt32, to child: UInt32, _ range: PageRange) {
    guard Int(parent) < tables.count else { return }
    let upper = tables[Int(parent)]
    change(child) { $0.insert(from: upper, range) }
  }

  mutating func remove(within range: PageRange, _ slot: UInt32) { change(slot) { $0.remove(within: range) } }

  /// The slot is another mm's from here on.
  mutating func forget(_ slot: UInt32) { change(slot) { $0 = UpperTables() } }

  private mutating func change(_ slot: UInt32, _ body: (inout UpperTables) -> Void) {
    while tables.count <= Int(slot) { tables.append(UpperTables()) }
    count -= tables[Int(slot)].count
    body(&tables[Int(slot)])
    count += tables[Int(slot)].count
  }
}
