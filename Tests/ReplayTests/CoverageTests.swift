// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

@Suite("What is known over time")
struct CoverageTests {
  @Test(
    "However long the capture, 16 slices at most, and nothing that was checked is left out", arguments: [1, 30, 1000])
  func slices(milliseconds: UInt64) {
    var coverage = Coverage()
    let first = Timestamp(nanoseconds: 5_000_000_000)
    // Unknown in the first half, known in the second.
    let count: UInt64 = 1000
    for index in 0..<count {
      let offset = index * milliseconds * 1000
      coverage.note(isKnown: index >= count / 2, at: Timestamp(nanoseconds: first.nanoseconds + offset))
    }
    let slices = coverage.result
    #expect(slices.count <= 16)
    #expect(slices.reduce(0) { $0 + $1.checked } == count && slices.reduce(0) { $0 + $1.known } == count / 2)
    let half = count / 2 * milliseconds * 1000
    for slice in slices {
      if slice.end <= half { #expect(slice.known == 0) }
      if slice.start >= half { #expect(slice.known == slice.checked) }
    }
    #expect(zip(slices, slices.dropFirst()).allSatisfy { $0.end <= $1.start && $1.end - $1.start == $0.end - $0.start })
  }

  @Test("What comes a little too early belongs to the first slice")
  func early() {
    var coverage = Coverage()
    coverage.note(isKnown: true, at: Timestamp(nanoseconds: 1000))
    coverage.note(isKnown: false, at: Timestamp(nanoseconds: 900))
    #expect(coverage.result.map(\.checked) == [2] && coverage.result[0].start == 0)
  }
}
