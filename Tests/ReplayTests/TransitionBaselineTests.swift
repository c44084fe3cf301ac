// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

import Replay

/// The stories G of fixtures/litmus, told in Swift: the model without encodings.
@Suite("Baseline vectors")
struct TransitionBaselineTests {
  private static func written(_ facts: KernelFacts = .v7_3) -> Story {
    var story = Story(facts: facts)
    story.apply(.anonymousFault(Story.p, story.page(0), .base, story.vma))
    return story
  }

  @Test("G-01, G-02: a written page is exclusive until fork shares it")
  func forkShares() {
    var story = Self.written()
    #expect(story.state(Story.p, 0) == "WD+")
    story.fork()
    #expect(story.state(Story.p, 0) == "rD-")
    #expect(story.state(Story.q, 0) == "rD-")
    #expect(story.folio(Story.p, 0) == story.folio(Story.q, 0))
  }

  @Test("G-03: the last sharer is not promoted at exit, but reuses at its next write")
  func lastSharerReuses() {
    var story = Self.written()
    story.fork()
    let folio = story.folio(Story.p, 0)
    story.exit(Story.q)
    #expect(story.state(Story.p, 0) == "rD-")
    #expect(story.lockstep.predictWriteFault(Story.p, story.page(0)) == .mustReuse)
    story.apply(.writeFault(Story.p, story.page(0), story.vma, .unobserved))
    #expect(story.state(Story.p, 0) == "WD+")
    #expect(story.folio(Story.p, 0) == folio)
  }

  @Test("G-04: the first writer copies, the second reuses")
  func firstWriterCopies() {
    var story = Self.written()
    story.fork()
    let folio = story.folio(Story.p, 0)
    #expect(story.lockstep.predictWriteFault(Story.p, story.page(0)) == .mustCopy(.otherMapping))
    story.apply(.writeFault(Story.p, story.page(0), story.vma, .unobserved))
    #expect(story.state(Story.p, 0) == "WD+")
    #expect(story.folio(Story.p, 0) != folio)
    story.apply(.writeFault(Story.q, story.page(0), story.vma, .unobserved))
    #expect(story.state(Story.q, 0) == "WD+")
    #expect(story.folio(Story.q, 0) == folio)
  }

  @Test("G-13: a large folio whose other mapper is gone is reused page by page")
  func largeFolioReuse() {
    var story = Story()
    story.apply(.anonymousFault(Story.p, story.page(0), FolioOrder(4), story.vma))
    story.fork()
    story.exit(Story.q)
    story.apply(.writeFault(Story.p, story.page(3), story.vma, .unobserved))
    #expect((0..<16).map { story.state(Story.p, $0) } == (0..<16).map { $0 == 3 ? "WD+" : "rD-" })
  }

  @Test("G-13 on 6.12: copied to a small folio")
  func largeFolioNeverReused() {
    var story = Story(facts: .v6_12)
    story.apply(.anonymousFault(Story.p, story.page(0), FolioOrder(4), story.vma))
    story.fork()
    story.exit(Story.q)
    let folio = story.folio(Story.p, 3)
    story.apply(.writeFault(Story.p, story.page(3), story.vma, .unobserved))
    #expect(story.folio(Story.p, 3) != folio)
  }

  @Test("G-14: a large folio of which one page is left is copied")
  func singlePageOfLargeFolio() {
    var story = Story()
    story.apply(.anonymousFault(Story.p, story.page(0), FolioOrder(2), story.vma))
    story.fork()
    story.apply(.zap(Story.p, story.range(1..<4)))
    story.exit(Story.q)
    #expect(story.lockstep.predictWriteFault(Story.p, story.page(0)) == .mustCopy(.singlePageOfLargeFolio))
  }

  @Test("G-12: a write to a shared THP splits the PMD and copies one page")
  func sharedTHP() {
    var story = Story()
    story.apply(.hugeFault(Story.p, story.page(0), story.vma, write: true, isHugetlb: false))
    #expect(story.state(Story.p, 0) == "WD+")
    story.fork()
    #expect(story.state(Story.p, 0) == "rD-")
    story.apply(.writeFault(Story.q, story.page(7), story.vma, .unobserved))
    #expect(story.state(Story.q, 7) == "WD+")
    #expect((0..<512).filter { $0 != 7 }.allSatisfy { story.state(Story.q, $0) == "rD-" })
    let isPMDMapped = story.lockstep.baseline.memory.isPMDMapped(Story.p, story.page(0))
    #expect(isPMDMapped)
  }

  @Test("G-16: a zapped page keeps a stale bit, and fork shares the rest")
  func staleBit() {
    var story = Story()
    story.apply(.anonymousFault(Story.p, story.page(0), FolioOrder(2), story.vma))
    let folio = story.folio(Story.p, 1)
    story.apply(.zap(Story.p, story.range(0..<1)))
    story.fork()
    #expect(story.lockstep.baseline.memory.pageBit(folio, 0) == .exclusive)
    #expect((1..<4).map { story.state(Story.p, $0) } == ["rD-", "rD-", "rD-"])
  }

  @Test("G-20: an aborted fork leaves what it visited shared-looking")
  func abortedFork() {
    var story = Self.written()
    story.apply(.anonymousFault(Story.p, story.page(1), .base, story.vma))
    story.apply(.forkBegin(parent: Story.p, child: Story.q))
    story.apply(.forkCopy(parent: Story.p, child: Story.q, story.range(0..<1), story.vma))
    story.apply(.forkAbort(parent: Story.p, child: Story.q))
    #expect(story.state(Story.p, 0) == "rD-")
    #expect(story.state(Story.p, 1) == "WD+")
    #expect(story.lockstep.predictWriteFault(Story.p, story.page(0)) == .mustReuse)
  }

  @Test("C-01: forgetting to take the dirty bit off at fork is unsafe on both sides; done, it is not")
  func forkWithoutDirtyRemoval() {
    for (without, expected) in [([CallSiteSwitch.cFork], Verdict.unsafe), ([], .ok)] {
      var story = Story(without: without)
      story.apply(.anonymousFault(Story.p, story.page(0), .base, story.vma))
      story.fork()
      #expect(story.verdict(.cStrict, Story.p, 0) == expected)
      #expect(story.verdict(.cStrict, Story.q, 0) == expected)
    }
  }

  @Test("B-01: forgetting a bit at fork is unsafe on that side", .about(.b))
  func forkWithoutBits() {
    var story = Story(without: [.bForkSetParent])
    story.apply(.anonymousFault(Story.p, story.page(0), .base, story.vma))
    story.fork()
    #expect(story.verdict(.b, Story.p, 0) == .unsafe)
    #expect(story.verdict(.b, Story.q, 0) == .ok)
  }

  @Test("A-01: half a folio shared breaks a folio flag")
  func stateX() {
    var story = Story()
    story.apply(.anonymousFault(Story.p, story.page(0), FolioOrder(2), story.vma))
    story.fork(Story.p, Story.q, 0..<2)
    #expect([2, 3].map { story.verdict(.aAndLazy, Story.p, $0) } == [.invariantBreak, .invariantBreak])
    #expect([2, 3].map { story.verdict(.aAndEager, Story.p, $0) } == [.conservativeCopy, .conservativeCopy])
    #expect([0, 1].map { story.verdict(.aOr, Story.p, $0) } == [.unsafe, .unsafe])
    #expect([0, 1].map { story.verdict(.aOr, Story.q, $0) } == [.unsafe, .unsafe])
  }
}
