// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import MMEvents
import Replay
import Testing

@testable import Pipeline

/// What the timeline of a fixture adds up to is what the rest of the result says, which is counted elsewhere.
@Suite("Timelines of the fixtures")
struct FixtureTimelineTests {
  @Test(
    "Sums and ends",
    arguments: ["captures/6.18-shell", "captures/6.12-tour", "captures/6.1-two-nodes", "tracefile/shell.dat"])
  func sums(_ path: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../fixtures/\(path)")
    let result = try Analysis(path: file.standardizedFileURL.path).replay()
    let timeline = try #require(result.timeline)
    // More than half of the points there may be, or the shortest stretches, over what was trusted: nothing is lost in
    // any of them.
    #expect(timeline.points <= 256 && (timeline.points > 128 || timeline.interval == 64_000))
    let span = UInt64(timeline.points - 1) * timeline.interval...UInt64(timeline.points) * timeline.interval
    #expect(span.contains(result.trustedNanoseconds))

    func sum(_ count: Timeline.Count) -> UInt64 { (timeline.counts[count] ?? []).reduce(0, +) }
    let copies = try #require(result.audits.first { $0.name == "copies" })
    #expect(sum(.forks) == copies["forks"] && sum(.forks) > 0)
    #expect(sum(.losses) == 0)
    // hugetlb pages are not in the audit.
    #expect(sum(.copies) >= copies["copied_by_child"] + copies["copied_by_parent"] && sum(.copies) > 0)
    #expect(sum(.reuses) >= copies["reused"])

    let b = try #require(result.encodings.first { $0.id == .b })
    #expect(timeline.gauges[.bitmapBytes]?.last == b.costs.first { $0.name == "bitmap_bytes_now" }?.count)
    let tables = try #require(result.audits.first { $0.name == "tables" })
    #expect(try #require(timeline.gauges[.pageTables]?.max()) <= tables["tables_peak"])
    #expect(try #require(timeline.gauges[.emptyTables]?.max()) <= tables["empty_peak"])

    for encoding in result.encodings where encoding.id != .baseline {
      let series = try #require(timeline.divergences[encoding.id])
      var expected = CertaintyCounts()
      for (verdict, counts) in encoding.verdicts where verdict != .lost && verdict != .better {
        expected.definite += counts.definite
        expected.possible += counts.possible
      }
      #expect(series.definite.reduce(0, +) == expected.definite)
      #expect(series.possible.reduce(0, +) == expected.possible)
    }
    // Of a shell, something was found of C-raw: the sums above are not of nothing.
    #expect(try #require(timeline.divergences[.cRaw]).definite.contains { $0 > 0 })
  }
}
