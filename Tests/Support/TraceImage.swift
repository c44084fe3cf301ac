// SPDX-License-Identifier: GPL-2.0-only

import Foundation

/// The bytes of a trace.dat of version 6, and where its sub-buffers are: read by hand, so that what damages a file
/// knows nothing of what reads it. Little endian, 64 bits.
package struct TraceImage {
  /// The data of one CPU in one buffer.
  package struct CPU {
    /// Place of {u64 offset, u64 size} in the table.
    var entry: Int
    var data: Range<Int>
    /// The buffer's number, and the CPU's.
    var buffer: Int
    var number: Int
  }

  package private(set) var bytes: [UInt8]
  package let subBufferSize: Int
  package private(set) var cpus: [CPU] = []

  package init?(_ bytes: [UInt8]) {
    self.bytes = bytes
    guard bytes.count > 18, let options = bytes.firstRange(of: Array("options  \0".utf8))?.lowerBound else {
      return nil
    }
    subBufferSize = Int(Self.number(bytes, 14, 4))
    let count = Int(Self.number(bytes, options - 4, 4))
    var (place, buffer) = (options, 0)
    while let table = bytes[place...].firstRange(of: Array("flyrecord\0".utf8))?.upperBound {
      for number in 0..<count {
        let offset = Int(Self.number(bytes, table + 16 * number, 8))
        let size = Int(Self.number(bytes, table + 16 * number + 8, 8))
        guard size > 0, offset + size <= bytes.count else { continue }
        cpus.append(CPU(entry: table + 16 * number, data: offset..<(offset + size), buffer: buffer, number: number))
      }
      buffer += 1
      place = table
    }
  }

  package static func number(_ bytes: [UInt8], _ place: Int, _ size: Int) -> UInt64 {
    (0..<size).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
  }

  package mutating func set(_ value: UInt64, at place: Int, _ size: Int) {
    for index in 0..<size { bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
  }

  /// Where the CPU's sub-buffers begin.
  package func subBuffers(_ cpu: CPU) -> [Int] {
    Array(stride(from: cpu.data.lowerBound, to: cpu.data.upperBound, by: subBufferSize))
  }

  package func committed(_ page: Int) -> Int { Int(Self.number(bytes, page + 8, 8) & 0x3fff_ffff) }

  /// Takes sub-buffers away; those behind move up, and the CPU's size shrinks.
  package mutating func remove(_ pages: Range<Int>, of index: Int) {
    let cpu = cpus[index]
    let (first, last) = (
      cpu.data.lowerBound + pages.lowerBound * subBufferSize, cpu.data.lowerBound + pages.upperBound * subBufferSize
    )
    let rest = Array(bytes[last..<cpu.data.upperBound])
    bytes.replaceSubrange(first..<(first + rest.count), with: rest)
    cpus[index].data = cpu.data.lowerBound..<(first + rest.count)
    set(UInt64(cpus[index].data.count), at: cpu.entry + 8, 8)
  }

  /// `RB_MISSED_EVENTS`, and `RB_MISSED_STORED` where there is room for the count.
  package mutating func flagLoss(of records: Int, at page: Int) {
    let committed = committed(page)
    let isStored = committed + 16 + 8 <= subBufferSize
    set(0xffff_ffff_8000_0000 | (isStored ? 0x4000_0000 : 0) | UInt64(committed), at: page + 8, 8)
    if isStored { set(UInt64(records), at: page + 16 + committed, 8) }
  }

  /// Place, header and length of every record of a sub-buffer.
  package func records(_ page: Int) -> [(place: Int, type: UInt64, delta: UInt64, length: Int)] {
    var found: [(Int, UInt64, UInt64, Int)] = []
    var place = page + 16
    let end = min(place + committed(page), page + subBufferSize)
    while place + 8 <= end {
      let word = Self.number(bytes, place, 4)
      let (type, delta) = (word & 31, word >> 5)
      let length: Int
      switch type {
      case 0: length = 4 + (Int(Self.number(bytes, place + 4, 4)) + 3) & ~3
      case 1...28: length = 4 + 4 * Int(type)
      case 29 where delta == 0: return found
      case 29: length = 4 + Int(Self.number(bytes, place + 4, 4))
      default: length = 8
      }
      guard length >= 4, length <= end - place else { break }
      if type <= 28 { found.append((place, type, delta, length)) }
      place += length
    }
    return found
  }

  /// The record becomes a discarded one, which the reader passes over: its time is kept.
  package mutating func discard(_ record: (place: Int, type: UInt64, delta: UInt64, length: Int)) {
    set(29 | max(record.delta, 1) << 5, at: record.place, 4)
    set(UInt64(record.length - 4), at: record.place + 4, 4)
  }
}

/// A seeded generator: the same cases every time.
package struct Dice {
  package var state: UInt64

  package init(state: UInt64) { self.state = state }

  package mutating func roll(_ sides: Int) -> Int { Int(next() % UInt64(max(sides, 1))) }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

/// What is done to a capture.
package enum Damage: CaseIterable {
  // — as the kernel and the recorder mark it

  /// The first records of a sub-buffer, which says how many.
  case markedRecords
  /// Sub-buffers, which the next one of the CPU says.
  case markedSubBuffers
  /// The end of a CPU, which the recorder's counters say.
  case markedTail

  // — without a word

  case records, subBuffers, tail, commit, swapped, zeroed, bytes

  package static let marked: [Damage] = [.markedRecords, .markedSubBuffers, .markedTail]
  package static let unmarked: [Damage] = allCases.filter { !marked.contains($0) }

  /// `false` when the capture has no place for it. `drop`: how many records of which CPU the recorder counts as lost
  /// (name of the buffer by number, CPU).
  package func apply(to image: inout TraceImage, _ dice: inout Dice, drop: (Int, Int, Int) -> Void) -> Bool {
    guard !image.cpus.isEmpty else { return false }
    let index = dice.roll(image.cpus.count)
    let cpu = image.cpus[index]
    let pages = image.subBuffers(cpu)
    let page = dice.roll(pages.count)
    let records = image.records(pages[page])
    guard records.count > 2 else { return false }
    func lost(_ range: Range<Int>) -> Int { range.reduce(0) { $0 + image.records(pages[$1]).count } }
    switch self {
    case .markedRecords:
      let count = 1 + dice.roll(records.count - 1)
      for record in records.prefix(count) { image.discard(record) }
      image.flagLoss(of: count, at: pages[page])
    case .markedSubBuffers:
      guard page + 1 < pages.count else { return false }
      let count = lost(page..<(page + 1))
      image.remove(page..<(page + 1), of: index)
      image.flagLoss(of: count, at: pages[page])
    case .markedTail:
      let kept = dice.roll(records.count)
      drop(cpu.buffer, cpu.number, lost(page..<pages.count) - kept)
      for record in records.dropFirst(kept) { image.discard(record) }
      image.remove((page + 1)..<pages.count, of: index)
    case .records:
      let first = dice.roll(records.count)
      for record in records[first...].prefix(1 + dice.roll(40)) { image.discard(record) }
    case .subBuffers: image.remove(page..<(page + 1), of: index)
    case .tail: image.remove(page..<pages.count, of: index)
    case .commit: image.set(UInt64(dice.roll(image.subBufferSize + 64)), at: pages[page] + 8, 8)
    case .swapped:
      let other = pages[dice.roll(pages.count)]
      let copy = Array(image.bytes[other..<(other + image.subBufferSize)])
      image.replace(other, with: Array(image.bytes[pages[page]..<(pages[page] + image.subBufferSize)]))
      image.replace(pages[page], with: copy)
    case .zeroed: image.replace(pages[page], with: [UInt8](repeating: 0, count: image.subBufferSize))
    case .bytes:
      for _ in 0...dice.roll(4) {
        let record = records[dice.roll(records.count)]
        image.set(dice.next(), at: record.place + 4 + dice.roll(record.length - 4), 1)
      }
    }
    return true
  }
}

extension TraceImage {
  package mutating func replace(_ page: Int, with bytes: [UInt8]) {
    self.bytes.replaceSubrange(page..<(page + bytes.count), with: bytes)
  }
}
