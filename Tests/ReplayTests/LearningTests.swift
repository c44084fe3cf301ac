// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// What the kernel shows outweighs what the model made of the trace, and what is in doubt convicts nobody.
@Suite("Learning from the kernel")
struct LearningTests {
  private static let severe: Set<Verdict> = [
    .unsafe, .unsafeIO, .dataLoss, .conservativePin, .invariantBreak, .livelock,
  ]

  private func convictions(_ result: ReplayResult) -> [Divergence] {
    result.divergences.filter { Self.severe.contains($0.verdict) && $0.certainty == .definite }
  }

  private func snapshot(_ tale: Tale, _ index: Int, _ pfn: UInt64, exclusive: Bool) -> ProcessSnapshot {
    ProcessSnapshot(
      vmas: [],
      anonymous: [
        ProcessSnapshot.Page(page: tale.page(index), pfn: PFN(pfn), exclusive: exclusive, isMappedOnce: exclusive)
      ])
  }

  @Test("A huge page that the kernel reuses beside a dying child has no other mapping: nobody is convicted")
  func hugePageReused() {
    var tale = Tale()
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .anonymous(PFN(512), FolioOrder(9), replaced: false)))
    tale.fork(0..<512)
    tale.at(Tale.q, 200, .mmTeardownBegan)
    tale.at(Tale.p, 100, .fault(tale.page(3), [.write, .present], .quiet))
    #expect(tale.claim(Tale.p, 3) == .exclusive && tale.kind(Tale.q, 3) == .none)
    let result = tale.result()
    #expect(result.verification.decisions.disagree == 0)
    #expect(convictions(result).isEmpty)
  }

  @Test("A reuse beside a live mapper is a disagreement; then the kernel is right, and who was excluded is in doubt")
  func liveMapperExcluded() {
    var tale = Tale()
    tale.touch(0, 10)
    tale.fork(0..<8)
    // The second quiet fault shows that the first one was no copy by another thread.
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))
    #expect(tale.claim(Tale.p, 0) == .exclusive && tale.kind(Tale.q, 0) == .none)
    let result = tale.result()
    #expect(result.verification.decisions.disagree == 1)
    #expect(result.gaps[.mappersExcluded] == 1)
    #expect(convictions(result).isEmpty)
  }

  @Test("A page of a VMA in which fork copied a pinned page: a snapshot that shows it exclusive excludes the child")
  func pinnedAtFork() {
    var tale = Tale()
    tale = Tale(snapshots: [0: snapshot(tale, 0, 10, exclusive: true)])
    tale.touch(0, 10)
    tale.at(Tale.q, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: Tale.q))
    tale.at(Tale.p, 100, .forkCopied(child: Tale.q, tale.range(0..<8)))
    tale.at(Tale.p, 100, .forkCopiedPinned(child: Tale.q, PFN(20)))
    tale.at(Tale.p, 100, .forkEnded(child: Tale.q))
    tale.at(Tale.p, 300, .snapshotBegan(0))
    tale.at(Tale.p, 300, .snapshotEnded(0))
    #expect(tale.claim(Tale.p, 0) == .exclusive && tale.kind(Tale.q, 0) == .none)
    let result = tale.result()
    #expect(result.verification.pages.disagree == 0 && result.verification.pages.unknown == 1)
    #expect(convictions(result).isEmpty)
  }

  @Test("A snapshot that shows a flag clear where the model has it set: told once, then followed")
  func flagShownClear() {
    var tale = Tale()
    let shown = snapshot(tale, 0, 10, exclusive: false)
    tale = Tale(snapshots: [0: shown, 1: shown])
    tale.touch(0, 10)
    for index: UInt32 in 0..<2 {
      tale.at(Tale.p, 300, .snapshotBegan(index))
      tale.at(Tale.p, 300, .snapshotEnded(index))
    }
    #expect(tale.claim(Tale.p, 0) == .shared)
    let pages = tale.result().verification.pages
    #expect(pages.disagree == 1 && pages.agree == 1)
  }

  @Test("A frame freed while it was mapped: what is there now is in doubt, also for who else maps the page")
  func frameFreed() {
    var tale = Tale()
    tale.touch(0, 10)
    tale.at(Tale.p, 900, .freed(PFN(10), .base))
    #expect(tale.kind(Tale.p, 0) == .none)
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))
    let result = tale.result()
    #expect(result.gaps[.framesFreedWhileMapped] == 1)
    #expect(result.verification.decisions.disagree == 0 && result.verification.decisions.agree == 0)
  }

  @Test("After a loss nothing is held against the model or an encoding")
  func loss() {
    var tale = Tale()
    tale.touch(0, 10)
    tale.fork(0..<8)
    tale.at(Tale.p, 100, .lost(CPU(0), count: 3))
    tale.touch(0, 11)
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .copied(PFN(12), sinceDecision: 0)))
    let result = tale.result()
    #expect(result.verification.decisions.disagree == 0 && result.verification.decisions.unknown == 1)
    #expect(convictions(result).isEmpty)
  }
}

