// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Normalize

@Suite("Numbers to numbers")
struct NumberTableTests {
  @Test("Insertions, replacements and removals leave what a dictionary would have", arguments: [1, 2, 3] as [UInt64])
  func againstDictionary(_ seed: UInt64) {
    var state = seed &* 0x9e37_79b9_7f4a_7c15
    func random(_ bound: UInt64) -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state % bound
    }
    var table = NumberTable()
    var expected: [UInt64: UInt32] = [:]
    for step in 0..<20_000 {
      // Pointers of one slab: alike but for a few bits. Few enough that removals meet what is there.
      let key = 0xffff_8880_0000_0000 + random(400) * 1408
      let value = random(3) == 0 ? nil : UInt32(step)
      table[key] = value
      expected[key] = value
      if step % 97 == 0 {
        #expect(table.count == expected.count)
        for number in 0..<400 as Range<UInt64> {
          let key = 0xffff_8880_0000_0000 + number * 1408
          #expect(table[key] == expected[key])
        }
      }
    }
    #expect(table[0] == nil && table[.max] == nil)
  }
}
