// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Anonymize

@Suite("Where user memory is said to be instead")
struct AddressMapTests {
  private static let gib: UInt64 = 1 << 30

  private func map(_ survey: AddressSurvey, _ key: UInt64 = 1) -> AddressMap {
    AddressMap(survey, pageSize: 4096, secret: Secret((key, 2)))
  }

  /// A program, its heap, libraries, a mapping of 3 GiB over the end of 512, and a stack.
  private static let places: [UInt64] = [
    0x55d0_0000_1000, 0x55d0_8000_2000, 0x7e7f_ffff_f000, 0x7e80_0000_0000, 0x7f3a_1234_5678, 0x7ffc_0000_0000,
  ]

  private var survey: AddressSurvey {
    var survey = AddressSurvey()
    for place in Self.places { survey.note(place) }
    survey.cover(from: 0x7e7f_c000_0000, 3 * Self.gib)
    return survey
  }

  @Test("The order stays, and the place within 1 GiB; where that is does not", arguments: 1...40)
  func order(key: UInt64) {
    let map = map(survey, key)
    let moved = Self.places.map(map.address)
    #expect(moved == moved.sorted() && Set(moved).count == moved.count)
    for (old, new) in zip(Self.places, moved) {
      #expect(old % Self.gib == new % Self.gib)
      #expect(new < 1 << 47)
    }
  }

  @Test("Tables of every level are shared as they were", arguments: 1...40)
  func tables(key: UInt64) {
    let map = map(survey, key)
    for shift: UInt64 in [21, 30, 39] {
      for a in Self.places {
        for b in Self.places {
          #expect((a >> shift == b >> shift) == (map.address(a) >> shift == map.address(b) >> shift))
        }
      }
    }
  }

  @Test("A mapping stays in one piece, its end where it crosses 512 GiB too", arguments: 1...40)
  func mapping(key: UInt64) {
    let map = map(survey, key)
    let start: UInt64 = 0x7e7f_c000_0000
    for step in 0..<3 as Range<UInt64> {
      #expect(map.address(start + step * Self.gib) == map.address(start) + step * Self.gib)
    }
    #expect(map.address(start + Self.gib) % (512 * Self.gib) == 0)
    #expect(map.length(from: start, 3 * Self.gib) == 3 * Self.gib)
    #expect(map.end(start + 3 * Self.gib) == map.address(start) + 3 * Self.gib)
  }

  @Test("A range over places that are not side by side covers them afterwards, and no more")
  func range() {
    var survey = survey
    let start: UInt64 = 0x55d0_0000_1000
    let length: UInt64 = 0x7f3a_1234_5679 - start
    survey.note(from: start, length)
    let map = map(survey)
    let end = map.address(start) + map.length(from: start, length)
    #expect(end == map.address(0x7f3a_1234_5678) + 1)
    #expect(map.address(0x7ffc_0000_0000) >= end)
  }

  @Test("Nothing, low memory, the vsyscall page and the last address stay; no address becomes one")
  func fixed() {
    let map = map(survey)
    for address: UInt64 in [0, 0x40_0000, 0xffff_ffff, 0xffff_ffff_ff60_0000, .max] {
      #expect(map.address(address) == address)
    }
    #expect(map.address(0xffff_8881_2345_6789) == 0x8000_0000_0000_0789)
    #expect(map.length(from: 0x1000, 0) == 0)
    #expect(map.length(from: .max, 2) == 2)
  }

  @Test("Another secret, another place", arguments: Self.places)
  func secrets(place: UInt64) {
    let moved = Set((1...20).map { map(survey, $0).address(place) })
    #expect(moved.count > 10)
  }

  @Test("With tables of three levels everything lies in 512 GiB, and stays there", arguments: 1...40)
  func threeLevels(key: UInt64) {
    var survey = AddressSurvey()
    let places: [UInt64] = [0x10_0000, 0x5d_1234_5000, 0x7f_ffff_f000]
    for place in places { survey.note(place) }
    let map = map(survey, key)
    let moved = places.map(map.address)
    #expect(moved == moved.sorted() && moved.allSatisfy { $0 < 1 << 39 } && moved[0] == places[0])
  }
}