/// Reclaim shows whether a page was stored to since MADV_FREE: what an encoding forgot of it is lost.
@Suite("Dirty data in a replay")
struct LostDataTests {
  private func replay(without: [CallSiteSwitch]) -> ReplayResult {
    var tale = Tale(without: without)
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .advised(tale.range(0..<1), .free))
    // A store, which nothing shows; then write permission goes.
    tale.at(Tale.p, 100, .protected(tale.range(0..<8), .read))
    // `pageout` writes what is dirty; what is clean and lazyfree it discards.
    tale.at(Tale.p, 900, .swappedOut(pages: 1))
    tale.at(Tale.p, 900, .swapWritten(PFN(10)))
    return tale.result()
  }

  @Test("Done fully, encoding C keeps what was stored")
  func complete() {
    #expect(replay(without: []).divergences.allSatisfy { $0.verdict != .dataLoss })
  }

  @Test("Without c.dirtymove the mark is gone when mprotect takes the write bit, and reclaim drops the data")
  func withoutDirtyMove() {
    let losses = replay(without: [.cDirtyMove]).divergences.filter { $0.verdict == .dataLoss }
    #expect(losses.map(\.encoding) == [.cStrict])
    #expect(losses.first?.certainty == .definite && losses.first?.rule == .c3 && losses.first?.count == 1)
  }

  @Test("What its owner gave up and did not store to again is nobody's loss")
  func givenUp() {
    var tale = Tale(without: [.cDirtyMove])
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .advised(tale.range(0..<1), .free))
    tale.at(Tale.p, 900, .swappedOut(pages: 1))
    tale.at(Tale.p, 900, .freed(PFN(10), .base))
    #expect(tale.result().divergences.allSatisfy { $0.verdict != .dataLoss })
  }

  /// On a page that fork shares, a write may have copied it or not; where nothing was, any folio may be.
  @Test("What came of a fault whose end is lost is not known, until a snapshot shows it")
  func lostFault() throws {
    func page(_ index: Int, _ pfn: UInt64, _ exclusive: Bool) -> ProcessSnapshot.Page {
      ProcessSnapshot.Page(
        page: Tale.first.advanced(by: index), pfn: PFN(pfn), exclusive: exclusive, isMappedOnce: false)
    }
    var tale = Tale(snapshots: [1: ProcessSnapshot(vmas: [], anonymous: [page(0, 20, true), page(300, 30, true)])])
    tale.touch(0, 10)
    tale.fork(0..<8)
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .lost))
    tale.at(Tale.p, 101, .fault(tale.page(200), .write, .lost))
    tale.at(Tale.p, 50, .snapshotBegan(1))
    tale.at(Tale.p, 50, .snapshotEnded(1))
    let verification = tale.result().verification
    #expect(verification.decisions.unknown == 1)
    #expect(verification.pages.disagree == 0)
    #expect(tale.frame(Tale.p, 0) == PFN(20) && tale.frame(Tale.p, 300) == PFN(30))
  }
}
