// SPDX-License-Identifier: GPL-2.0-only

/// SipHash-2-4 (Aumasson and Bernstein, 2012): 64 bits of a message that nobody can find without the 128-bit key.
package struct KeyedHash: Sendable {
  private var v0: UInt64
  private var v1: UInt64
  private var v2: UInt64
  private var v3: UInt64
  /// Bytes that make no word yet, the first in the low byte.
  private var tail: UInt64 = 0
  private var tailCount = 0
  private var count: UInt8 = 0

  package init(key: (UInt64, UInt64)) {
    v0 = key.0 ^ 0x736f_6d65_7073_6575
    v1 = key.1 ^ 0x646f_7261_6e64_6f6d
    v2 = key.0 ^ 0x6c79_6765_6e65_7261
    v3 = key.1 ^ 0x7465_6462_7974_6573
  }

  package mutating func add(_ bytes: RawSpan) {
    count &+= UInt8(truncatingIfNeeded: bytes.byteCount)
    var offset = 0
    while offset < bytes.byteCount {
      if tailCount == 0, bytes.byteCount - offset >= 8 {
        compress(UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        offset += 8
        continue
      }
      tail |= UInt64(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) << UInt64(8 * tailCount)
      tailCount += 1
      offset += 1
      if tailCount == 8 {
        compress(tail)
        (tail, tailCount) = (0, 0)
      }
    }
  }

  package mutating func add(_ bytes: [UInt8]) { unsafe add(bytes.span.bytes) }

  package mutating func add(_ number: UInt64) {
    add((0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) })
  }

  /// A text and its length, so that two of them are not another two.
  package mutating func add(_ text: String) {
    add(UInt64(text.utf8.count))
    add(Array(text.utf8))
  }

  package consuming func value() -> UInt64 {
    compress(tail | UInt64(count) << 56)
    v2 ^= 0xff
    for _ in 0..<4 { round() }
    return v0 ^ v1 ^ v2 ^ v3
  }

  private mutating func compress(_ word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  private mutating func round() {
    v0 &+= v1
    v2 &+= v3
    v1 = rotated(v1, 13) ^ v0
    v3 = rotated(v3, 16) ^ v2
    v0 = rotated(v0, 32)
    v2 &+= v1
    v0 &+= v3
    v1 = rotated(v1, 17) ^ v2
    v3 = rotated(v3, 21) ^ v0
    v2 = rotated(v2, 32)
  }

  private func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
}
