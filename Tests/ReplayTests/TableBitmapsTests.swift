// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

@Suite("The bitmaps of encoding B")
struct TableBitmapsTests {
  private static let tables = (0..<3).map { TableID($0) }

  private static func bitmaps() -> TableBitmaps {
    var bitmaps = TableBitmaps()
    for table in tables { bitmaps.reset(table) }
    return bitmaps
  }

  private static func ref(_ table: TableID, _ slot: Int) -> EntryRef { EntryRef(table: table, slot: slot) }

  @Test("A bit is one entry's, at both ends of a table")
  func bits() {
    var bitmaps = Self.bitmaps()
    for slot in [0, 63, 64, 511] {
      bitmaps.setBit(Self.ref(Self.tables[1], slot), true)
      #expect(Self.tables.filter { bitmaps.bit(Self.ref($0, slot)) } == [Self.tables[1]])
    }
    #expect((0..<512).filter { bitmaps.bit(Self.ref(Self.tables[1], $0)) } == [0, 63, 64, 511])
    bitmaps.setBit(Self.ref(Self.tables[1], 63), false)
    #expect((0..<512).filter { bitmaps.bit(Self.ref(Self.tables[1], $0)) } == [0, 64, 511])
  }

  @Test("A number that names another table says nothing of the last one")
  func reset() {
    var bitmaps = Self.bitmaps()
    bitmaps.setHasBitmap(Self.tables[0], true)
    bitmaps.setSlotBit(Self.tables[0], true)
    bitmaps.setAll(Self.tables[0], true)
    bitmaps.setAll(Self.tables[1], true)
    bitmaps.reset(Self.tables[0])
    #expect(
      !bitmaps.hasBitmap(Self.tables[0]) && !bitmaps.slotBit(Self.tables[0])
        && !bitmaps.bit(Self.ref(Self.tables[0], 5)))
    #expect(bitmaps.bit(Self.ref(Self.tables[1], 5)))
  }

  @Test("Tables change places with their bitmaps, and the slots keep their own bits")
  func exchange() {
    var bitmaps = Self.bitmaps()
    bitmaps.setHasBitmap(Self.tables[0], true)
    bitmaps.setBit(Self.ref(Self.tables[0], 7), true)
    bitmaps.setSlotBit(Self.tables[1], true)
    bitmaps.exchange(Self.tables[0], Self.tables[1])
    #expect(!bitmaps.hasBitmap(Self.tables[0]) && bitmaps.hasBitmap(Self.tables[1]))
    #expect(!bitmaps.bit(Self.ref(Self.tables[0], 7)) && bitmaps.bit(Self.ref(Self.tables[1], 7)))
    #expect(!bitmaps.slotBit(Self.tables[0]) && bitmaps.slotBit(Self.tables[1]))
  }

  @Test("A bitmap linked by address stays behind: the table that left has none")
  func move() {
    var bitmaps = Self.bitmaps()
    bitmaps.setHasBitmap(Self.tables[0], true)
    bitmaps.setBit(Self.ref(Self.tables[0], 9), true)
    bitmaps.move(Self.tables[0], to: Self.tables[1])
    #expect(!bitmaps.hasBitmap(Self.tables[0]) && !bitmaps.bit(Self.ref(Self.tables[0], 9)))
    #expect(bitmaps.hasBitmap(Self.tables[1]) && bitmaps.bit(Self.ref(Self.tables[1], 9)))
  }

  @Test("The bitmap of a PMD page is its mm's, until that exits")
  func ofPMDs() {
    var bitmaps = TableBitmaps()
    bitmaps.addBitmap(ofPMD: 3, MMID(1))
    #expect(bitmaps.hasBitmap(ofPMD: 3, MMID(1)))
    #expect(!bitmaps.hasBitmap(ofPMD: 4, MMID(1)) && !bitmaps.hasBitmap(ofPMD: 3, MMID(2)))
    bitmaps.forget(MMID(1))
    #expect(!bitmaps.hasBitmap(ofPMD: 3, MMID(1)))
  }
}
