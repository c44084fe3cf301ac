// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Testing

/// GUP, mprotect, tracking and content (docs/semantics.md, "GUP", "mprotect", "userfaultfd and tracking").
@Suite("Pin, protection and content vectors")
struct TransitionPinTests {
  @Test("G-05, C-37: fork copies a pinned page for the child")
  func forkOfPinnedPage() {
    var story = Story.written()
    story.pin(Story.p, 0)
    let folio = story.folio(Story.p, 0)
    story.fork()
    #expect(story.state(Story.p, 0) == "WD+")
    #expect(story.folio(Story.p, 0) == folio)
    #expect(story.state(Story.q, 0) == "WD+")
    #expect(story.folio(Story.q, 0) != folio)
    for id in EncodingID.standard { story.expectAllOK(id) }
  }

  @Test("G-06, C-07: a read-only pin of a shared page unshares")
  func unsharingPin() {
    for (without, livelocks) in [([CallSiteSwitch.cUnshare], true), ([], false)] {
      var story = Story.written(without: without)
      story.fork()
      story.pin(Story.p, 0)
      #expect(story.state(Story.p, 0) == "rc+")
      #expect(story.state(Story.q, 0) == "rD-")
      #expect(story.seen(.cStrict).contains(.livelock) == livelocks)
    }
  }

  @Test("B-26, C-08: unsharing by reuse leaves the entry alone")
  func unsharingReuse() {
    let rows: [([CallSiteSwitch], EncodingID, Bool)] = [
      ([.bReuseClear], .b, true), ([.cUnshare], .cStrict, true), ([], .b, false), ([], .cStrict, false),
    ]
    for (without, id, livelocks) in rows where EncodingID.allCases.contains(id) {
      var story = Story.written(without: without)
      story.swapOut(Story.p, 0)
      story.fork()
      story.read(Story.p, 0)
      story.exit(Story.q)
      story.pin(Story.p, 0)
      #expect(story.state(Story.p, 0) == "rc+")
      #expect(story.seen(id).contains(.livelock) == livelocks, "\(without)")
    }
  }

  @Test("C-02, C-03: write protection of a clean writable page")
  func cleanWriteProtect() {
    var story = Story.swappedBack(without: [.cMprotect])
    story.pin(Story.p, 0)
    story.readOnly(Story.p, 0..<1)
    #expect(story.state(Story.p, 0) == "rc+")
    #expect(story.verdict(.cStrict, Story.p, 0) == .conservativePin)
    #expect(story.seen(.cStrict).contains(.lost))
    var done = Story.swappedBack()
    done.readOnly(Story.p, 0..<1)
    done.readWrite(Story.p, 0..<1)
    #expect(done.state(Story.p, 0) == "Wc+")
    done.expectAllOK(.cStrict)
  }

