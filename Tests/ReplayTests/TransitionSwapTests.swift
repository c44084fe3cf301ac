// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Testing

/// Swap, migration and KSM (docs/semantics.md has a section of each).
@Suite("Swap, migration and KSM vectors")
struct TransitionSwapTests {
  @Test("G-07: an exclusive swap entry comes back writable and clean; read-only on 6.1")
  func exclusiveSwapIn() {
    for (facts, expected) in [(KernelFacts.v7_3, "Wc+"), (.v6_18, "Wc+"), (.v6_1, "rc+")] {
      var story = Story.written(facts: facts)
      story.swapOut(Story.p, 0)
      #expect(story.state(Story.p, 0) == "swap+")
      story.read(Story.p, 0)
      #expect(story.state(Story.p, 0) == expected)
      for id in Story.sound { story.expectAllOK(id) }
    }
  }

  @Test("G-08, B-06: fork of swap entries shares them", .about(.b))
  func forkOfSwapEntries() {
    for (without, expected) in [([CallSiteSwitch.bSwapinAlloc], Verdict.unsafe), ([], .ok), ([.bForkNonpresent], .ok)] {
      var story = Story.written(without: without)
      story.swapOut(Story.p, 0)
      story.fork()
      #expect(story.states(Story.p, 0..<1) + story.states(Story.q, 0..<1) == ["swap-", "swap-"])
      story.read(Story.p, 0)
      #expect(story.state(Story.p, 0) == "rc-")
      #expect(story.verdict(.b, Story.p, 0) == expected)
      let folio = story.folio(Story.p, 0)
      story.write(Story.p, 0)
      #expect(story.folio(Story.p, 0) != folio, "another user of the slot forces a copy")
      #expect(story.verdict(.b, Story.p, 0) == expected)
    }
  }

  @Test("C-04: swapoff maps read-only, clean and old, exclusive by the entry")
  func swapOff() {
    var story = Story.written()
    story.swapOut(Story.p, 0)
    story.apply(.swapOff)
    #expect(story.state(Story.p, 0) == "rc+")
    for id in Story.sound { story.expectAllOK(id) }
    var forgotten = Story.written(without: [.cSwapin])
    forgotten.swapOut(Story.p, 0)
    forgotten.apply(.swapOff)
    #expect(forgotten.seen(.cStrict).contains(.lost))
  }

  @Test("B-20: swapoff maps what may be shared without a bit", .about(.b))
  func swapOffOfShared() {
    var shared = Story.written(without: [.bSwapinAlloc])
    shared.swapOut(Story.p, 0)
    shared.fork()
    shared.apply(.swapOff)
    #expect(shared.states(Story.p, 0..<1) + shared.states(Story.q, 0..<1) == ["rc-", "rc-"])
    #expect(shared.verdict(.b, Story.p, 0) == .unsafe)
    #expect(shared.verdict(.b, Story.q, 0) == .unsafe)
  }

  @Test("C-05, C-06: swap-in that must stay read-only loses exclusivity when forgotten")
  func readOnlySwapIn() {
    for (without, expected) in [([CallSiteSwitch.cSwapin], true), ([], false)] {
      var story = Story.written(without: without)
      story.swapOut(Story.p, 0)
      story.readOnly(Story.p, 0..<1)
      story.read(Story.p, 0)
      #expect(story.state(Story.p, 0) == "rc+")
      #expect(story.seen(.cStrict).contains(.lost) == expected)
      var uffd = Story.written(without: without)
      uffd.swapOut(Story.p, 0)
      uffd.apply(.uffdWriteProtect(Story.p, uffd.range(0..<1), uffd.vma))
      uffd.read(Story.p, 0)
      #expect(uffd.state(Story.p, 0) == "rcU+")
      #expect(uffd.seen(.cStrict).contains(.lost) == expected)
    }
  }

