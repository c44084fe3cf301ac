// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The bitmaps of `PageTableBitmap`: one bit per entry of a page table, set where the page may be shared, and one per
/// PMD slot. A bit belongs to the slot, not to what the slot holds.
///
/// Tables are named by their number in `PageTables`. The bit of a PMD slot is kept with the table of the slot, whichever
/// of the two is in use: it lies one level up, in the bitmap of the PMD page, and outlives the table.
package struct TableBitmaps: EncodingState {
  private static let wordsPerTable = PageTables.entriesPerTable / UInt64.bitWidth

  /// Eight words per table.
  private var words = ContiguousArray<UInt64>()
  private var tables = ContiguousArray<Table>()
  /// PMD pages (page number / 512 / 512) that have a bitmap for their PMD entries.
  private var ofPMDs: [MMID: [UInt64]] = [:]

  private struct Table: BitwiseCopyable, Sendable {
    var hasBitmap = false
    var slotBit = false
  }

  package init() {}

  // — page tables

  /// A new table has none.
  mutating func reset(_ table: TableID) {
    let missing = table.index + 1 - tables.count
    if missing > 0 {
      tables.append(contentsOf: repeatElement(Table(), count: missing))
      words.append(contentsOf: repeatElement(0, count: missing * Self.wordsPerTable))
      return
    }
    tables[table.index] = Table()
    setAll(table, false)
  }

  @inline(__always)
  func hasBitmap(_ table: TableID) -> Bool { tables[table.index].hasBitmap }

  mutating func setHasBitmap(_ table: TableID, _ value: Bool) { tables[table.index].hasBitmap = value }

  @inline(__always)
  func bit(_ ref: EntryRef) -> Bool { words[Int(ref.raw &>> 6)] &>> UInt64(ref.raw & 63) & 1 != 0 }

  @inline(__always)
  mutating func setBit(_ ref: EntryRef, _ value: Bool) {
    let bit: UInt64 = 1 &<< UInt64(ref.raw & 63)
    if value { words[Int(ref.raw &>> 6)] |= bit } else { words[Int(ref.raw &>> 6)] &= ~bit }
  }

  mutating func setAll(_ table: TableID, _ value: Bool) {
    let first = table.index * Self.wordsPerTable
    for index in first..<first + Self.wordsPerTable { words[index] = value ? .max : 0 }
  }

  /// The tables of two slots change places, with their bitmaps; the slots' own bits stay.
  mutating func exchange(_ a: TableID, _ b: TableID) {
    for index in 0..<Self.wordsPerTable {
      words.swapAt(a.index * Self.wordsPerTable + index, b.index * Self.wordsPerTable + index)
    }
    let had = tables[a.index].hasBitmap
    tables[a.index].hasBitmap = tables[b.index].hasBitmap
    tables[b.index].hasBitmap = had
  }

  /// The bitmap goes from one table to another that has none.
  mutating func move(_ table: TableID, to other: TableID) {
    exchange(table, other)
    setHasBitmap(table, false)
    setAll(table, false)
  }

  // — PMD slots

  @inline(__always)
  func slotBit(_ table: TableID) -> Bool { tables[table.index].slotBit }

  mutating func setSlotBit(_ table: TableID, _ value: Bool) { tables[table.index].slotBit = value }

  func hasBitmap(ofPMD page: UInt64, _ mm: MMID) -> Bool { ofPMDs[mm]?.contains(page) ?? false }

  mutating func addBitmap(ofPMD page: UInt64, _ mm: MMID) { ofPMDs[mm, default: []].append(page) }

  mutating func forget(_ mm: MMID) {
    if !ofPMDs.isEmpty { ofPMDs[mm] = nil }
  }
}
