// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Normalize

@Suite("Who owns the counters")
struct MMOwnershipTests {
  @Test("A place holds its space's counters for as long as the hash is that space's, and for no other hash")
  func named() throws {
    var ownership = MMOwnership()
    let first = ownership.create(pointer: 0x1000, origin: .fork)
    let unnamed = ownership.counters(of: first)
    let nameless = try #require(unnamed)
    let (zero, seven) = (ownership.isCurrent(nameless, hash: 0), ownership.isCurrent(nameless, hash: 7))
    #expect(!zero && !seven)
    ownership.learn(hash: 7, of: first)
    let found = ownership.counters(of: first)
    let place = try #require(found)
    let (own, other) = (ownership.isCurrent(place, hash: 7), ownership.isCurrent(place, hash: 8))
    let none = ownership.isCurrent(.none, hash: 0)
    #expect(own && !other && !none)
    // Another space, and what is known already, change nothing.
    let second = ownership.create(pointer: 0x2000, origin: .fork)
    ownership.learn(hash: 8, of: second)
    ownership.learn(hash: 7, of: first)
    let still = ownership.isCurrent(place, hash: 7)
    #expect(still)
    ownership.learn(hash: 9, of: first)
    let (before, after) = (ownership.isCurrent(place, hash: 7), ownership.isCurrent(place, hash: 9))
    #expect(!before && !after)
  }

  @Test("The next space at an address takes the hash with it, whether the end of the old one was seen or not")
  func recycled() throws {
    for endIsSeen in [true, false] {
      var ownership = MMOwnership()
      let old = ownership.create(pointer: 0x1000, origin: .fork)
      ownership.learn(hash: 7, of: old)
      let found = ownership.counters(of: old)
      let place = try #require(found)
      if endIsSeen { ownership.end(old) }
      let new = ownership.create(pointer: 0x1000, origin: .fork)
      let afterCreation = ownership.isCurrent(place, hash: 7)
      ownership.learn(hash: 7, of: new)
      let afterNaming = ownership.isCurrent(place, hash: 7)
      #expect(!afterCreation && !afterNaming)
      let foundNext = ownership.counters(of: new)
      let next = try #require(foundNext)
      let isCurrent = ownership.isCurrent(next, hash: 7)
      #expect(isCurrent)
    }
  }

  @Test(
    "A counter has changed by nothing known until its first total was seen",
    arguments: [(MMOrigin.attached, nil), (.fork, 5), (.exec, 5)] as [(MMOrigin, Int64?)])
  func totals(origin: MMOrigin, first: Int64?) throws {
    var ownership = MMOwnership()
    let mm = ownership.create(pointer: nil, origin: origin)
    ownership.learn(hash: 7, of: mm)
    let found = ownership.counters(of: mm)
    let place = try #require(found)
    let before = ownership.count(.anonymous, at: place, pages: 5)
    let between = ownership.count(.anonymous, at: place, pages: 3)
    #expect(MMOwnership.change(from: before, to: 5) == first)
    #expect(MMOwnership.change(from: between, to: 3) == -2)
    let (counted, never) = (ownership.count(.anonymous, of: mm), ownership.count(.file, of: mm))
    #expect(counted == 3 && never == first.map { _ in 0 })
  }

  @Test("Without the names of its flags no allocation is one for user memory")
  func unknownFlags() {
    let bits = GFPBits(nil)
    for flags in [0, 1, 0x140dca, .max] as [UInt64] {
      #expect(!bits.isUserFolio(flags, order: 0) && !bits.isUserFolio(flags, order: 9))
    }
  }
}
