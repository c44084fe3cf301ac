// SPDX-License-Identifier: GPL-2.0-only

/// SHA-256 (FIPS 180-4): what `sha256sum` prints.
package struct SHA256: Sendable {
  private var state: InlineArray<8, UInt32> = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  /// The block that is being filled.
  private var block = InlineArray<64, UInt8>(repeating: 0)
  private var filled = 0
  private var count: UInt64 = 0

  package init() {}

  package mutating func add(_ bytes: RawSpan) {
    count &+= UInt64(bytes.byteCount)
    var offset = 0
    while offset < bytes.byteCount {
      if filled == 0, bytes.byteCount - offset >= 64 {
        compress { unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset &+ $0 &* 4, as: UInt32.self) }
        offset += 64
        continue
      }
      block[filled] = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      filled += 1
      offset += 1
      if filled == 64 { compressBlock() }
    }
  }

  package mutating func add(_ bytes: [UInt8]) { unsafe add(bytes.span.bytes) }

  /// Hexadecimal, 64 digits.
  package consuming func text() -> String {
    let bits = count &* 8
    add([0x80])
    while filled != 56 { add([0]) }
    add((0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * $0)) })
    var text = ""
    for index in state.indices {
      let word = String(state[index], radix: 16)
      text += String(repeating: "0", count: 8 - word.count) + word
    }
    return text
  }

  private mutating func compressBlock() {
    let block = self.block
    compress { index in
      UInt32(block[4 * index]) | UInt32(block[4 * index + 1]) << 8 | UInt32(block[4 * index + 2]) << 16
        | UInt32(block[4 * index + 3]) << 24
    }
    filled = 0
  }

  /// - Parameter word: The words of a block as they lie in memory, the first byte lowest.
  @inline(__always)
  private mutating func compress(_ word: (Int) -> UInt32) {
    var schedule = InlineArray<64, UInt32>(repeating: 0)
    for index in 0..<16 { schedule[index] = word(index).byteSwapped }
    for index in 16..<64 {
      let (a, b) = (schedule[index &- 15], schedule[index &- 2])
      let small = rotated(a, 7) ^ rotated(a, 18) ^ a >> 3
      let large = rotated(b, 17) ^ rotated(b, 19) ^ b >> 10
      schedule[index] = schedule[index &- 16] &+ small &+ schedule[index &- 7] &+ large
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for index in 0..<64 {
      let large = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
      let first = h &+ large &+ (e & f ^ ~e & g) &+ Self.constants[index] &+ schedule[index]
      let small = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
      let second = small &+ (a & b ^ a & c ^ b & c)
      (h, g, f, e) = (g, f, e, d &+ first)
      (d, c, b, a) = (c, b, a, first &+ second)
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
    state[5] &+= f
    state[6] &+= g
    state[7] &+= h
  }

  @inline(__always)
  private func rotated(_ word: UInt32, _ bits: UInt32) -> UInt32 { word &>> bits | word &<< (32 &- bits) }

  /// The cube roots of the first 64 primes, 32 bits behind the point.
  private static let constants: InlineArray<64, UInt32> = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
  ]
}
