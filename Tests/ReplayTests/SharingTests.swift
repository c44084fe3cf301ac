// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

@Suite("Page state stored once for several worlds")
struct SharingTests {
  @Test("A leaf that two arrays share is copied when one of them writes")
  func leavesAreCopiedOnWrite() {
    var a = LeafArray<UInt32>(blank: 7)
    var b = LeafArray<UInt32>(blank: 7)
    a.grow(toInclude: 1500)
    b.grow(toInclude: 1500)
    #expect(a[1400] == 7 && a.ownLeafCount == 0)
    for index in [3, 600, 1400] {
      a[index] = 1
      b[index] = 1
    }
    b[601] = 2
    #expect(a.ownLeafCount == 3 && b.ownLeafCount == 3)
    a.shareEqualLeaves(with: &b)
    #expect(a.ownLeafCount == 1 && b.ownLeafCount == 1)
    a[4] = 9
    b[1401] = 8
    #expect(a[3] == 1 && a[4] == 9 && b[3] == 1 && b[4] == 7)
    #expect(b[1401] == 8 && a[1401] == 7 && a[1400] == 1)
    #expect(a[601] == 7 && b[601] == 2)
    a.dropLeaf(1)
    #expect(a[600] == 7 && b[600] == 1)
  }

  @Test("A leaf given up by all others belongs to the one that is left")
  func lastHolderOwns() {
    var a = LeafArray<UInt8>(blank: 0)
    var b = LeafArray<UInt8>(blank: 0)
    a.grow(toInclude: 0)
    b.grow(toInclude: 0)
    a[1] = 1
    b[1] = 1
    a.shareEqualLeaves(with: &b)
    b.dropLeaf(0)
    a[2] = 2
    #expect(a[1] == 1 && a[2] == 2 && b[1] == 0 && a.ownLeafCount == 1)
  }

  @Test("A follower takes the numbers of the leader, and its own in leaves that the leader leaves out")
  func numbers() {
    var leader = Numbering()
    var follower = Numbering()
    follower.becomeFollower()
    let given = (0..<3).map { _ in leader.take { _ in true } }
    follower.beginOperation(after: leader)
    let first = follower.take { _ in true }
    let second = follower.take { $0 != given[1] }
    let own = follower.take { _ in true }
    #expect(first == given[0] && second == given[2] && !given.contains(own))
    let many = Set((0..<10_000).map { _ in leader.take { _ in true } })
    #expect(many.count == 10_000 && !many.contains(own))
    leader.beginOperation()
    follower.beginOperation(after: leader)
    #expect(!many.contains(follower.take { _ in true }))
  }

  /// The same operations with everything equal shared after each of them, and with nothing shared ever.
  @Test("Sharing changes no finding", arguments: [false])
  func findingsStay(withTHP: Bool) {
    for seed in UInt64(1)...1 {
      var history = RandomHistory(seed: seed, withTHP: withTHP)
      for _ in 0..<12 { history.step(freesLazily: true) }
      var shared = Lockstep(facts: .v7_3, options: history.story.lockstep.baseline.options, sharingAllowance: 0)
      shared.scope = .everything
      replay(history.story.operations, in: &shared)
      #expect(findings(shared) == findings(history.story.lockstep), "seed \(seed)")
    }
  }

  /// While all folios are small one variant of A stands for the others; then each goes on for itself.
  @Test("A variant of A finds the same with the others as alone", arguments: [EncodingID.aAndEager, .aOr])
  func variantsOfA(id: EncodingID) {
    for seed in UInt64(1)...10 {
      var story = Story([.aAndLazy, .aAndEager, .aOr])
      var random = SplitMix64(seed: seed)
      for _ in 0..<20 { smallStep(&story, &random) }
      story.apply(.anonymousFault(Story.p, story.page(512), FolioOrder(2), story.vma))
      for _ in 0..<20 { smallStep(&story, &random) }
      story.apply(.swapOut(Story.p, story.page(1), keepsCache: true, writeback: false, stableWrites: false))
      for _ in 0..<20 { smallStep(&story, &random) }
      var alone = Story([id])
      for operation in story.operations.dropFirst() { alone.apply(operation) }
      #expect(findings(story.lockstep)[id] == findings(alone.lockstep)[id], "seed \(seed)")
      #expect((0..<6).map { story.verdict(id, Story.p, $0) } == (0..<6).map { alone.verdict(id, Story.p, $0) })
    }
  }

  private func smallStep(_ story: inout Story, _ random: inout SplitMix64) {
    let vpn = Int.random(in: 0..<6, using: &random)
    let child = MMID(UInt32.random(in: 1...3, using: &random))
    let isThere = story.lockstep.baseline.memory.isLive(child)
    let mm = isThere && Bool.random(using: &random) ? child : Story.p
    switch Int.random(in: 0..<6, using: &random) {
    case 0: if !isThere { story.fork(Story.p, child, 0..<1024) }
    case 1: if isThere { story.exit(child) }
    case 2: story.apply(.zap(mm, story.range(vpn..<vpn + 1)))
    case 3: story.apply(.writeFault(mm, story.page(vpn), story.vma, .unobserved))
    case 4: story.apply(.protect(mm, story.range(vpn..<vpn + 1), Bool.random(using: &random) ? .readOnly : .anonymous))
    default:
      if story.lockstep.baseline.memory.entry(mm, story.page(vpn)).kind == .none {
        story.apply(.anonymousFault(mm, story.page(vpn), .base, story.vma))
      }
    }
  }

  private func replay(_ operations: [Operation], in lockstep: inout Lockstep) {
    for (index, operation) in operations.enumerated() {
      let sequence = UInt64(index + 1)
      lockstep.apply(
        operation,
        JudgingContext(
          sequence: Sequence(sequence), time: Timestamp(nanoseconds: sequence), transition: operation.transition))
    }
  }

  private struct Finding: Equatable {
    var checks: UInt64
    var signatures: [DivergenceLog.SignatureCount]
    var costs: [UInt64]
  }

  private func findings(_ lockstep: Lockstep) -> [EncodingID: Finding] {
    var all: [EncodingID: Finding] = [:]
    for (log, costs) in lockstep.findings {
      all[log.encoding] = Finding(
        checks: log.checks, signatures: log.signatures, costs: CostKind.allCases.map { costs[$0] })
    }
    return all
  }
}
