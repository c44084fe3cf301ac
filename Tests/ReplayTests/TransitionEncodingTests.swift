// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Testing

/// The rows of A, B and the mprotect audit that need large folios, PMDs and moves.
@Suite("Encoding vectors")
struct TransitionEncodingTests {
  @Test("A-02: the pin test is folio-wide already")
  func pinnedFolioAtFork() {
    var story = Story.large(2)
    story.pin(Story.p, 3)
    story.fork(Story.p, Story.q, 0..<2)
    #expect(story.states(Story.p, 0..<4) == ["WD+", "WD+", "WD+", "WD+"])
    #expect(story.states(Story.q, 0..<2) == ["WD+", "WD+"])
    for id in EncodingID.standard { story.expectAllOK(id) }
  }

  @Test("A-03: an aborted fork of half a folio, then a write sets the flag for all of it")
  func abortedForkOfHalf() {
    var story = Story.large(2)
    story.apply(.forkBegin(parent: Story.p, child: Story.q))
    story.apply(.forkCopy(parent: Story.p, child: Story.q, story.range(0..<2), story.vma))
    story.apply(.forkAbort(parent: Story.p, child: Story.q))
    #expect(story.states(Story.p, 0..<4) == ["rD-", "rD-", "WD+", "WD+"])
    #expect(story.verdicts(.aAndLazy, Story.p, 0..<4) == [.ok, .ok, .invariantBreak, .invariantBreak])
    #expect(story.verdicts(.aAndEager, Story.p, 0..<4) == [.ok, .ok, .conservativeFault, .conservativeFault])
    story.write(Story.p, 0)
    #expect(story.verdicts(.aAndEager, Story.p, 0..<4) == [.ok, .better, .ok, .ok])
  }

  @Test("A-06: restoring migration entries of a folio whose pages differ")
  func mixedMigration() {
    var story = Story.large(2)
    story.fork(Story.p, Story.q, 0..<2)
    story.apply(.migrationBegin(Story.p, story.page(0)))
    #expect(story.states(Story.p, 0..<4) == ["mig-R", "mig-R", "mig-W", "mig-W"])
    for (mm, vpn) in [(Story.p, 2), (Story.p, 3), (Story.p, 0), (Story.p, 1), (Story.q, 0), (Story.q, 1)] {
      story.apply(.migrationRestore(mm, story.page(vpn)))
    }
    #expect(story.states(Story.p, 0..<4) == ["rD-", "rD-", "WD+", "WD+"])
    #expect(story.verdicts(.aOr, Story.p, 0..<2) == [.unsafe, .unsafe])
    #expect(story.verdicts(.aAndLazy, Story.p, 2..<4) == [.invariantBreak, .invariantBreak])
  }

  @Test("A-08: reuse of one page of a large folio is better than today on the others")
  func betterReuse() {
    var story = Story.large(4)
    story.fork()
    story.exit(Story.q)
    story.write(Story.p, 3)
    for id in [EncodingID.aAndLazy, .aAndEager] {
      #expect(story.verdicts(id, Story.p, 0..<16) == (0..<16).map { $0 == 3 ? .ok : .better })
    }
  }

  @Test("A-13: a folio split loses what small folios could say")
  func splitOfMixedFolio() {
    var story = Story.large(2)
    story.fork(Story.p, Story.q, 0..<2)
    story.readOnly(Story.p, 0..<4)
    story.apply(.splitFolio(Story.p, story.page(0)))
    #expect(story.states(Story.p, 0..<4) == ["rD-", "rD-", "rD+", "rD+"])
    #expect(story.verdicts(.aAndEager, Story.p, 2..<4) == [.conservativeFault, .conservativeFault])
  }

  @Test("A-15: UFFDIO_MOVE of one page of a large folio splits it")
  func uffdMoveOfLarge() {
    var story = Story.large(2)
    story.apply(.uffdMove(Story.p, story.page(1), story.page(9)))
    #expect(story.states(Story.p, 0..<4) == ["WD+", "none", "WD+", "WD+"])
    #expect(story.state(Story.p, 9) == "WD+")
    for id in EncodingID.standard { story.expectAllOK(id) }
  }

  @Test("B-02: a bitmap that cannot be allocated aborts fork, or makes it copy", .about(.b))
  func allocationFailure() throws {
    var options = WorldOptions()
    options.bitmapAllocationBudget = 1
    options.forkWithoutBitmap = .copy
    var story = Story.written(options: options)
    story.fork()
    #expect(story.verdict(.b, Story.p, 0) == .better)
    #expect(story.verdict(.b, Story.q, 0) == .better)
    options.forkWithoutBitmap = .abort
    let encoding = try #require(EncodingRegistry.encoding(.b))
    #expect(outcomeOfFork(encoding, options) == .failed(.noMemory))
  }

