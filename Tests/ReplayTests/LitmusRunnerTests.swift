// SPDX-License-Identifier: GPL-2.0-only

import Replay
import Foundation
import Testing

/// Stories on the model: what the runner accepts, and what it must not.
struct LitmusRunnerTests {
  private func results(_ text: String) throws -> [LitmusResult] {
    try LitmusParser.parse(text, file: "x.litmus").flatMap { LitmusRunner.run($0) }
  }

  private func messages(_ text: String) throws -> [String] {
    try results(text).flatMap { result in result.failures.map { "\(result.name): \($0.description)" } }
  }

  private let shared = """
    example X "fork"
    verdict B without b.fork.set.child: OK
    process P
    vma P 0..15
    P writes 0
    fork P -> Q

    """

  @Test("A story that is right passes, for the baseline and for each configuration", .about(.b))
  func right() throws {
    let results = try results(
      shared + """
          expect P0=F.0 rD-, Q0=F.0 rD-, F refs 2
          verdict B without b.fork.set.child: Q0 UNSAFE
        """)
    #expect(results.map(\.name) == ["X baseline", "X B without b.fork.set.child"])
    #expect(results.flatMap(\.failures) == [])
  }

  @Test("A verdict that no line names is reported", .about(.b))
  func unnamed() throws {
    #expect(
      try messages(shared) == [
        "X B without b.fork.set.child: [7.3] line 6, after 'fork P -> Q': Q0: expected OK, or to be named, "
          + "got UNSAFE (#0.0 rDS+; baseline #0.0 rDS-)"
      ])
  }

  @Test("A named verdict that does not come is reported", .about(.b))
  func absent() throws {
    #expect(
      try messages(shared + "verdict B without b.fork.set.child: Q0 UNSAFE; P0 UNSAFE") == [
        "X B without b.fork.set.child: [7.3] line 6, after 'fork P -> Q': P0: expected UNSAFE, "
          + "got OK (#0.0 rDS-; baseline #0.0 rDS-)"
      ])
  }

  @Test("A verdict has to be named where it first occurs", .about(.b))
  func late() throws {
    let found = try messages(
      shared + """
        verdict B without b.fork.set.child: Q0 UNSAFE
        P reads 1
        verdict B without b.fork.set.child: Q0 UNSAFE
        """)
    #expect(
      found == [
        "X B without b.fork.set.child: [7.3] line 8, after 'P reads 1': Q0: expected UNSAFE for the first time, "
          + "got UNSAFE since an earlier step"
      ])
  }

  @Test("A repair can be claimed, and a repair that did not happen is reported", .about(.b))
  func repair() throws {
    let story = shared + "verdict B without b.fork.set.child: Q0 UNSAFE\nP exits\n"
    #expect(try messages(story + "verdict B without b.fork.set.child: Q0 BETTER") == [])
    #expect(try messages(story + "verdict B without b.fork.set.child: Q0 OK; Q0 BETTER").count == 0)
    #expect(
      try messages(story + "verdict B without b.fork.set.child: OK").contains {
        $0.contains("Q0: expected OK, got BETTER")
      })
  }

  @Test("A verdict that is silently no more is reported, and can be named as OK", .about(.b))
  func silentRepair() throws {
    let story = shared + "verdict B without b.fork.set.child: Q0 UNSAFE\nP writes 0\n"
    let better = "verdict B without b.fork.set.child: Q0 BETTER\n"
    let pin = "Q pins 0 read\n"
    #expect(try messages(story + better + pin).contains { $0.contains("Q0: expected BETTER still, or OK to be named") })
    #expect(try messages(story + better + pin + "verdict B without b.fork.set.child: Q0 OK") == [])
  }

  @Test("A name that is given again stands for the new process; pins of the old one can be given back before")
  func nameAgain() throws {
    let story = """
      example X "x"
      verdict C: OK
      process P
      vma P 0..3
      P writes 0
        expect P0=F.0 WD+
      fork P -> Q
      Q pins 0 read
        expect Q0=G.0 rc+, G pins 1
      Q exits
        expect Q=gone, G pins 1
      Q unpins 0
        expect G refs 0
        verdict C: NOCHECK
      fork P -> Q
        expect P0=F.0 rD-, Q0=F.0 rD-

      """
    // The pin was the last reference: that is what the claim after it stumbles over, and nothing else.
    #expect(try messages(story).map { $0.hasSuffix("G: expected a folio, got freed") } == [true])
  }

  @Test(
    "A wrong state of the baseline is reported with what is there", .about(.b),
    arguments: [
      ("expect P0=F.0 WD+", "P0: expected F.0 WD+, got #0.0 rDS-"),
      ("expect P0=F.0 rD+", "P0: expected F.0 rD+, got #0.0 rDS-"),
      ("expect P0=F.0 rc-", "P0: expected F.0 rc-, got #0.0 rDS-"),
      ("expect P0=F.1 rD-", "P0: expected F.1 rD-, got #0.0 rDS-"),
      ("expect P0=F.0 rD-, Q0=G.0 rD-", "Q0: expected G.0 rD-, got F.0 rDS-"),
      ("expect P0=none", "P0: expected none, got #0.0 rDS-"),
      ("expect P1=no-vma", "P1: expected no-vma, got none"),
      ("expect P0=F.0 rDU-", "P0: expected F.0 rDU-, got #0.0 rDS-"),
      ("expect P0=swap excl", "P0: expected swap excl , got #0.0 rDS-"),
      ("expect Q=gone", "Q: expected gone, got alive"),
      ("expect P0=F.0 rD-, F refs 3", "F: expected refs 3, got refs 2"),
      ("expect P0=F.0 rD-, F dirty", "F: expected dirty, got not dirty"),
      ("expect P0=F.0 rD-, F.0 PAE 1", "F: expected page 0 PAE 1, got page 0 PAE 0"),
      ("expect G refs 1", "G: expected a folio, got never seen"),
      ("expect Q0 reads zeros", "Q0: expected zeros, got version 1"),
      ("expect P0 table absent", "table of P0: expected absent, got present"),
      ("expect fails", "the step: expected an error, got success"),
    ])
  func wrongState(claim: String, message: String) throws {
    let story = shared + "verdict B without b.fork.set.child: Q0 UNSAFE\n" + claim
    #expect(try messages(story) == ["X baseline: [7.3] line 6, after 'fork P -> Q': \(message)"])
  }

  @Test("A step that fails unannounced is reported")
  func failingStep() throws {
    #expect(
      try messages("example X \"x\"\nverdict C: OK\nprocess P\nvma P 0..3 ro\nP writes 0") == [
        "X baseline: [7.3] line 5, after 'P writes 0': the step: expected success, got an error"
      ])
  }

  @Test("A cost that is not as told is reported", .about(.b))
  func cost() throws {
    let story = "example X \"x\"\nverdict B: OK\nprocess P\nvma P 0..3\nP writes 0\nfork P -> Q\n"
    #expect(try messages(story + "cost B: bitmap_allocations 2") == [])
    #expect(
      try messages(story + "cost B: bitmap_allocations 3").map { $0.hasSuffix("expected 3, got 2") } == [true])
    #expect(try messages(story + "cost B: bits 3").map { $0.hasSuffix("got unknown") } == [true])
  }

  @Test("Every bundled example holds on every kernel it names")
  func bundled() throws {
    let scenarios = try LitmusLibrary.load(directory: LitmusFixtures.directory)
    let failing = scenarios.flatMap { LitmusRunner.run($0) }.filter { !$0.passed }
    #expect(failing.map(\.name) == [])
  }

  /// Minutes in a debug build: `COWSCOPE_LONG_TESTS=1 swift test -c release --filter Forgetting`.
  @Test(
    "Forgetting any call site, and taking out any kernel path, is noticed by some example",
    .enabled(if: ProcessInfo.processInfo.environment["COWSCOPE_LONG_TESTS"] != nil, "set COWSCOPE_LONG_TESTS to run it")
  )
  func mutations() throws {
    // Two examples are there for their cost alone, and large.
    let scenarios = try LitmusLibrary.load(directory: LitmusFixtures.directory)
      .filter { $0.id != "B-23" && $0.id != "P-09" }
    let survivors = LitmusMutation.all.filter { LitmusRunner.firstNoticing($0, in: scenarios) == nil }
    #expect(survivors.map(\.name) == [])
  }
}
