// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// What ksmd and reclaim do to a page is told after it was done: a fault, or a snapshot, may come in between.
@Suite("Faults and snapshots before what explains them")
struct RacedFaultTests {
  /// `replace_page`, then `trace_ksm_merge_with_ksm_page`, then the free of the page that was replaced.
  @Test("A copy of an exclusive page: of ksmd's stable page when ksmd frees what was there, else a disagreement")
  func replacedByKSMD() {
    for isMerged in [true, false] {
      var tale = Tale()
      tale.touch(0, 10)
      tale.copy(Tale.p, 100, 0, 20, took: 0)
      if isMerged {
        tale.at(Tale.p, 37, .ksmMerged(PFN(99)))
        tale.at(Tale.p, 37, .freed(PFN(10), .base))
      } else {
        tale.at(Tale.p, 100, .freed(PFN(10), .base))
      }
      let decisions = tale.result().verification.decisions
      #expect(decisions.agree == (isMerged ? 1 : 0))
      #expect(decisions.disagree == (isMerged ? 0 : 1))
      #expect(tale.frame(Tale.p, 0) == PFN(20))
    }
  }

  @Test("A copy of the page that ksmd then names as the stable one was made of that")
  func turnedStable() {
    var tale = Tale()
    tale.touch(0, 10)
    tale.copy(Tale.p, 100, 0, 20, took: 0)
    tale.at(Tale.p, 37, .ksmMerged(PFN(10)))
    tale.at(Tale.p, 100, .freed(PFN(10), .base))
    let decisions = tale.result().verification.decisions
    #expect(decisions.agree == 1 && decisions.disagree == 0)
  }

  /// `writev` of a descriptor with `O_DIRECT`, right after a write that found its page unshared: GUP copies another page
  /// of the mm, and the trace shows the lock alone.
  @Test("A copy of a page that nobody else maps, under mmap_lock: kept, or copied; a snapshot says it was kept")
  func keptBeforeGUP() {
    for isLocked in [true, false] {
      var tale = Tale()
      tale.touch(0, 10)
      tale.fork(0..<8)
      tale.at(Tale.q, 200, .mmTeardownBegan)
      tale.at(Tale.q, 200, .mmExited)
      tale.at(
        Tale.p, 100,
        .fault(
          tale.page(0), isLocked ? [.write, .present, .retried, .beforeGUP] : [.write, .present],
          .copied(PFN(20), sinceDecision: 0)))
      #expect(tale.frame(Tale.p, 0) == (isLocked ? PFN(10) : PFN(20)))
      let decisions = tale.result().verification.decisions
      #expect(decisions.agree == 0 && decisions.disagree == 0 && decisions.unknown == 1)
    }
  }

  /// ksmd gives P's entry to a stable page, and Q is left alone with what they shared: nothing is freed.
  @Test("Reused beside a mapper of whom ksmd took pages, before or after it told: unknown; beside another, wrong")
  func mergedBesideSharer() {
    for (isMerged, before) in [(true, true), (true, false), (false, true)] {
      var tale = Tale()
      tale.touch(0, 10)
      tale.touch(1, 11)
      tale.fork(0..<8)
      if isMerged, before { for _ in 0..<2 { tale.at(Tale.p, 37, .ksmMerged(PFN(99))) } }
      tale.at(Tale.q, 200, .fault(tale.page(0), [.write, .present], .quiet))
      if isMerged, !before { tale.at(Tale.p, 37, .ksmMerged(PFN(99))) }
      tale.at(Tale.q, 200, .fault(tale.page(0), [.write, .present], .quiet))
      let decisions = tale.result().verification.decisions
      #expect(decisions.disagree == (isMerged ? 0 : 1))
    }
  }

  /// fork holds the locks of P's VMA; two threads write there, and come to their decision when the child has copied.
  @Test(
    "Two threads wait for a fork, and its child copies before they decide", arguments: [100_000, 400_000] as [UInt64],
    [true, false])
  func heldUpByFork(_ nanoseconds: UInt64, isLocked: Bool) {
    var tale = Tale()
    tale.touch(0, 10)
    tale.fork(0..<8)
    let begun: UInt64 = 5_000_000
    for (task, time) in [(Int32(101), begun), (102, begun + 5_000)] {
      let access: FaultAccess = isLocked ? [.write, .present, .retried] : [.write, .present]
      tale.at(Tale.p, task, .fault(tale.page(0), access, .quiet), time: time)
    }
    tale.at(
      Tale.q, 200, .fault(tale.page(0), [.write, .present], .copied(PFN(20), sinceDecision: 1000)),
      time: begun + nanoseconds)
    // The child decided while P mapped the page; P's threads found it unshared, the one that was first by its keeping it.
    tale.at(Tale.p, 101, .fault(tale.page(0), [.write, .present], .quiet), time: begun + nanoseconds + 500_000)
    let decisions = tale.result().verification.decisions
    #expect(decisions.agree >= 1)
    // Without a wait for mmap_lock no fault takes so long: then the page was kept beside another mapper.
    #expect(decisions.disagree == (nanoseconds < 200_000 || isLocked ? 0 : 1))
  }

