// SPDX-License-Identifier: GPL-2.0-only

import CZlib
import Foundation
import TraceFile
import Testing

/// Files that ask for more than they are.
@Suite("Budgets")
struct BombTests {
  @Test("Two CPUs at one place: the second has nothing, and that is damage and loss")
  func overlap() throws {
    var page = PageBuilder()
    page.event(delta: 1, page.payload(id: 1))
    var bytes = VersionSixBuilder.build(cpus: [page.page(), page.page()])
    // The table's second pair {offset, size} names the first one's place.
    let table = try #require(bytes.firstRange(of: Array("flyrecord\0".utf8))).upperBound
    bytes.replaceSubrange((table + 16)..<(table + 24), with: bytes[table..<(table + 8)])
    let reader = try TraceFile.open(bytes: bytes, name: "overlap")
    #expect(reader.all().map(\.cpu) == [0])
    #expect(reader.damages.map(\.reason) == [.overlap("the data of CPU 1")])
    #expect(reader.lost.map(\.lost.uncountedGaps) == [0, 1])
  }

  @Test("Sixty-five thousand CPUs of a few bytes are refused beyond the largest machine's")
  func manyCPUs() throws {
    // Each option BUFFER names the same table of 1,024 CPUs.
    let whole = VersionSixBuilder.build(cpus: Array(repeating: [1], count: 1024))
    let tag = try #require(whole.firstRange(of: Array("flyrecord\0".utf8))).lowerBound
    var options = LittleBytes()
    options.add("options  \0")
    let head = tag + 10 + 64 * (6 + 10) + 2
    for index in 0..<64 {
      options.add16(3)
      options.add32(10)
      options.add64(UInt64(head))
      options.add([UInt8(ascii: "a") + UInt8(index % 26), 0])
    }
    options.add16(0)
    let bytes = Array(whole[..<tag]) + options.bytes + Array(whole[tag...])
    let reader = try TraceFile.open(bytes: bytes, name: "many")
    #expect(reader.damages.contains { $0.reason == .exceedsBudget("the number of CPUs of all buffers") })
    #expect(reader.buffers.reduce(0) { $0 + $1.cpus.count } <= 1 << 15)
    #expect(reader.all().isEmpty)
  }

  @Test("Chunks that would decompress to more than a file of this size can hold are left alone")
  func zeros() throws {
    let zeros = [UInt8](repeating: 0, count: 16 << 20)
    var size = compressBound(uLong(zeros.count))
    var packed = [UInt8](repeating: 0, count: Int(size))
    #expect(unsafe compress2(&packed, &size, zeros, uLong(zeros.count), 9) == Z_OK)
    var chunks = LittleBytes()
    chunks.add32(64)
    for _ in 0..<64 {
      chunks.add32(UInt32(size))
      chunks.add32(UInt32(zeros.count))
      chunks.add(Array(packed[..<Int(size)]))
    }
    // In the place of the instance's data, which the section's end limits.
    let whole = VersionSevenBuilder.build(compression: .zlib, chunksOfInstance: chunks.bytes)
    let reader = try TraceFile.open(bytes: whole, name: "zeros")
    #expect(reader.all().map(\.id) == [1, 2, 3])
    #expect(reader.damages.contains { $0.reason == .exceedsBudget("what the chunks of CPU 0 decompress to") })
  }

  @Test("A FIFO is refused at once, and a file that became shorter is cut off")
  func files() throws {
    try Fixture.withScratch { scratch in
      #expect(unsafe mkfifo(scratch + "/fifo", 0o600) == 0)
      #expect(throws: TraceFileError(file: scratch + "/fifo", offset: nil, reason: .notAFile)) {
        try TraceFile.open(scratch + "/fifo")
      }
      let path = scratch + "/trace.dat"
      try Data(try Fixture.bytes()).write(to: URL(fileURLWithPath: path))
      let reader = try TraceFile.open(path)
      #expect(unsafe truncate(path, 0) == 0)
      #expect(reader.all().count > 1000)
    }
  }
}
