// SPDX-License-Identifier: GPL-2.0-only

import Testing
import TraceFile

@Suite("Records of a sub-buffer")
struct SubBufferTests {
  /// Both byte orders, both sizes of long, and the sub-buffer sizes of 4K and 64K kernels.
  static let machines: [PageBuilder] = [
    PageBuilder(), PageBuilder(bigEndian: true), PageBuilder(longSize: 4), PageBuilder(bigEndian: true, longSize: 4),
    PageBuilder(size: 65_536), PageBuilder(bigEndian: true, size: 65_536),
  ]

  @Test("Short and long events, with their times", arguments: machines)
  func events(_ machine: PageBuilder) {
    var page = machine
    page.event(delta: 5, page.payload(id: 77))
    page.event(delta: 0, page.payload(id: 78, [UInt8](repeating: 9, count: 110)))
    page.longEvent(delta: 10, page.payload(id: 79, [UInt8](repeating: 9, count: 300)))
    page.longEvent(delta: 1, page.payload(id: 80, [1, 2, 3]))
    page.event(delta: 1, page.payload(id: 81))
    let result = decode(page.page(), page.layout)
    #expect(result.damage == nil)
    #expect(result.lostBefore == 0)
    #expect(
      result.records == [
        Decoded(time: 1005, id: 77, length: 4), Decoded(time: 1005, id: 78, length: 112),
        Decoded(time: 1015, id: 79, length: 302), Decoded(time: 1016, id: 80, length: 5),
        Decoded(time: 1017, id: 81, length: 4),
      ])
  }

  @Test("Decoded in pieces of any size, a sub-buffer gives the same records and damage", arguments: machines)
  func pieces(_ machine: PageBuilder) {
    var page = machine
    for index in 0..<40 {
      if index % 7 == 3 { page.timeExtend(300_000_000) }
      let rest = [UInt8](repeating: 1, count: 2 + 4 * (index % 5))
      page.event(delta: UInt64(index), page.payload(id: UInt16(index), rest))
    }
    // A record that reaches beyond the committed bytes.
    page.word(20, 1)
    let whole = decode(page.page(loss: .counted(3)), page.layout)
    #expect(whole.records.count == 40 && whole.damage != nil && whole.lostBefore == 3)
    for room in [1, 2, 3, 39, 40, 41] {
      let pieces = decode(page.page(loss: .counted(3)), page.layout, room: room)
      #expect(pieces.records == whole.records)
      #expect(pieces.damage?.offset == whole.damage?.offset && pieces.damage?.what == whole.damage?.what)
    }
  }

  @Test("A time extend adds, an absolute stamp replaces", arguments: machines)
  func times(_ machine: PageBuilder) {
    var page = machine
    let gap: UInt64 = 1_073_741_831  // bits above and below the 27 of a delta
    page.timeExtend(gap)
    page.event(delta: 1, page.payload(id: 1))
    page.absoluteTime(5_000_000_000)
    page.event(delta: 2, page.payload(id: 2))
    let result = decode(page.page(), page.layout)
    #expect(result.records.map(\.time) == [1001 + gap, 5_000_000_002])
  }

  @Test("An absolute stamp has 59 bits: the top five come from the time that runs")
  func topBits() {
    let top: UInt64 = 0x1800_0000_0000_0000
    var page = PageBuilder(timestamp: top | 1000)
    page.absoluteTime(2000)
    page.event(delta: 0, page.payload(id: 1))
    // Below the running time: the 59 bits wrapped.
    page.absoluteTime(500)
    page.event(delta: 0, page.payload(id: 2))
    let result = decode(page.page(), page.layout)
    #expect(result.records.map(\.time) == [top | 2000, (top | 500) + 0x0800_0000_0000_0000])
  }

  @Test("A discarded record passes its delta on; the end filler ends the sub-buffer", arguments: machines)
  func padding(_ machine: PageBuilder) {
    var page = machine
    page.discarded(delta: 3, length: 12)
    page.event(delta: 1, page.payload(id: 1))
    page.endFiller()
    page.event(delta: 1, page.payload(id: 2))
    let result = decode(page.page(), page.layout)
    #expect(result.records == [Decoded(time: 1004, id: 1, length: 4)])
    #expect(result.damage == nil)
  }

  @Test("Loss before a sub-buffer: none, a number, unknown", arguments: machines)
  func loss(_ machine: PageBuilder) {
    var page = machine
    page.event(delta: 1, page.payload(id: 1))
    #expect(decode(page.page(), page.layout).lostBefore == 0)
    #expect(decode(page.page(loss: .uncounted), page.layout).lostBefore == -1)
    #expect(decode(page.page(loss: .counted(1234)), page.layout).lostBefore == 1234)
    // More than 32 bits, or zero: not a number anybody counted.
    #expect(decode(page.page(loss: .counted(0)), page.layout).lostBefore == -1)
    #expect(decode(page.page(loss: .counted(0xffff_ffff)), page.layout).lostBefore == -1)
  }

  @Test("A lost count that does not fit behind the data is unknown")
  func lossWithoutRoom() {
    var page = PageBuilder()
    while page.data.count < 4080 { page.event(delta: 0, page.payload(id: 1)) }
    let result = decode(page.page(loss: .counted(5)), page.layout)
    #expect(result.lostBefore == -1)
    #expect(result.records.count == 510)
  }

  @Test("An empty sub-buffer is legal")
  func empty() {
    let result = decode(PageBuilder().page(), PageBuilder().layout)
    #expect(result.records.isEmpty && result.damage == nil)
  }

  @Test("Impossible lengths are damage at their place, and what came before stays", arguments: machines)
  func damage(_ machine: PageBuilder) {
    let start = machine.layout.dataOffset
    var page = machine
    page.event(delta: 1, page.payload(id: 1))
    let good = page
    func check(_ page: PageBuilder, _ what: RecordDamage, commit: UInt64? = nil) {
      let result = decode(page.page(commit: commit), page.layout)
      #expect(result.records.map(\.id) == [1])
      #expect(result.damage?.what == what)
      #expect(result.damage?.offset == start + 8)
    }
    page.word(28, 0)
    check(page, .recordBeyondCommit(length: 112))
    page = good
    page.word(0, 0)
    page.raw(page.bytes(5, 4))
    check(page, .lengthTooSmall(5))
    page = good
    page.word(0, 0)
    page.raw(page.bytes(0xffff_ffff, 4))
    check(page, .recordBeyondCommit(length: 0xffff_ffff))
    page = good
    page.word(29, 1)
    page.raw(page.bytes(3, 4))
    check(page, .lengthTooSmall(3))
    page = good
    page.word(30, 1)
    check(page, .recordBeyondCommit(length: 8))
    page = good
    page.raw([0, 0])
    check(page, .recordBeyondCommit(length: 4))
  }

  @Test("A commit beyond the capacity gives nothing")
  func commit() {
    var page = PageBuilder()
    page.event(delta: 1, page.payload(id: 1))
    let result = decode(page.page(commit: 4081), page.layout)
    #expect(result.records.isEmpty)
    #expect(result.damage?.what == .commitBeyondCapacity(4081))
  }

  @Test("Times that cannot be end the sub-buffer: stamps beyond 292 years, and absolute ones that go back")
  func times() {
    var late = PageBuilder(timestamp: (1 << 63) + 1)
    late.event(delta: 1, late.payload(id: 1))
    #expect(decode(late.page(), late.layout).damage?.what == .impossibleTime((1 << 63) + 1))

    var extended = PageBuilder(timestamp: (1 << 63) - 10)
    extended.event(delta: 1, extended.payload(id: 1))
    extended.timeExtend(1 << 40)
    extended.event(delta: 1, extended.payload(id: 2))
    let found = decode(extended.page(), extended.layout)
    #expect(found.records.map(\.id) == [1])
    #expect(found.damage?.what == .impossibleTime((1 << 63) - 9 + (1 << 40)))

    var back = PageBuilder(timestamp: 1000)
    back.event(delta: 5, back.payload(id: 1))
    back.absoluteTime(1004)
    back.event(delta: 1, back.payload(id: 2))
    #expect(decode(back.page(), back.layout).damage?.what == .timeBackwards(from: 1005, to: 1004))
  }

  @Test("A sub-buffer cut by the end of the file gives its whole records")
  func cut() {
    var page = PageBuilder()
    for id in 1...10 as ClosedRange<UInt16> { page.event(delta: 1, page.payload(id: id)) }
    let whole = page.page()
    for length in 0..<(16 + 80) {
      let result = decode(Array(whole[..<length]), page.layout)
      #expect(result.records.count == max(0, length - 16) / 8)
      #expect(result.damage?.what == (length < 16 ? .headerCut : .cut))
    }
    #expect(decode(Array(whole[..<96]), page.layout).damage == nil)
  }

  @Test("header_page says where the records begin")
  func headerPage() {
    func text(_ long: Int, _ data: Int) -> String {
      """
      \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
      \tfield: local_t commit;\toffset:8;\tsize:\(long);\tsigned:1;
      \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
      \tfield: char data;\toffset:\(8 + long);\tsize:\(data);\tsigned:1;

      """
    }
    #expect(
      SubBufferLayout(headerPage: text(8, 4080), isBigEndian: false)
        == SubBufferLayout(dataOffset: 16, capacity: 4080, commitSize: 8, isBigEndian: false))
    #expect(
      SubBufferLayout(headerPage: text(4, 65_524), isBigEndian: true)
        == SubBufferLayout(dataOffset: 12, capacity: 65_524, commitSize: 4, isBigEndian: true))
    #expect(SubBufferLayout(headerPage: text(3, 4080), isBigEndian: false) == nil)
    #expect(SubBufferLayout(headerPage: text(8, 1 << 21), isBigEndian: false) == nil)
    #expect(SubBufferLayout(headerPage: "", isBigEndian: false) == nil)
  }
}
