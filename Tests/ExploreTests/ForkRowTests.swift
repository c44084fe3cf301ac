// SPDX-License-Identifier: GPL-2.0-only

import Replay
import Testing

@testable import Explore

/// A large folio at fork. What stands here was worked out by hand; fork.expected holds all cells.
struct ForkRowTests {
  private func verdicts(
    _ id: String, _ encoding: String, geometry: String = "one", rules: [String] = [], reductions: Bool = true
  ) throws -> [String] {
    var selection = CellSelection()
    selection.encodings = [encoding]
    selection.rules = rules
    selection.coordinates = ["geometry": geometry, "pages": "2"]
    return try #require(try Bundled.results(id, selection, reductions: reductions).first).verdicts
  }

  /// One actor, so one order: half of the folio is shared, half is not (docs/semantics: a flag cannot say so).
  @Test func aHalfSharedFolioNeedsTwoAnswers() throws {
    for id in ["F-16"] {
      #expect(try verdicts(id, "baseline") == [])
      #expect(try verdicts(id, "A-or") == ["UNSAFE"])
      #expect(try verdicts(id, "A-and-lazy") == ["I1-BREAK"])
      #expect(try verdicts(id, "A-and-eager") == [])
      #expect(try verdicts(id, "B") == [])
      #expect(try verdicts(id, "C-strict") == [])
    }
    // A fork that fails leaves nothing shared: only the write bits are left over.
    #expect(try verdicts("F-12", "A-or") == [])
    #expect(try verdicts("F-12", "A-and-lazy") == ["I1-BREAK"])
    #expect(try verdicts("F-12", "A-and-eager") == [])
  }

  /// K-09 with names: KSM clears the folio's flag under one entry while the other is being pinned.
  @Test(arguments: ["one", "two"]) func anotherEntryIsPinnedWhileTheFlagIsCleared(geometry: String) throws {
    #expect(try verdicts("F-23", "baseline", geometry: geometry) == [])
    #expect(try verdicts("F-23", "A-and-lazy", geometry: geometry) == ["CONS-pin"])
    #expect(try verdicts("F-23", "A-and-eager", geometry: geometry) == ["CONS-pin"])
    #expect(try verdicts("F-23", "A-and-eager", geometry: geometry, rules: ["K"]) == [])
    #expect(try verdicts("F-23", "B", geometry: geometry) == [])
    #expect(try verdicts("F-23", "C-strict", geometry: geometry) == [])
  }

  /// A write fault in the VMA that fork has not reached passes the reuse check, fork shares the other half, the fault
  /// sets the flag. In one table the PTL keeps the two apart.
  @Test func theReuseCheckNeedsTheLockOfTheWholeFolio() throws {
    #expect(try verdicts("F-44", "A-and-eager") == [])
    #expect(try verdicts("F-44", "A-and-eager", geometry: "two") == ["UNSAFE"])
    #expect(try verdicts("F-44", "A-and-eager", geometry: "two", rules: ["M"]) == [])
    #expect(try verdicts("F-44", "baseline", geometry: "two") == [])
  }

  /// fork meets a migration entry of a folio that cannot be migrated because it is pinned.
  @Test func forkHasToWaitForTheMigrationOfAPinnedFolio() throws {
    #expect(try verdicts("F-29", "A-and-eager") == ["CONS-pin"])
    #expect(try verdicts("F-29", "A-and-eager", rules: ["W"]) == [])
    #expect(try verdicts("F-29", "A-and-eager", rules: ["L"]) == [])
    #expect(try verdicts("F-29", "C-strict") == [])
  }

  /// Migration holds the folio lock and wants a PTL; fork holds the PTL and wants the folio lock.
  @Test func theFolioLockUnderThePTLsDeadlocks() throws {
    #expect(try verdicts("F-01", "A-and-eager", rules: ["l"]) == ["DEADLOCK"])
    #expect(try verdicts("F-01", "A-and-eager", rules: ["L"]) == [])
  }

  @Test(arguments: ["F-01", "F-05", "F-20", "F-41", "F-44"], ["baseline", "A-and-lazy", "A-and-eager", "A-or", "B"])
  func reductionsChangeNoVerdict(id: String, encoding: String) throws {
    for geometry in ["one", "two"] {
      #expect(
        try verdicts(id, encoding, geometry: geometry)
          == verdicts(id, encoding, geometry: geometry, reductions: false))
    }
  }

  /// Models speak of encodings and verdicts by the names the rest of the program has for them.
  @Test("Names are those of the replay", .enabled(if: EncodingID.allCases.contains(.b), "about encoding B"))
  func namesAreThoseOfTheReplay() throws {
    let library = try Bundled.library()
    let known = Set(Verdict.allCases.map(\.rawValue)).union(["DEADLOCK", "LEAK", "UAF", "OVERLAP", "UFFD-WP"])
    for name in ["gup", "fork", "collapse"] {
      let model = try #require(library.model(name))
      for encoding in model.encodings where !encoding.isAbstract {
        #expect(EncodingID.allCases.contains { $0.rawValue == encoding.name })
      }
      for check in model.checks where !check.isCost { #expect(known.contains(check.verdict)) }
    }
  }
}
