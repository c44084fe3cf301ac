// SPDX-License-Identifier: GPL-2.0-only

import TraceFile

/// Builds sub-buffers byte by byte from the description of the format, knowing nothing of the decoder.
struct PageBuilder {
  var bigEndian = false
  /// 8 on 64-bit kernels, 4 on 32-bit ones.
  var longSize = 8
  var size = 4096
  var timestamp: UInt64 = 1_000
  private(set) var data: [UInt8] = []

  init(bigEndian: Bool = false, longSize: Int = 8, size: Int = 4096, timestamp: UInt64 = 1_000) {
    self.bigEndian = bigEndian
    self.longSize = longSize
    self.size = size
    self.timestamp = timestamp
  }

  var layout: SubBufferLayout {
    SubBufferLayout(
      dataOffset: 8 + longSize, capacity: size - 8 - longSize, commitSize: longSize, isBigEndian: bigEndian)
  }

  func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
    let little = (0..<count).map { UInt8(value >> UInt64(8 * $0) & 0xff) }
    return bigEndian ? little.reversed() : little
  }

  mutating func word(_ type: UInt64, _ delta: UInt64) {
    data += bytes(bigEndian ? type << 27 | delta : delta << 5 | type, 4)
  }

  /// Type 1...28: payload of a multiple of four bytes.
  mutating func event(delta: UInt64, _ payload: [UInt8]) {
    precondition(payload.count % 4 == 0 && (4...112).contains(payload.count))
    word(UInt64(payload.count / 4), delta)
    data += payload
  }

  /// Type 0: the length word counts itself.
  mutating func longEvent(delta: UInt64, _ payload: [UInt8]) {
    word(0, delta)
    data += bytes(UInt64(payload.count + 4), 4) + payload
    data += [UInt8](repeating: 0, count: (4 - payload.count % 4) % 4)
  }

  mutating func discarded(delta: UInt64, length: UInt64) {
    word(29, delta)
    data += bytes(length, 4) + [UInt8](repeating: 0xaa, count: Int(length) - 4)
  }

  mutating func endFiller() { word(29, 0) }

  mutating func timeExtend(_ delta: UInt64) {
    word(30, delta & 0x7ff_ffff)
    data += bytes(delta >> 27, 4)
  }

  mutating func absoluteTime(_ time: UInt64) {
    word(31, time & 0x7ff_ffff)
    data += bytes(time >> 27 & 0xffff_ffff, 4)
  }

  mutating func raw(_ more: [UInt8]) { data += more }

  /// A payload that begins with `common_type`.
  func payload(id: UInt16, _ rest: [UInt8] = [0, 0]) -> [UInt8] { bytes(UInt64(id), 2) + rest }

  enum LossMark { case none, uncounted, counted(UInt64) }

  /// The finished sub-buffer; `commit` overrides the number of valid bytes.
  func page(loss: LossMark = .none, commit: UInt64? = nil) -> [UInt8] {
    var flags: UInt64 = 0
    var tail: [UInt8] = []
    switch loss {
    case .none: break
    case .uncounted: flags = 0xffff_ffff_8000_0000
    case .counted(let count):
      flags = 0xffff_ffff_c000_0000
      tail = bytes(count, longSize)
    }
    // Sign extended on 64-bit, as the kernel stores it.
    let word = flags | (commit ?? UInt64(data.count))
    var page = bytes(timestamp, 8) + bytes(longSize == 4 ? word & 0xffff_ffff : word, longSize) + data
    if page.count + tail.count <= size { page += tail }
    return page + [UInt8](repeating: 0, count: max(0, size - page.count))
  }
}

/// One decoded record, copied out.
struct Decoded: Equatable {
  var time: UInt64
  var id: UInt16
  var length: UInt32
}

struct DecodedPage {
  var records: [Decoded]
  var lostBefore: Int32
  var damage: (offset: Int, what: RecordDamage)?
}

/// Decodes a sub-buffer, at most `room` records at a time.
func decode(_ page: [UInt8], _ layout: SubBufferLayout, room: Int = 100_000) -> DecodedPage {
  let records = UnsafeMutableBufferPointer<RawRecord>.allocate(capacity: room)
  defer { unsafe records.deallocate() }
  return unsafe page.withUnsafeBytes { bytes in
    var result = DecodedPage(records: [], lostBefore: 0)
    var rest: SubBuffer.Rest?
    repeat {
      let content = unsafe SubBuffer.decode(bytes, layout: layout, cpu: 3, buffer: 1, from: rest, into: records)
      result.records += (0..<content.count).map { index in
        let record = unsafe records[index]
        return Decoded(time: record.timestamp, id: record.eventID, length: record.length)
      }
      result.lostBefore = content.lostBefore
      result.damage = content.damage
      rest = content.rest
    } while rest != nil
    return result
  }
}
