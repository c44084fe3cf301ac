// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Explore

/// GUP-fast against whoever clears PageAnonExclusive. The results are known from two independent throw-away checkers
/// and from the comments in rmap.h and gup.c: true is "holds", for sc, tso and weak.
struct GUPRowTests {
  static let known: [(String, [Bool])] = [
    ("K-01", [true, true, true]), ("K-01-w", [true, true, true]),
    ("K-02", [true, false, false]), ("K-02-xchg", [true, true, false]),
    ("K-03", [true, true, false]),
    ("K-04", [true, true, false]), ("K-04-rmb", [true, true, false]),
    ("K-05", [true, true, false]), ("K-05-rmb", [true, true, true]),
    ("K-06", [true, true, true]), ("K-06-w", [true, true, true]),
    ("K-07", [true, true, true]), ("K-07-c5", [true, true, false]), ("K-07-rmb", [true, true, false]),
    ("K-08", [true, true, true]), ("K-08-r", [true, true, true]),
    ("K-08a", [false, false, false]), ("K-08a-r", [false, false, false]),
    ("K-08b", [true, true, false]), ("K-08b-mb", [true, true, true]),
    ("K-08c", [true, true, false]), ("K-08c-mb", [true, true, true]),
    ("K-09", [false, false, false]),
  ]

  @Test(arguments: known, [true, false])
  func theKnownResultIsFound(_ known: (id: String, holds: [Bool]), reductions: Bool) throws {
    var selection = CellSelection()
    selection.memories = [.sc, .tso, .weak]
    let results = try Bundled.results(known.id, selection, reductions: reductions)
    #expect(results.map { $0.result == .holds } == known.holds)
    #expect(results.allSatisfy { $0.isAsExpected == true })
  }

  /// Why fork of a large folio is not covered: the pin count is read before the odd sequence is seen.
  @Test func theScheduleOfALargeFolioShowsTheEarlyRead() throws {
    var selection = CellSelection()
    selection.memories = [.weak]
    let result = try #require(try Bundled.results("K-08b", selection).first)
    let lines = try #require(result.violations.first).schedule.lines
    let read = try #require(lines.firstIndex { $0.actor == "fork" && $0.step == "f3" })
    let odd = try #require(lines.firstIndex { $0.actor == "fork" && $0.step == "f0" })
    let check = try #require(lines.firstIndex { $0.step == "g9" })
    #expect(read < check && check < odd)
    #expect(lines[read].sees == ["pins is 0"])
    #expect(lines[odd].changes == ["sequence: 0 -> 1"])
  }
}
