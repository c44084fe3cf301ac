// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

@Suite("The bitmaps of encoding B")
struct TableBitmapsTests {
  private static func bitmaps(_ count: UInt32) -> TableBitmaps {
    var bitmaps = TableBitmaps()
    for table in 0..<count { bitmaps.reset(table) }
    return bitmaps
  }

  private static func ref(_ table: UInt32, _ slot: Int) -> EntryRef { EntryRef(region: table, slot: slot) }

  @Test("A bit is one entry's, at both ends of a table")
  func bits() {
    var bitmaps = Self.bitmaps(3)
    for slot in [0, 63, 64, 511] {
      bitmaps.setBit(Self.ref(1, slot), true)
      #expect((0..<3 as Range<UInt32>).filter { bitmaps.bit(Self.ref($0, slot)) } == [1])
    }
    #expect((0..<512).filter { bitmaps.bit(Self.ref(1, $0)) } == [0, 63, 64, 511])
    bitmaps.setBit(Self.ref(1, 63), false)
    #expect((0..<512).filter { bitmaps.bit(Self.ref(1, $0)) } == [0, 64, 511])
  }

  @Test("A number that names another table says nothing of the last one")
  func reset() {
    var bitmaps = Self.bitmaps(2)
    bitmaps.setHasBitmap(0, true)
    bitmaps.setSlotBit(0, true)
    bitmaps.setAll(0, true)
    bitmaps.setAll(1, true)
    bitmaps.reset(0)
    #expect(!bitmaps.hasBitmap(0) && !bitmaps.slotBit(0) && !bitmaps.bit(Self.ref(0, 5)))
    #expect(bitmaps.bit(Self.ref(1, 5)))
  }

  @Test("Tables change places with their bitmaps, and the slots keep their own bits")
  func exchange() {
    var bitmaps = Self.bitmaps(2)
    bitmaps.setHasBitmap(0, true)
    bitmaps.setBit(Self.ref(0, 7), true)
    bitmaps.setSlotBit(1, true)
    bitmaps.exchange(0, 1)
    #expect(!bitmaps.hasBitmap(0) && bitmaps.hasBitmap(1))
    #expect(!bitmaps.bit(Self.ref(0, 7)) && bitmaps.bit(Self.ref(1, 7)))
    #expect(!bitmaps.slotBit(0) && bitmaps.slotBit(1))
  }

  @Test("A bitmap linked by address stays behind: the table that left has none")
  func move() {
    var bitmaps = Self.bitmaps(2)
    bitmaps.setHasBitmap(0, true)
    bitmaps.setBit(Self.ref(0, 9), true)
    bitmaps.move(0, to: 1)
    #expect(!bitmaps.hasBitmap(0) && !bitmaps.bit(Self.ref(0, 9)))
    #expect(bitmaps.hasBitmap(1) && bitmaps.bit(Self.ref(1, 9)))
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
