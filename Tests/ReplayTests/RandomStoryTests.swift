// SPDX-License-Identifier: GPL-2.0-only

import Replay
import Testing

/// Stories in the litmus language, made by chance. The long run is `tools/random-stories`.
struct RandomStoryTests {
  @Test("Every rule holds after every random step, and nobody sound claims what others can observe")
  func nothingBroken() {
    for seed in Array(UInt64(1)...20) + Array(RandomStory.firstWideSeed..<RandomStory.firstWideSeed + 20) {
      let check = RandomStoryCheck(seed: seed, steps: 40)
      #expect(check.finding?.what == nil, "seed \(seed): \(check.finding?.what ?? "")")
      #expect(check.played + check.refused == 40)
    }
  }

  @Test(
    "Seeds that once found something stay quiet",
    arguments: [UInt64(1017), 2638, 13465, 31630, 36326, 40345, 1_009_707, 1_011_746, 1_014_741, 1_015_343])
  func onceBroken(seed: UInt64) {
    #expect(RandomStoryCheck(seed: seed, steps: 50).finding?.what == nil)
  }

  @Test(
    "A forgotten call site is found and shrunken to a few steps",
    arguments: ["b.fork.set.child", "b.reuse.clear", "c.fork"].filter { site in
      EncodingRegistry.all.contains { LitmusSwitches.names(of: $0.id).contains(site) }
    })
  func forgotten(site: String) throws {
    let finding = try #require(
      (UInt64(1)...20).lazy.compactMap { RandomStoryCheck(seed: $0, steps: 50, without: [site]).finding }.first)
    #expect(finding.lines.count <= 8)
    // As a litmus file it shows the same, and is fine with the site done.
    func passes(without: [String]) throws -> Bool {
      try LitmusParser.parse(RandomStory.file(finding.lines, seed: finding.seed, without: without), file: "x")
        .flatMap { LitmusRunner.run($0) }.allSatisfy(\.passed)
    }
    #expect(try !passes(without: [site]))
    #expect(try passes(without: []))
  }

  @Test("Every line of every story is understood; steps are counted as played only where the kernel does them")
  func everyStoryIsPlayed() {
    var (played, refused) = (0, 0)
    for seed in Array(UInt64(1)...300) + Array(RandomStory.firstWideSeed..<RandomStory.firstWideSeed + 300) {
      let story = RandomStory(seed: seed, steps: 50)
      #expect(
        throws: Never.self, "seed \(seed)",
        performing: { try LitmusParser.parse(RandomStory.file(story.lines, seed: seed), file: "random") })
    }
    for seed in [UInt64(4), 19] {
      let check = RandomStoryCheck(seed: seed, steps: 50)
      played += check.played
      refused += check.refused
    }
    #expect(played + refused == 100)
    #expect(played > 50)
  }

  @Test("Stories that name a process again find what they find", arguments: [UInt64(4), 19])
  func namesAgain(seed: UInt64) throws {
    let finding = try #require(RandomStoryCheck(seed: seed, steps: 50, without: ["c.fork"]).finding)
    #expect(finding.what.contains("C-strict"))
  }

  @Test("The same seed makes the same story")
  func seeded() {
    #expect(RandomStory(seed: 7, steps: 50).lines == RandomStory(seed: 7, steps: 50).lines)
    #expect(RandomStory(seed: 7, steps: 50).lines != RandomStory(seed: 8, steps: 50).lines)
  }
}
