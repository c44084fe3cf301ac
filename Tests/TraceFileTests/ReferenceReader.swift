// SPDX-License-Identifier: GPL-2.0-only

import Testing

/// Reads a little-endian version 6 trace.dat of a 64-bit kernel in the plainest way: byte arrays, one record after the
/// other, everything sorted at the end. Shares no code with the reader it is there to check.
struct ReferenceReader {
  private let bytes: [UInt8]
  private var position = 0
  private(set) var records: [Copied] = []

  init(version6 bytes: [UInt8]) throws {
    self.bytes = bytes
    #expect(Array(bytes[0..<12]) == [0x17, 0x08, 0x44] + Array("tracing6\0".utf8))
    position = 14
    let subBuffer = Int(number(4))
    skip("header_page\0".utf8.count)
    skip(Int(number(8)))
    skip("header_event\0".utf8.count)
    skip(Int(number(8)))
    skipFormats()
    for _ in 0..<number(4) {
      _ = string()
      skipFormats()
    }
    skip(Int(number(4)))
    skip(Int(number(4)))
    skip(Int(number(8)))
    let cpus = Int(number(4))
    skip("options  \0".utf8.count)
    var tables: [Int] = []
    while true {
      let option = number(2)
      if option == 0 { break }
      let size = Int(number(4))
      if option == 3 { tables.append(Int(Self.number(bytes, position, 8))) }
      skip(size)
    }
    tables.insert(position, at: 0)
    for (buffer, table) in tables.enumerated() {
      position = table
      #expect(string(10) == "flyrecord")
      for cpu in 0..<cpus {
        let offset = Int(number(8))
        let size = Int(number(8))
        readCPU(UInt16(cpu), UInt8(buffer), offset..<(offset + size), subBuffer)
      }
    }
    // Stable, and the records were read in order of (buffer, CPU, place).
    records.sort { $0.time < $1.time }
  }

  private mutating func readCPU(_ cpu: UInt16, _ buffer: UInt8, _ area: Range<Int>, _ subBuffer: Int) {
    var lost: Int32 = 0
    for start in stride(from: area.lowerBound, to: area.upperBound, by: subBuffer) {
      var time = Self.number(bytes, start, 8)
      let commit = Self.number(bytes, start + 8, 4)
      let end = start + 16 + Int(commit & 0x3fff_ffff)
      if commit & 0x8000_0000 != 0 { lost = commit & 0x4000_0000 != 0 ? Int32(Self.number(bytes, end, 8)) : -1 }
      var place = start + 16
      walk: while place < end {
        let word = Self.number(bytes, place, 4)
        let (type, delta) = (word & 31, word >> 5)
        let second = Self.number(bytes, place + 4, 4)
        var payload: Range<Int>?
        switch type {
        case 1...28:
          payload = (place + 4)..<(place + 4 + 4 * Int(type))
          time += delta
        case 0:
          payload = (place + 8)..<(place + 4 + Int(second))
          time += delta
        case 30: time += delta + second << 27
        case 31: time = time & 0xf800_0000_0000_0000 | (delta + second << 27)
        default:
          if delta == 0 { break walk }
          time += delta
        }
        switch type {
        case 1...28: place += 4 + 4 * Int(type)
        case 0: place += 4 + (Int(second) + 3) / 4 * 4
        case 30, 31: place += 8
        default: place += 4 + Int(second)
        }
        guard let payload else { continue }
        records.append(
          Copied(
            time: time, cpu: cpu, buffer: buffer, lostBefore: lost,
            id: UInt16(Self.number(bytes, payload.lowerBound, 2)), payload: Array(bytes[payload])))
        lost = 0
      }
    }
  }

  private static func number(_ bytes: [UInt8], _ place: Int, _ size: Int) -> UInt64 {
    guard place + size <= bytes.count else { return 0 }
    return (0..<size).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
  }

  private mutating func number(_ size: Int) -> UInt64 {
    position += size
    return Self.number(bytes, position - size, size)
  }

  private mutating func skip(_ count: Int) { position += count }

  private mutating func string() -> String {
    let start = position
    while bytes[position] != 0 { position += 1 }
    position += 1
    return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
  }

  private mutating func string(_ size: Int) -> String {
    position += size
    return String(decoding: bytes[(position - size)..<position].prefix { $0 != 0 }, as: UTF8.self)
  }

  private mutating func skipFormats() { for _ in 0..<number(4) { skip(Int(number(8))) } }
}