  @Test("C-09: lazyfree pages are discarded unless a claim is read as data")
  func lazyfree() {
    for (without, isKept) in [([CallSiteSwitch.cDirtyRead], true), ([], false)] {
      var story = Story.written(without: without)
      story.apply(.lazilyFree(Story.p, story.range(0..<1), story.vma))
      #expect(story.state(Story.p, 0) == "Wc+")
      story.readOnly(Story.p, 0..<1)
      story.swapOut(Story.p, 0)
      #expect(story.state(Story.p, 0) == "none")
      #expect(
        (story.lockstep.lane(PTEBits.self)?.world.memory.entry(Story.p, story.page(0)).kind == .present) == isKept)
    }
  }

  @Test("C-10: MADV_FREE of a read-only exclusive page")
  func freeOfReadOnly() {
    var story = Story.written(without: [.cMadvFree])
    story.readOnly(Story.p, 0..<1)
    story.apply(.lazilyFree(Story.p, story.range(0..<1), story.vma))
    #expect(story.state(Story.p, 0) == "rc+")
    #expect(story.seen(.cStrict).contains(.lost))
  }

  /// MIX state: 0 and 1 exclusive, 2 and 3 shared with Q, one read-only VMA.
  private static func mix(_ without: [CallSiteSwitch]) -> Story {
    var story = Story.large(2, without: without)
    story.fork(Story.p, Story.q, 2..<4)
    story.readOnly(Story.p, 0..<4)
    return story
  }

  @Test("C-11: ORed dirty bits turn shared pages exclusive")
  func batchedMprotect() {
    for (without, expected) in [([CallSiteSwitch.cBatch], Verdict.unsafe), ([], .ok)] {
      var story = Self.mix(without)
      story.vma.protection = [.read, .execute]
      story.apply(.protect(Story.p, story.range(0..<4), story.vma))
      #expect(story.states(Story.p, 0..<4) == ["rD+", "rD+", "rD-", "rD-"])
      #expect(story.verdicts(.cStrict, Story.p, 2..<4) == [expected, expected])
    }
  }

  @Test("C-11b: the same with pages that are exclusive in truth is only BETTER")
  func batchedMprotectOfExclusive() {
    var story = Story.large(2, without: [.cBatch])
    story.fork()
    story.exit(Story.q)
    story.write(Story.p, 3)
    story.readOnly(Story.p, 0..<4)
    story.vma.protection = [.read, .execute]
    story.apply(.protect(Story.p, story.range(0..<4), story.vma))
    #expect(story.verdicts(.cStrict, Story.p, 0..<4) == [.better, .better, .better, .ok])
  }

  @Test("A-11, A-12: protection of the exclusive half of a folio")
  func protectedHalf() {
    var story = Story.large(2)
    story.fork(Story.p, Story.q, 0..<2)
    story.exit(Story.q)
    story.readOnly(Story.p, 0..<4)
    story.readWrite(Story.p, 0..<4)
    #expect(story.states(Story.p, 0..<4) == ["rD-", "rD-", "WD+", "WD+"])
    #expect(story.verdicts(.aAndEager, Story.p, 2..<4) == [.conservativeFault, .conservativeFault])
    var pinned = Story.large(2)
    pinned.fork(Story.p, Story.q, 0..<2)
    pinned.readOnly(Story.p, 2..<4)
    pinned.pin(Story.p, 2)
    #expect(pinned.state(Story.p, 2) == "rD+")
    #expect(pinned.folio(Story.p, 2) == pinned.folio(Story.p, 3))
    let eager = pinned.lockstep.aAndEager?.world
    #expect(eager?.memory.entry(Story.p, pinned.page(2)).folio != eager?.memory.entry(Story.p, pinned.page(3)).folio)
  }

  @Test("C-20: clear_refs on a pinned, clean, writable PMD")
  func softDirtyPMD() {
    var story = Story.thp(without: [.cSoftDirty])
    story.vma.flags.insert(.softDirtyTracked)
    story.apply(.lazilyFree(Story.p, story.range(0..<512), story.vma))
    story.pin(Story.p, 0)
    story.apply(.clearSoftDirty(Story.p, story.range(0..<512)))
    #expect(story.verdict(.cStrict, Story.p, 0) == .conservativePin)
  }

  @Test("C-22, C-23: uffd-wp and NUMA hints on a clean writable page")
  func tracking() {
    for (without, lost) in [([CallSiteSwitch.cUffd, .cNUMA], true), ([], false)] {
      var story = Story.swappedBack(without: without)
      story.apply(.uffdWriteProtect(Story.p, story.range(0..<1), story.vma))
      #expect(story.state(Story.p, 0) == "rcU+")
      #expect(story.seen(.cStrict).contains(.lost) == lost)
      story.apply(.uffdResolve(Story.p, story.range(0..<1), story.vma))
      #expect(story.state(Story.p, 0) == "Wc+")
      var numa = Story.swappedBack(without: without)
      numa.apply(.numaScan(Story.p, numa.range(0..<1)))
      #expect(numa.seen(.cStrict).contains(.lost) == lost)
      numa.read(Story.p, 0)
      #expect(numa.state(Story.p, 0) == "Wc+")
    }
  }

  @Test("C-30: a forced write into an empty read-only VMA")
  func forcedWrite() {
    for (without, lost) in [([CallSiteSwitch.cForce], true), ([], false)] {
      var story = Story(without: without)
      story.vma = .readOnly
      story.apply(.forcedStore(Story.p, story.page(0), story.vma, isUprobe: false))
      #expect(story.state(Story.p, 0) == "rc+")
      #expect(story.lockstep.lane(PTEBits.self)?.log.signatures.isEmpty == !lost || lost)
      if !lost { story.expectAllOK(.cStrict) }
    }
  }

  @Test("C-34: a hugetlb read fault, then a pin")
  func hugetlbReadFault() {
    for (without, livelocks) in [([CallSiteSwitch.cHugetlb], true), ([], false)] {
      var story = Story(without: without)
      story.vma.backing = .hugetlb
      story.apply(.hugeFault(Story.p, story.page(0), story.vma, write: false, isHugetlb: true))
      #expect(story.state(Story.p, 0) == "rc+")
      story.pin(Story.p, 0)
      #expect(story.seen(.cStrict).contains(.livelock) == livelocks)
    }
  }

  @Test("C-35, C-36, B-25: device entries", .about(.b))
  func deviceEntries() {
    for (without, lost) in [([CallSiteSwitch.cDevExcl], true), ([], false)] {
      var story = Story.written(without: without)
      story.apply(.makeDeviceExclusive(Story.p, story.page(0)))
      story.readOnly(Story.p, 0..<1)
      story.read(Story.p, 0)
      #expect(story.state(Story.p, 0) == "rc+")
      #expect(story.seen(.cStrict).contains(.lost) == lost)
    }
    for (without, lost) in [([CallSiteSwitch.cDevPriv], true), ([], false)] {
      var story = Story.written(without: without)
      story.apply(.moveToDevice(Story.p, story.page(0)))
      #expect(story.state(Story.p, 0) == "dev-W+")
      story.readOnly(Story.p, 0..<1)
      #expect(story.state(Story.p, 0) == "dev-R+")
      #expect(story.seen(.cStrict).contains(.lost) == lost)
    }
    for (without, expected) in [([CallSiteSwitch.bDevPriv], Verdict.unsafe), ([], .ok)] {
      var story = Story.written(without: without)
      story.apply(.moveToDevice(Story.p, story.page(0)))
      story.fork()
      #expect(story.states(Story.p, 0..<1) + story.states(Story.q, 0..<1) == ["dev-R-", "dev-R-"])
      #expect(story.verdict(.b, Story.p, 0) == expected)
      #expect(story.verdict(.b, Story.q, 0) == expected)
    }
  }

  @Test("C-40: forgetting to move the dirty bit at fork loses data")
  func lostDirtyAtFork() {
    for (without, expected) in [([CallSiteSwitch.cDirtyMove], Verdict.dataLoss), ([], .ok)] {
      var story = Story.swappedBack(without: without)
      story.write(Story.p, 0)
      story.fork()
      story.swapOut(Story.p, 0)
      story.read(Story.q, 0)
      #expect(story.verdict(.cStrict, Story.q, 0) == expected)
      if expected == .ok { story.expectAllOK(.cStrict) }
    }
  }

  @Test("C-41: the same at mprotect, read-only or not")
  func lostDirtyAtMprotect() {
    for staysWritable in [false, true] {
      for (without, expected) in [([CallSiteSwitch.cDirtyMove], Verdict.dataLoss), ([], .ok)] {
        var story = Story.swappedBack(without: without)
        story.write(Story.p, 0)
        if staysWritable { story.readWrite(Story.p, 0..<1) } else { story.readOnly(Story.p, 0..<1) }
        story.swapOut(Story.p, 0)
        story.read(Story.p, 0)
        #expect(story.verdict(.cStrict, Story.p, 0) == expected, "\(staysWritable) \(without)")
      }
    }
  }

  @Test("C-42: MADV_FREE by one sharer of a page that is dirty")
  func freeBySharer() {
    for (without, expected) in [([CallSiteSwitch.cDirtyMove], true), ([], false)] {
      var story = Story.written(without: without)
      story.fork()
      story.apply(.lazilyFree(Story.p, story.range(0..<1), story.vma))
      story.swapOut(Story.p, 0)
      story.read(Story.q, 0)
      #expect(story.seen(.cStrict).contains(.dataLoss) == expected)
    }
  }

  @Test("C-44: the baseline itself loses an uninvolved reader's data, and no encoding is blamed")
  func baselineLoss() {
    var story = Story.written()
    story.fork()
    story.pin(Story.p, 0)
    story.apply(.unpin(Story.p, story.page(0)))
    let before = story.lockstep.baseline.memory.content(Story.p, story.page(0))
    story.fork(Story.p, Story.r)
    story.apply(.lazilyFree(Story.p, story.range(0..<1), story.vma))
    story.apply(.zap(Story.p, story.range(0..<1)))
    story.swapOut(Story.r, 0)
    #expect(before > 0)
    #expect(story.lockstep.baseline.memory.content(Story.r, story.page(0)) == 0)
    for id in Story.sound { #expect(!story.seen(id).contains(.dataLoss)) }
  }
}