  @Test("G-15, B-21: under stable writeback even an exclusive entry is mapped shared", .about(.b))
  func stableWrites() {
    for (without, expected) in [([CallSiteSwitch.bStable], Verdict.unsafeIO), ([], .ok)] {
      var story = Story.written(without: without)
      story.swapOut(Story.p, 0, keeps: true, writeback: true, stable: true)
      story.read(Story.p, 0)
      #expect(story.state(Story.p, 0) == "rc-")
      #expect(story.verdict(.b, Story.p, 0) == expected)
    }
  }

  @Test("A-07: pages of one cached folio that differ in exclusivity")
  func swapInOfMixedFolio() {
    var story = Story.large(2)
    story.swapOut(Story.p, 0, keeps: true)
    #expect(story.states(Story.p, 0..<4) == ["swap+", "swap+", "swap+", "swap+"])
    story.fork(Story.p, Story.q, 1..<2)
    story.read(Story.p, 1)
    story.read(Story.p, 0)
    #expect(story.states(Story.p, 0..<2) == ["Wc+", "rc-"])
    #expect(story.verdict(.aAndEager, Story.p, 0) == .conservativeCopy)
    #expect(story.verdict(.aOr, Story.p, 1) == .unsafe)
  }

  @Test("G-09: mprotect of a migration entry, then restore: exclusive, read-only, dirty kept")
  func protectedMigrationEntry() {
    var story = Story.written()
    story.apply(.migrationBegin(Story.p, story.page(0)))
    #expect(story.state(Story.p, 0) == "mig-W")
    story.readOnly(Story.p, 0..<1)
    #expect(story.state(Story.p, 0) == "mig-RX")
    story.apply(.migrationEnd(Story.p, story.page(0)))
    #expect(story.state(Story.p, 0) == "rD+")
    for id in Story.sound { story.expectAllOK(id) }
  }

  @Test("G-10, B-07, C-24: fork of migration entries")
  func forkedMigrationEntries() {
    let rows: [([CallSiteSwitch], EncodingID, Verdict)] = [
      ([], .b, .ok), ([.bForkNonpresent], .b, .unsafe), ([.bRestoreAlloc], .b, .unsafe), ([], .cStrict, .ok),
      ([.cForkMig], .cStrict, .ok), ([.cMig], .cStrict, .ok), ([.cForkMig, .cMig], .cStrict, .unsafe),
    ]
    for (without, id, expected) in rows where EncodingID.allCases.contains(id) {
      var story = Story.written(without: without)
      story.apply(.migrationBegin(Story.p, story.page(0)))
      story.fork()
      #expect(story.state(Story.q, 0) == "mig-R")
      story.apply(.migrationEnd(Story.p, story.page(0)))
      #expect(story.states(Story.p, 0..<1) + story.states(Story.q, 0..<1) == ["rD-", "rD-"])
      #expect(story.verdict(id, Story.p, 0) == expected, "\(without)")
      #expect(story.verdict(id, Story.q, 0) == expected, "\(without)")
    }
  }

  @Test("C-25, C-26: a clean exclusive page through migration")
  func cleanMigration() {
    for (without, lost) in [([CallSiteSwitch.cMig], true), ([], false)] {
      var story = Story.swappedBack(without: without)
      story.apply(.migrationBegin(Story.p, story.page(0)))
      story.readOnly(Story.p, 0..<1)
      story.apply(.migrationEnd(Story.p, story.page(0)))
      #expect(story.state(Story.p, 0) == "rc+")
      #expect(story.seen(.cStrict).contains(.lost) == lost)
    }
    var masked = Story.swappedBack(without: [.cMig, .cDirtyRead])
    masked.readOnly(Story.p, 0..<1)
    masked.migrate(Story.p, 0)
    #expect(masked.verdict(.cStrict, Story.p, 0) == .ok)
  }

