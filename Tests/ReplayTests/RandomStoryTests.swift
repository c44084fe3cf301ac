// SPDX-License-Identifier: GPL-2.0-only

import Replay
import Testing

/// Stories in the litmus language, made by chance. The long run is `tools/random-stories`.
struct RandomStoryTests {
  @Test("Every rule holds after every random step, and nobody sound claims what others can observe")
  func nothingBroken() {
    for seed in Array(UInt64(1)...20) + Array(RandomStory.firstWideSeed..<RandomStory.firstWideSeed + 20) {
      let finding = RandomStoryCheck.check(seed: seed, steps: 40)
      #expect(finding?.what == nil, "seed \(seed): \(finding?.what ?? "")")
    }
  }

  @Test(
    "Seeds that once found something stay quiet",
    arguments: [UInt64(1017), 2638, 13465, 31630, 36326, 40345, 1_011_746, 1_014_741, 1_015_343])
  func onceBroken(seed: UInt64) {
    let finding = RandomStoryCheck.check(seed: seed, steps: 50)
    #expect(finding?.what == nil)
  }

  @Test(
    "A forgotten call site is found and shrunken to a few steps",
    arguments: ["b.fork.set.child", "b.reuse.clear", "c.fork"])
  func forgotten(site: String) throws {
    let finding = try #require(
      (UInt64(1)...20).lazy.compactMap { RandomStoryCheck.check(seed: $0, steps: 50, without: [site]) }.first)
    #expect(finding.lines.count <= 8)
    // As a litmus file it shows the same, and is fine with the site done.
    func passes(without: [String]) throws -> Bool {
      try LitmusParser.parse(RandomStory.file(finding.lines, seed: finding.seed, without: without), file: "x")
        .flatMap { LitmusRunner.run($0) }.allSatisfy(\.passed)
    }
    #expect(try !passes(without: [site]))
    #expect(try passes(without: []))
  }

  @Test("The same seed makes the same story")
  func seeded() {
    #expect(RandomStory(seed: 7, steps: 50).lines == RandomStory(seed: 7, steps: 50).lines)
    #expect(RandomStory(seed: 7, steps: 50).lines != RandomStory(seed: 8, steps: 50).lines)
  }
}