  private func outcomeOfFork<E: Encoding>(_ encoding: E.Type, _ options: WorldOptions) -> Outcome {
    var world = World<E>(facts: .v7_3, options: options)
    _ = world.apply(.createMM(Story.p, .exec), follows: false)
    _ = world.store(Story.p, VirtualPage(0), .anonymous)
    world.forkBegin(parent: Story.p, child: Story.q)
    let range = PageRange(start: VirtualPage(0), count: 1)
    return world.forkCopy(parent: Story.p, child: Story.q, range, .anonymous)
  }

  @Test("B-04, B-05: a stale bit under a fresh page", .about(.b))
  func staleBit() {
    var story = Story.written(without: [.bInstallClear])
    story.fork()
    story.write(Story.p, 0)
    #expect(story.verdict(.b, Story.p, 0) == .invariantBreak)
    story.readOnly(Story.p, 0..<1)
    story.readWrite(Story.p, 0..<1)
    #expect(story.verdict(.b, Story.p, 0) == .conservativeFault)
    var zapped = Story.written(without: [.bInstallClear])
    zapped.fork()
    zapped.exit(Story.q)
    zapped.apply(.zap(Story.p, zapped.range(0..<1)))
    zapped.write(Story.p, 0)
    #expect(zapped.verdict(.b, Story.p, 0) == .invariantBreak)
  }

  @Test("B-10, B-11, C-27: a PMD split hands on what the PMD-level bit said", .about(.b))
  func splitFill() {
    for (without, expected) in [([CallSiteSwitch.bSplitFill], Verdict.unsafe), ([], .ok)] {
      var story = Story.thp(without: without)
      story.fork()
      story.apply(.splitPMD(Story.p, story.page(0)))
      #expect(story.states(Story.p, 0..<512).allSatisfy { $0 == "rD-" })
      #expect(story.verdicts(.b, Story.p, 0..<512).allSatisfy { $0 == expected })
    }
    var exclusive = Story.thp()
    exclusive.readOnly(Story.p, 0..<256)
    #expect(exclusive.states(Story.p, 0..<256).allSatisfy { $0 == "rD+" })
    #expect(exclusive.states(Story.p, 256..<512).allSatisfy { $0 == "WD+" })
    for id in Story.sound { exclusive.expectAllOK(id) }
    #expect(exclusive.lockstep.openLane(.b)?.costs[.bitmapAllocations] == 0)
    #expect(exclusive.lockstep.baseline.costs[.pageFlagAtomics] >= 512)
  }

  @Test("B-12, B-13: collapse over a table with stale bits", .about(.b))
  func collapseOverBits() {
    for (without, expected) in [([CallSiteSwitch.bDepositReset], Verdict.invariantBreak), ([], .ok)] {
      var story = Story(without: without)
      story.lockstep.scope = .touched
      for vpn in 0..<512 { story.write(Story.p, vpn) }
      story.lockstep.scope = .everything
      story.fork()
      story.exit(Story.q)
      story.apply(.collapse(Story.p, story.page(0), FolioOrder(9), story.vma))
      #expect(story.state(Story.p, 0) == "WD+")
      #expect(story.verdict(.b, Story.p, 0) == .ok, "the PMD-level bit counts until the split")
      story.apply(.splitPMD(Story.p, story.page(0)))
      #expect(story.verdicts(.b, Story.p, 0..<512).allSatisfy { $0 == expected })
    }
    for (without, expected) in [([CallSiteSwitch.bInstallClear], Verdict.invariantBreak), ([], .ok)] {
      var story = Story(without: without)
      for vpn in 0..<16 { story.write(Story.p, vpn) }
      story.fork()
      story.exit(Story.q)
      story.apply(.collapse(Story.p, story.page(0), FolioOrder(4), story.vma))
      #expect(story.states(Story.p, 0..<16).allSatisfy { $0 == "WD+" })
      #expect(story.verdicts(.b, Story.p, 0..<16).allSatisfy { $0 == expected })
    }
  }

  @Test("B-14, B-14b, B-15: bits that have to move with their entries, PMDs and tables", .about(.b))
  func movedBits() {
    for (without, expected) in [([CallSiteSwitch.bMove], Verdict.unsafe), ([], .ok)] {
      var story = Story.written(without: without)
      story.fork()
      story.apply(.move(Story.p, story.range(0..<1), story.page(5000)))
      #expect(story.verdict(.b, Story.p, 5000) == expected)
    }
    for (without, expected) in [([CallSiteSwitch.bMovePMD], Verdict.unsafe), ([], .ok)] {
      var story = Story.thp(without: without)
      story.fork()
      story.apply(.move(Story.p, story.range(0..<512), VirtualPage(512 * 512 * 7)))
      #expect(story.lockstep.openLane(.b)?.verdict(Story.p, VirtualPage(512 * 512 * 7)) == expected)
    }
    for (without, expected) in [([CallSiteSwitch.bMoveTable], Verdict.unsafe), ([], .ok)] {
      var story = Story.written(without: without)
      story.fork()
      story.apply(.move(Story.p, story.range(0..<512), story.page(5120)))
      #expect(story.state(Story.p, 5120) == "rD-")
      #expect(story.verdict(.b, Story.p, 5120) == expected)
    }
  }

