// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// Inputs from a seed: the same for the same, on every machine.
struct Mutator: RandomNumberGenerator {
  private var random: SplitMix64

  init(seed: UInt64, run: UInt64) {
    random = SplitMix64(seed: seed &* 0x9e37_79b9_7f4a_7c15 ^ run &* 0xd1b5_4a32_d192_ed03)
    _ = next()
  }

  mutating func next() -> UInt64 { random.next() }

  mutating func roll(_ count: Int) -> Int { count <= 1 ? 0 : Int(next() % UInt64(count)) }

  private static let edges: [UInt64] = [
    0, 1, 7, 8, 127, 128, 255, 256, 4095, 4096, 32767, 65535, 1 << 31, 1 << 32, 1 << 63,
  ]
  private static let words = [
    "0", "-1", "1", "4096", "65536", "2147483648", "4294967295", "9223372036854775807", "18446744073709551615",
    "99999999999999999999", "0x", "0x7ffffffff000", "{", "}", "\"", "null", "[]", "1e400", "\n", ":", "=", " ", "#",
    "\0",
  ]

  /// A seed of the corpus, changed in a few places, or a list of record edits.
  mutating func input(for target: FuzzTarget, from corpus: [[UInt8]]) -> [UInt8] {
    if target == .records, roll(4) > 0 { return edits() }
    guard !corpus.isEmpty else { return edits() }
    var bytes = corpus[roll(corpus.count)]
    let isText = [.text, .manifest, .result, .litmus, .explore].contains(target)
    for _ in 0...roll(8) { mutate(&bytes, corpus, isText) }
    return bytes
  }

  private mutating func edits() -> [UInt8] {
    (0..<(1 + 12 * (1 + roll(40)))).map { _ in UInt8(truncatingIfNeeded: next()) }
  }

  private mutating func mutate(_ bytes: inout [UInt8], _ corpus: [[UInt8]], _ isText: Bool) {
    guard !bytes.isEmpty else { return }
    let place = roll(bytes.count)
    let count = min(1 + roll(64), bytes.count - place)
    switch roll(isText ? 10 : 7) {
    case 0: bytes[place] ^= UInt8(1) << UInt8(roll(8))
    case 1: bytes[place] = UInt8(truncatingIfNeeded: next())
    case 2: bytes.removeSubrange(place..<(place + count))
    case 3: bytes.insert(contentsOf: bytes[place..<(place + count)], at: roll(bytes.count))
    case 4:
      let other = corpus[roll(corpus.count)]
      guard !other.isEmpty else { break }
      let start = roll(other.count)
      let piece = other[start..<min(other.count, start + 1 + roll(256))]
      bytes.replaceSubrange(place..<min(bytes.count, place + piece.count), with: piece)
    case 5 where roll(8) == 0: bytes.removeSubrange(place...)
    case 5, 6:
      let value = Self.edges[roll(Self.edges.count)]
      let size = min([1, 2, 4, 8][roll(4)], bytes.count - place)
      for index in 0..<size { bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    default: mutateWord(&bytes, place)
    }
  }

  /// A run of letters or digits becomes another one.
  private mutating func mutateWord(_ bytes: inout [UInt8], _ place: Int) {
    func isOfWord(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
    }
    var (start, end) = (place, place)
    while start > 0, isOfWord(bytes[start - 1]) { start -= 1 }
    while end < bytes.count, isOfWord(bytes[end]) { end += 1 }
    bytes.replaceSubrange(start..<end, with: Array(Self.words[roll(Self.words.count)].utf8))
  }
}
