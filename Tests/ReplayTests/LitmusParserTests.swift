// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Testing

/// The litmus text format: what it says, and how it refuses what it does not understand.
struct LitmusParserTests {
  private let prelude = """
    example X-01 "a story"
    verdict *: OK
    process P
    vma P 0..15

    """

  private func refusal(of text: String) -> String? {
    do {
      _ = try LitmusParser.parse(text, file: "x.litmus")
      return nil
    } catch {
      return error.description
    }
  }

  @Test("A story comes back as it was told")
  func story() throws {
    let scenarios = try LitmusParser.parse(
      """
      example G-02 "fork"          # a comment
      source "kernel source"
      kernels ..6.12, 7.3
      machine arm64
      verdict C without c.fork | A-and-eager: OK
      process P
      vma P 0..15 ro dontfork
      P writes 3 order 2 as F data same
        on 6.1: expect P0..3=F.0 rDs+, F refs 4
      """, file: "g.litmus")
    let scenario = try #require(scenarios.first)
    #expect(scenarios.count == 1)
    #expect(scenario.id == "G-02")
    #expect(scenario.title == "fork")
    #expect(scenario.kernels == [.v6_1, .v6_12, .v7_3])
    #expect(scenario.machine.architecture == .arm64)
    #expect(
      scenario.configurations == [
        LitmusConfiguration(.cStrict, without: ["c.fork"]), LitmusConfiguration(.aAndEager),
      ])
    #expect(scenario.lines.count == 5)
    #expect(scenario.lines.map(\.line) == [5, 6, 7, 8, 9])
    let last = try #require(scenario.lines.last)
    #expect(last.kernels == [.v6_1])
    #expect(last.text == "on 6.1: expect P0..3=F.0 rDs+, F refs 4")
    guard case .expect(let expectation) = last.body, case .entry(let range, let entry) = expectation.claims[0] else {
      Issue.record("not an entry: \(last.body)")
      return
    }
    #expect(range == LitmusEntryRange(process: LitmusProcess(name: "P"), pages: 0...3))
    #expect(
      entry
        == .present(
          LitmusMapping(folio: "F", page: 0),
          LitmusBits(writable: false, dirty: true, softDirty: false), .exclusive))
  }

  @Test(
    "An unknown word is refused where it stands",
    arguments: [
      ("P jumps 0", "5:3: unknown verb 'jumps'"),
      ("R writes 0", "5:1: 'R' is neither a process nor a step"),
      ("swapout R 0", "5:9: no process 'R' here: 'process' or 'fork' introduces one"),
      ("P writes 0..", "5:10: '0..' is no page and no range such as 0..3"),
      ("P writes 3..1", "5:10: '3..1' is no page and no range such as 0..3"),
      ("P writes -1", "5:10: '-1' is no page and no range such as 0..3"),
      ("P writes 99999999999999999999", "5:10: '99999999999999999999' is no page and no range such as 0..3"),
      ("P writes 0 0", "5:12: expected 'order', 'as', 'data' or 'every'"),
      ("P writes 0 order 18", "5:18: no anonymous folio has order 18: 0, or 2 to 9, where a PMD maps it"),
      ("P writes 0 order 1", "5:18: no anonymous folio has order 1: 0, or 2 to 9, where a PMD maps it"),
      ("collapse P 0..3 order 0", "5:23: nothing collapses to order 0"),
      ("expect P0=swap excl D", "5:21: 'D' is not made of S, s, U, each at most once"),
      ("expect P0=migration W S D S", "5:27: 'S' is not made of D, c, S, s, U, each at most once"),
      ("P writes", "5:9: expected a page or a range of pages, found the end of the line"),
      ("P exits now", "5:9: 'now' was not expected here"),
      ("P mprotect 0 wr", "5:14: unknown protection 'wr'; known: none, ro, rw, rx, rwx"),
      ("fork P -> P", "5:11: there is a process 'P' already"),
      ("fork P - Q", "5:8: expected '->', found '-'"),
      ("expect P0=F.0 WX+", "5:15: 'X' is no bit of an entry (W r D c ? S s U N, then + or -)"),
      ("expect P0=F.0 W+", "5:15: 'W+' has to say W or r, and D, c or ?"),
      ("expect P0=F.0 WD", "5:17: the bits of a present anonymous entry end with + or -"),
      ("expect P0=F.0 WrD+", "5:15: 'r' is no bit of an entry (W r D c ? S s U N, then + or -)"),
      ("expect P0=F WD+", "5:11: 'F' is no page of a folio such as F.0, and no kind of entry"),
      ("expect Q0=none", "5:8: no process 'Q' here"),
      ("expect P0=migration X", "5:21: a migration entry is W, Rx or R, not 'X'"),
      ("expect F refs many", "5:15: expected a number of references, found 'many'"),
      (
        "verdict E: OK",
        "5:9: unknown encoding 'E'; known: \(EncodingID.allCases.map(\.rawValue).joined(separator: ", ")), "
          + "and C for C-strict"
      ),
      ("verdict C without b.fork: P0 OK", "5:19: C-strict has no switch 'b.fork'"),
      (
        "verdict C with luck: P0 OK",
        "5:16: unknown design choice 'luck'; known: "
          + LitmusChoice.allCases.map(\.rawValue).joined(separator: ", ")
      ),
      ("verdict C: P0 FINE", "5:15: unknown verdict 'FINE'"),
      ("verdict C: P0", "5:14: expected a verdict"),
      ("verdict C: P0 UNSAFE BETTER", "5:28: an entry has one verdict at a time (beside LOST)"),
      ("kernels 6.1", "5:1: has to stand before the first step of the example"),
      ("on 5.10: P exits", "5:4: unknown kernel '5.10'; known: 6.1, 6.12, 6.18, 7.3"),
      ("P writes 0 data \"x", "5:17: the quoted text has no closing quote"),
    ])
  func unknownWord(statement: String, message: String) {
    #expect(refusal(of: prelude + statement) == "x.litmus:" + message)
  }

  @Test(
    "The bits of an entry that is not present come in any order, in one word or several",
    arguments: ["D S U", "DSU", "USD", "U D S", "SU D"])
  func tracking(bits: String) throws {
    var wanted = LitmusBits(dirty: true, softDirty: true)
    wanted.userfaultWriteProtect = true
    let scenario = try #require(
      LitmusParser.parse(prelude + "expect P0=migration Rx \(bits), P1=device-private R+ U", file: "x").first)
    guard case .expect(let expectation)? = scenario.lines.last?.body, expectation.claims.count == 2,
      case .entry(_, let first) = expectation.claims[0], case .entry(_, let second) = expectation.claims[1]
    else {
      Issue.record("no two entries")
      return
    }
    #expect(first == .migration(.readExclusive, wanted))
    var userfault = LitmusBits()
    userfault.userfaultWriteProtect = true
    #expect(second == .devicePrivate(writable: false, .exclusive, userfault))
  }

  @Test(
    "The name of a process that is gone can be given again",
    arguments: [
      "fork P -> Q\nQ exits\nfork P -> Q", "fork P -> Q fails before 3\nfork P -> Q",
      "fork-begin P -> Q\nfork-abort P\nfork P -> Q", "P exits\nprocess P",
    ])
  func nameAgain(lines: String) {
    #expect(refusal(of: prelude + lines) == nil)
  }

  @Test("A file that would test nothing is refused")
  func empty() {
    #expect(refusal(of: "") == "x.litmus:1:1: the file holds no 'example'")
    #expect(refusal(of: "process P") == "x.litmus:1:1: an 'example' line has to come first")
    #expect(
      refusal(of: "\nexample X \"x\"\nprocess P")
        == "x.litmus:2:1: example X has no 'verdict' line: it would test no encoding")
    #expect(
      refusal(of: "example X \"x\"\nverdict C: OK\nexample X \"y\"\nverdict C: OK")
        == "x.litmus:3:9: there is an example 'X' in this file already")
  }

  @Test("Every bundled file is understood, and every numbered example is there", .about(.b))
  func bundledFiles() throws {
    let scenarios = try LitmusLibrary.load(directory: LitmusFixtures.directory)
    let ids = Set(scenarios.map(\.id))
    #expect(ids.count == scenarios.count)
    var wanted = (1...20).map { id("G", $0) } + (1...15).map { id("A", $0) } + (1...31).map { id("B", $0) }
    wanted += (1...45).map { id("C", $0) } + (1...10).map { id("M", $0) } + (1...10).map { id("P", $0) }
    wanted += ["B-14b", "C-11b", "C-30b"]
    #expect(wanted.filter { !ids.contains($0) } == [])
  }

  private func id(_ family: String, _ number: Int) -> String { "\(family)-\(number < 10 ? "0" : "")\(number)" }
}
