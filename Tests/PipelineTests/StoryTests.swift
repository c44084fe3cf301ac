// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import MMEvents
import Pipeline
import Replay
import Report
import Stories
import Testing

/// Divergences of the bundled captures as stories: what was found in thousands of events has to show in a few steps.
struct StoryTests {
  private static let captures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("fixtures/captures")

  @Test(
    "Every definite divergence of a proposal, and the first ones of the instruments, has a story with its verdict",
    arguments: [
      // The proposals' are all in the tours, where one half of a huge page is forked before the other.
      ("6.1-tour", 4), ("6.12-tour", 4), ("6.1-two-nodes", 0), ("6.12-two-nodes", 0), ("6.18-shell", 0),
      ("6.12-arm64-tour.dat", 0), ("6.12-arm64-two-nodes.dat", 0),
    ])
  func everySignature(_ capture: String, ofProposals expected: Int) throws {
    let analysis = Analysis(path: Self.captures.appendingPathComponent(capture).path)
    var options = Analysis.Options()
    options.encodings = EncodingID.standard.filter { $0 != .baseline }
    options.audits = []
    let all = try analysis.replay(options).divergencesTold.filter { $0.certainty == .definite }
    let ofProposals = all.filter { $0.encoding.role == .proposal }
    #expect(ofProposals.count == expected)
    let ofInstruments = all.filter { $0.encoding.role != .proposal }.prefix(3)
    var lengths: [Int] = []
    for (index, divergence) in (ofProposals + ofInstruments).enumerated() {
      let story = try #require(try analysis.story(of: divergence, number: index + 1, options))
      lengths.append(story.steps)
      let scenario = try #require(try LitmusParser.parse(story.text, file: capture).first)
      // It is right as a litmus file, ...
      #expect(LitmusRunner.run(scenario).flatMap(\.failures) == [])
      // ... and comes to this verdict, in this encoding, at its last step and not before.
      let configuration = try #require(scenario.configurations.first)
      #expect(scenario.configurations.count == 1 && configuration.encoding == divergence.encoding)
      let trail = LitmusTrail(scenario, configuration, try #require(scenario.kernels.first))
      let last = try #require(trail.steps.last)
      let verdicts = divergence.verdict == .lost ? (last.lost.isEmpty ? [] : [.lost]) : Array(last.verdicts.values)
      #expect(verdicts.contains(divergence.verdict), "\(story.text)")
      #expect(trail.steps.count == story.steps && trail.steps.allSatisfy { !$0.failed })
    }
    if !lengths.isEmpty { #expect(lengths.sorted()[lengths.count / 2] <= 15) }
  }

  @Test("A forgotten call site of a proposal has a story that forgets it too")
  func withoutCallSite() throws {
    let analysis = Analysis(path: Self.captures.appendingPathComponent("6.18-shell").path)
    var options = Analysis.Options()
    options.encodings = [.cStrict]
    options.without = CallSiteSwitch.named("c.fork")
    let (divergence, number) = try analysis.divergence(.number(1), options)
    #expect(divergence.verdict == .unsafe && number == 1)
    let story = try #require(try analysis.story(of: divergence, number: number, options))
    // The bash binary's data, private pages of a file, is written and forked.
    let steps = story.text.split(separator: "\n").drop { $0 != "process P" }.filter { !$0.hasPrefix(" ") }
    #expect(steps == ["process P", "vma P 0 file", "P writes 0", "fork P -> Q"])
    #expect(story.text.contains("verdict C-strict without c.fork: P0, Q0 UNSAFE"))
  }

  @Test("What is asked for by event or frame is the worst there; what is not there is said")
  func choices() throws {
    let analysis = Analysis(path: Self.captures.appendingPathComponent("6.12-tour").path)
    let (first, _) = try analysis.divergence(.number(1), Analysis.Options())
    let (bySequence, number) = try analysis.divergence(.sequence(first.firstSequence), Analysis.Options())
    #expect(number == 1 && bySequence.verdict == .invariantBreak && bySequence.encoding == .aAndLazy)
    let frame = try #require(first.frame)
    #expect(try analysis.divergence(.frame(frame), Analysis.Options()).number == 1)
    #expect(throws: AnalysisError.self) { try analysis.divergence(.number(5), Analysis.Options()) }
  }
}