  @Test("B-28: an R migration entry moved to a table without a bitmap", .about(.b))
  func movedMigrationEntry() {
    for (without, expected) in [([CallSiteSwitch.bMove], Verdict.unsafe), ([], .ok)] {
      var story = Story.written(without: without)
      story.apply(.migrationBegin(Story.p, story.page(0)))
      story.fork()
      story.apply(.move(Story.p, story.range(0..<1), story.page(5000)))
      story.apply(.migrationEnd(Story.q, story.page(0)))
      #expect(story.state(Story.p, 5000) == "rD-")
      #expect(story.verdict(.b, Story.p, 5000) == expected)
      #expect(story.verdict(.b, Story.q, 0) == .ok)
    }
  }

  @Test("G-11, C-29: KSM leaves two read-only entries of one page, and a write copies")
  func ksm() {
    var story = Story()
    story.write(Story.p, 0)
    story.write(Story.p, 1)
    story.apply(.ksmMerge(Story.p, story.page(0), Story.p, story.page(1)))
    #expect(story.states(Story.p, 0..<2) == ["rc-", "rc-"])
    #expect(story.folio(Story.p, 0) == story.folio(Story.p, 1))
    story.write(Story.p, 0)
    #expect(story.states(Story.p, 0..<2) == ["WD+", "rc-"])
    for id in Story.sound { #expect(story.verdict(id, Story.p, 0) == .ok) }
    #expect(!story.seen(.cRaw).contains(.unsafe))
  }

  @Test("B-09: unmerge installs an exclusive read-only page", .about(.b))
  func unmerge() {
    let rows: [([CallSiteSwitch], Verdict)] = [
      ([], .ok), ([.bReuseClear], .ok), ([.bInstallClear], .conservativeFault),
      ([.bInstallClear, .bReuseClear], .conservativeFault),
    ]
    for (without, expected) in rows {
      var story = Story(without: without)
      story.write(Story.p, 0)
      story.write(Story.p, 1)
      story.apply(.ksmMerge(Story.p, story.page(0), Story.p, story.page(1)))
      story.apply(.ksmUnmerge(Story.p, story.range(0..<1), story.vma))
      #expect(story.state(Story.p, 0) == "rc+")
      #expect(story.verdict(.b, Story.p, 0) == expected || story.seen(.b).contains(expected), "\(without)")
      #expect(story.pin(Story.p, 0) == .reused(story.folio(Story.p, 0)))
      #expect(story.seen(.b).contains(.livelock) == (without.count == 2), "\(without)")
    }
  }

  @Test("B-29: a pin between KSM's write protection and replacement", .about(.b))
  func pinDuringKSM() {
    for (without, expected) in [([CallSiteSwitch.bKSM], Verdict.conservativePin), ([], .ok)] {
      var story = Story(without: without)
      for vpn in 0..<3 { story.write(Story.p, vpn) }
      story.apply(.ksmMerge(Story.p, story.page(1), Story.p, story.page(2)))
      story.apply(.ksmWriteProtect(Story.p, story.page(0)))
      story.pin(Story.p, 0)
      story.apply(.ksmReplace(Story.p, story.page(0), by: Story.p, story.page(1)))
      #expect(story.state(Story.p, 0) == "rc+")
      #expect(story.verdict(.b, Story.p, 0) == expected)
    }
  }

  @Test("C-28: the KSM zero page carries the dirty bit and must not count as exclusive")
  func ksmZeroPage() {
    for (without, expected) in [([CallSiteSwitch.cZero], Verdict.unsafe), ([], .ok)] {
      var story = Story.written(without: without)
      story.apply(.ksmWriteProtect(Story.p, story.page(0)))
      story.apply(.ksmReplaceByZero(Story.p, story.page(0)))
      story.readOnly(Story.p, 0..<1)
      story.readWrite(Story.p, 0..<1)
      #expect(story.state(Story.p, 0) == "zero")
      #expect(story.verdict(.cStrict, Story.p, 0) == expected)
    }
  }
}