  @Test("B-22: hugetlb at the PMD level", .about(.b))
  func hugetlbFork() {
    for (without, expected) in [([CallSiteSwitch.bForkSetParent], Verdict.unsafe), ([], .ok)] {
      var story = Story(without: without)
      story.vma.backing = .hugetlb
      story.apply(.hugeFault(Story.p, story.page(0), story.vma, write: true, isHugetlb: true))
      story.fork()
      #expect(story.state(Story.p, 0) == "rD-")
      #expect(story.verdict(.b, Story.p, 0) == expected)
      let folio = story.folio(Story.p, 0)
      story.write(Story.p, 0)
      #expect(story.folio(Story.p, 0) != folio)
    }
  }

  @Test("B-30: folio split of a shared PMD mapping", .about(.b))
  func splitOfSharedTHP() {
    for (without, expected) in [([CallSiteSwitch.bSplitFill], Verdict.unsafe), ([], .ok)] {
      var story = Story.thp(without: without)
      story.fork()
      story.apply(.splitFolio(Story.p, story.page(0)))
      #expect(story.states(Story.q, 0..<512).allSatisfy { $0 == "rD-" })
      #expect(story.verdicts(.b, Story.p, 0..<512).allSatisfy { $0 == expected })
      #expect(story.verdicts(.b, Story.q, 0..<512).allSatisfy { $0 == expected })
    }
  }

  @Test("B-31: exclusive pages arriving in a slot with a stale bit", .about(.b))
  func arrivalsOverStaleBit() {
    func prepared(_ without: [CallSiteSwitch]) -> Story {
      var story = Story.written(without: without)
      story.fork()
      story.apply(.zap(Story.p, story.range(0..<1)))
      story.write(Story.p, 5)
      return story
    }
    for (without, expected) in [([CallSiteSwitch.bInstallClear], Verdict.invariantBreak), ([], .ok)] {
      var moved = prepared(without)
      moved.apply(.uffdMove(Story.p, moved.page(5), moved.page(0)))
      #expect(moved.state(Story.p, 0) == "WD+")
      #expect(moved.verdict(.b, Story.p, 0) == expected)
      var swapped = prepared(without)
      swapped.swapOut(Story.p, 5)
      swapped.apply(.move(Story.p, swapped.range(5..<6), swapped.page(0)))
      swapped.read(Story.p, 0)
      #expect(swapped.state(Story.p, 0) == "Wc+")
      #expect(swapped.verdict(.b, Story.p, 0) == expected)
    }
    for (without, expected) in [([CallSiteSwitch.bMoveZero], Verdict.invariantBreak), ([], .ok)] {
      var story = prepared(without)
      story.apply(.move(Story.p, story.range(5..<6), story.page(0)))
      #expect(story.state(Story.p, 0) == "WD+")
      #expect(story.verdict(.b, Story.p, 0) == expected)
    }
  }

  @Test("M-02 to M-05, M-08, M-09: mprotect and uffd-wp decide per page, whatever the batch")
  func batchesDecidePerPage() {
    var shared = Story.large(4)
    shared.fork(Story.p, Story.q, 8..<16)
    shared.readOnly(Story.p, 8..<16)
    shared.readWrite(Story.p, 8..<16)
    #expect(shared.states(Story.p, 8..<16).allSatisfy { $0 == "rD-" })
    var stale = Story.large(4)
    stale.apply(.zap(Story.p, stale.range(0..<8)))
    stale.fork()
    stale.readOnly(Story.p, 8..<16)
    stale.readWrite(Story.p, 8..<16)
    #expect(stale.states(Story.p, 8..<16).allSatisfy { $0 == "rD-" })
    var one = Story.large(4)
    one.fork()
    one.exit(Story.q)
    one.write(Story.p, 0)
    one.readOnly(Story.p, 4..<8)
    one.readWrite(Story.p, 4..<8)
    #expect(one.states(Story.p, 4..<8).allSatisfy { $0 == "rD-" })
    var mixed = Story.large(4)
    mixed.fork(Story.p, Story.q, 4..<16)
    mixed.apply(.uffdWriteProtect(Story.p, mixed.range(0..<16), mixed.vma))
    mixed.apply(.uffdResolve(Story.p, mixed.range(0..<16), mixed.vma))
    #expect(mixed.states(Story.p, 0..<16) == (0..<16).map { $0 < 4 ? "WD+" : "rD-" })
  }
}
