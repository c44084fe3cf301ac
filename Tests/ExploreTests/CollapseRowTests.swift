// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Explore

/// Collapse: results known from a throw-away checker, with what is broken where something is.
struct CollapseRowTests {
  static let broken: [(String, String)] = [
    ("K-11", "DATA-LOSS"), ("K-12", "DATA-LOSS"), ("K-12-ipi", "DATA-LOSS"), ("K-13-table", "UAF"), ("K-14", "LEAK"),
    ("K-15", "DATA-LOSS"), ("K-16", "DATA-LOSS"), ("K-21", "DATA-LOSS"), ("K-22", "DATA-LOSS"), ("K-23", "DATA-LOSS"),
    ("K-24", "UFFD-WP"), ("K-25", "DATA-LOSS"), ("K-26", "UAF"), ("K-27-I1", "I1-BREAK"), ("K-33", "DATA-LOSS"),
    ("K-34-B-off", "I1-BREAK"), ("K-36-U-blind", "UFFD-WP"), ("K-36-zap", "DATA-LOSS"), ("K-36-table", "UAF"),
    ("K-37-flush", "UAF"),
  ]

  @Test(arguments: broken) func aMissingGuardIsNoticed(_ broken: (id: String, verdict: String)) throws {
    let result = try #require(try Bundled.results(broken.id).first)
    #expect(result.verdicts.contains(broken.verdict))
    #expect(result.isAsExpected == true)
  }

  @Test func everyOtherCollapseRowHolds() throws {
    let library = try Bundled.library()
    let broken = Set(Self.broken.map(\.0))
    let rows = library.rows.filter { $0.id.hasPrefix("K-") && $0.actors.contains { $0.actor.hasPrefix("collapse") } }
    #expect(rows.count == 58)
    for row in rows where !broken.contains(row.id) { #expect(row.expected == [.sc: .holds], "\(row.id)") }
    for id in ["K-10-W", "K-10-NW", "K-13", "K-17-open", "K-20-U", "K-28", "K-28-vma", "K-30", "K-35", "K-36-U"] {
      #expect(try Bundled.results(id).first?.result == .holds, "\(id)")
    }
  }

  /// Collapse with migration entries leads to the same ends as migration, and to others in the ways listed.
  @Test(arguments: ["E0-W", "E0-Z0", "E0-U", "E1", "E1-guarded", "E2", "E3-zap", "E3-uffd", "E5", "E7", "E7-guarded"])
  func collapseIsMigrationButForTheListedDifferences(id: String) throws {
    let result = try #require(try Bundled.results(id).first)
    let isGuarded = id.hasPrefix("E0") || id.hasSuffix("guarded")
    #expect(result.verdicts.contains("DIFFERS") == !isGuarded)
  }
}
