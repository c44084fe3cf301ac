// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import TraceFile

@Suite("Sub-buffers written anew")
struct SubBufferWriterTests {
  /// Decodes a page, and writes those of its records that are wanted.
  private func rewritten(_ page: [UInt8], _ layout: SubBufferLayout, where isWanted: (UInt16) -> Bool) -> [UInt8] {
    let records = UnsafeMutableBufferPointer<RawRecord>.allocate(capacity: layout.maximumRecords)
    defer { unsafe records.deallocate() }
    return unsafe page.withUnsafeBytes { bytes in
      let content = unsafe SubBuffer.decode(bytes, layout: layout, cpu: 0, buffer: 0, into: records)
      var writer = SubBufferWriter(layout, stamp: 1_000)
      for index in 0..<content.count {
        let record = unsafe records[index]
        guard isWanted(record.eventID) else { continue }
        let isWritten = unsafe writer.append(time: record.timestamp, length: Int(record.length)) {
          unsafe $0.copyMemory(from: record.bytes)
          return true
        }
        #expect(isWritten)
      }
      writer.finish(lostBefore: content.lostBefore)
      return writer.bytes
    }
  }

  private func builder() -> PageBuilder {
    var builder = PageBuilder()
    builder.event(delta: 5, builder.payload(id: 1, [0, 0, 1, 2, 3, 4]))
    builder.event(delta: 134_217_000, builder.payload(id: 2))
    builder.event(delta: 1_000, builder.payload(id: 1))
    builder.event(delta: 0, builder.payload(id: 3))
    return builder
  }

  @Test("All records: the same page")
  func all() {
    for loss in [PageBuilder.LossMark.none, .uncounted, .counted(7)] {
      let page = builder().page(loss: loss)
      #expect(rewritten(page, builder().layout) { _ in true } == page)
    }
  }

  @Test("Some are left out: the others keep their times, over more than 27 bits too")
  func some() {
    let page = rewritten(builder().page(loss: .counted(7)), builder().layout) { $0 != 2 }
    let decoded = decode(page, builder().layout)
    // 1000 and 5; then 5 + 134217000 + 1000 further, which is more than 2^27.
    #expect(decoded.records.map(\.time) == [1_005, 134_219_005, 134_219_005])
    #expect(decoded.records.map(\.id) == [1, 1, 3])
    #expect(decoded.records.map(\.length) == [8, 4, 4])
    #expect(decoded.lostBefore == 7 && decoded.damage == nil)
  }

  @Test("None: what was lost before stays")
  func none() {
    let page = rewritten(builder().page(loss: .uncounted), builder().layout) { _ in false }
    let decoded = decode(page, builder().layout)
    #expect(decoded.records.isEmpty && decoded.lostBefore == -1)
    #expect(page[16...].allSatisfy { $0 == 0 })
  }
}