  @Test("A merge with a stable page that nobody maps any more takes the page that ksmd frees")
  func mergedWithUnmapped() {
    var tale = Tale()
    tale.touch(0, 10)
    tale.at(Tale.p, 37, .ksmMerged(PFN(99)))
    tale.at(Tale.p, 37, .freed(PFN(10), .base))
    #expect(tale.frame(Tale.p, 0) == nil)
    #expect(tale.result().gaps[.framesFreedWhileMapped] == 0)
  }

  /// A split sets migration entries in every mm: a fault that found the page present waits for them.
  @Test("A write fault that came to nothing, and found nothing present the next time, kept no page")
  func migrationEntry() {
    var tale = Tale()
    tale.touch(0, 10)
    tale.fork(0..<8)
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .quiet))
    tale.copy(Tale.p, 100, 0, 20, took: 0)
    let decisions = tale.result().verification.decisions
    #expect(decisions.disagree == 0 && decisions.unknown == 1 && decisions.agree == 1)
  }

  /// The frame of a page that the swapcache held is not told: reclaim may free it unnoticed while pagemap is read.
  @Test("A frame that was freed while a snapshot was taken says nothing of a page")
  func freedUnderSnapshot() {
    let shown = ProcessSnapshot.Page(page: Tale.first, pfn: PFN(50), exclusive: true, isMappedOnce: true)
    for isFreed in [true, false] {
      var tale = Tale(snapshots: [1: ProcessSnapshot(vmas: [], anonymous: [shown])])
      tale.touch(0, 10)
      tale.at(Tale.p, 37, .swappedOut(pages: 1))
      tale.at(Tale.p, 37, .swapWritten(PFN(10)))
      tale.at(Tale.p, 37, .freed(PFN(10), .base))
      tale.at(Tale.p, 100, .fault(tale.page(0), [], .swappedIn(nil, .none)))
      tale.at(Tale.p, 1, .snapshotBegan(1))
      if isFreed { tale.at(Tale.p, 37, .freed(PFN(50), .base)) }
      tale.at(Tale.p, 1, .snapshotEnded(1))
      #expect(tale.frame(Tale.p, 0) == (isFreed ? nil : PFN(50)))
      #expect(tale.result().verification.pages.checked == (isFreed ? 0 : 1))
    }
  }

  /// `vfork` and `execve`: the same process, another mm.
  @Test("A snapshot of a process that began another program meanwhile says nothing of the mm it left")
  func otherProgram() {
    let shown = ProcessSnapshot.Page(page: Tale.first, pfn: PFN(50), exclusive: true, isMappedOnce: true)
    var tale = Tale(snapshots: [1: ProcessSnapshot(vmas: [], anonymous: [shown])])
    tale.touch(0, 10)
    tale.touch(1, 11)
    tale.at(Tale.p, 1, .snapshotBegan(1))
    tale.at(Tale.q, 200, .mmCreated(.exec))
    tale.at(Tale.q, 1, .snapshotEnded(1))
    #expect(tale.frame(Tale.p, 0) == PFN(10) && tale.frame(Tale.p, 1) == PFN(11))
    let verification = tale.result().verification
    #expect(verification.pages.checked == 0 && verification.notComparedCauses.map(\.count) == [1])
  }

  /// Compaction beside `copy_page_range`: the copied part of the VMA has read entries, the rest has not.
  @Test("While fork copies a VMA, a page of it may have been copied already, or not yet")
  func migrationBesideFork() {
    func set(_ index: Int, _ pfn: UInt64, _ type: MigrationEntryType) -> MMEvent {
      .migrationSet(Tale.first.advanced(by: index), PFN(pfn), type, .base, young: true, dirty: true)
    }
    var tale = Tale()
    for index in 0..<2 { tale.touch(index, UInt64(10 + index)) }
    tale.at(Tale.q, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: Tale.q))
    tale.at(Tale.p, 100, .forkCopied(child: Tale.q, tale.range(0..<8)))
    tale.at(Tale.p, 50, set(0, 10, .read))
    tale.at(Tale.p, 50, set(1, 11, .write))
    tale.at(Tale.p, 100, .forkEnded(child: Tale.q))
    let entries = tale.result().verification.entries
    #expect(entries.agree == 2 && entries.checked == 2)
    #expect(tale.claim(Tale.p, 0) == .shared)
  }
}
