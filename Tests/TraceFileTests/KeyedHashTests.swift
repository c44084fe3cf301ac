// SPDX-License-Identifier: GPL-2.0-only

import Testing
import TraceFile

@Suite("The keyed hash")
struct KeyedHashTests {
  private let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)

  @Test("The vectors of the SipHash paper and its reference code")
  func vectors() {
    var hash = KeyedHash(key: key)
    hash.add(Array(0..<15))
    #expect(hash.value() == 0xa129_ca61_49be_45e5)
    #expect(KeyedHash(key: key).value() == 0x726f_db47_dd0e_0e31)
  }

  @Test("How the message comes in pieces does not matter")
  func pieces() {
    var hash = KeyedHash(key: key)
    for piece in [Array(0..<3), Array(3..<14), [14]] as [[UInt8]] { hash.add(piece) }
    #expect(hash.value() == 0xa129_ca61_49be_45e5)
  }
}
