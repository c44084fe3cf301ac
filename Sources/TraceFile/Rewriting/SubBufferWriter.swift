// SPDX-License-Identifier: GPL-2.0-only

/// Writes one sub-buffer of a little-endian 64-bit kernel, record by record. What no record is written to stays zero:
/// behind the committed bytes of a recorded sub-buffer lies what was there before.
///
/// The layout of records is told at `SubBuffer`. A record takes no more room than the ring buffer gave it, so what came
/// out of a sub-buffer fits into one.
struct SubBufferWriter {
  private let layout: SubBufferLayout
  private(set) var bytes: [UInt8]
  private var end: Int
  /// The time of the last record.
  private var time: UInt64

  init(_ layout: SubBufferLayout, stamp: UInt64) {
    self.layout = layout
    bytes = [UInt8](repeating: 0, count: layout.size)
    end = layout.dataOffset
    time = stamp
    store(stamp, at: 0)
  }

  /// A record with the payload that `fill` makes of zeros, unless it says that there is none; `false` then.
  mutating func append(
    time newTime: UInt64, length: Int, fill: (UnsafeMutableRawBufferPointer) -> Bool
  ) -> Bool {
    let isShort = length <= 28 * 4 && length % 4 == 0 && length > 0
    var delta = newTime - time
    var place = end
    if delta >> 27 != 0 {
      guard room(from: place, for: 8) else { return false }
      store(UInt32(30) | UInt32(truncatingIfNeeded: delta & 0x7ff_ffff) << 5, at: place)
      store(UInt32(truncatingIfNeeded: delta >> 27), at: place + 4)
      place += 8
      delta = 0
    }
    let header = isShort ? 4 : 8
    let size = header + (length + 3) & ~3
    guard room(from: place, for: size) else {
      erase(from: end)
      return false
    }
    let isThere = unsafe bytes.withUnsafeMutableBytes {
      unsafe fill(UnsafeMutableRawBufferPointer(rebasing: $0[(place + header)..<(place + header + length)]))
    }
    guard isThere else {
      erase(from: end)
      return false
    }
    store(UInt32(isShort ? length / 4 : 0) | UInt32(truncatingIfNeeded: delta) << 5, at: place)
    if !isShort { store(UInt32(length + 4), at: place + 4) }
    end = place + size
    time = newTime
    return true
  }

  /// Ends the sub-buffer: `lostBefore` as in `SubBuffer.Content`.
  mutating func finish(lostBefore: Int32) {
    var commit = UInt64(end - layout.dataOffset)
    if lostBefore != 0 { commit |= 1 << 31 }
    if lostBefore > 0, room(from: end, for: 8) {
      commit |= 1 << 30
      store(UInt64(lostBefore), at: end)
    }
    // The flags are signed constants of the kernel's (`RB_MISSED_EVENTS`).
    store(UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: commit))), at: 8)
  }

  private func room(from place: Int, for count: Int) -> Bool { place + count <= layout.size }

  private mutating func erase(from start: Int) { for place in start..<bytes.count { bytes[place] = 0 } }

  private mutating func store<T: FixedWidthInteger>(_ value: T, at place: Int) {
    unsafe bytes.withUnsafeMutableBytes {
      unsafe $0.storeBytes(of: value.littleEndian, toByteOffset: place, as: T.self)
    }
  }
}
