// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// hugetlb, whose pages come from a pool: nothing is allocated and nothing counted. Expectations are those of
/// `hugetlb_fault`, `hugetlb_no_page`, `hugetlb_wp` and `copy_hugetlb_page_range`.
@Suite("hugetlb from events")
struct HugetlbTests {
  private static let writeProtect: FaultAccess = [.write, .present]

  /// P's mapping of two huge pages, 1024 pages behind the first.
  private func tale(
    _ backing: VMABacking = .hugetlb, seesFlushes: Bool = true, snapshots: [UInt32: ProcessSnapshot] = [:]
  ) -> Tale {
    var tale = Tale(snapshots: snapshots, seesFlushes: seesFlushes)
    tale.at(Tale.p, 100, .vmaMapped(tale.range(1024..<2048), backing, [.read, .write]))
    return tale
  }

  private func written(_ backing: VMABacking = .hugetlb) -> Tale {
    var tale = tale(backing)
    tale.at(Tale.p, 100, .fault(tale.page(1030), .write, .quiet))
    return tale
  }

  private func copied(_ took: UInt32 = 1000, _ pfn: PFN? = nil) -> FaultOutcome {
    pfn.map { .surplus($0, sinceFault: took, replaced: true) } ?? .pooled(replaced: true, sinceFault: took)
  }

  private func decisions(_ tale: inout Tale) -> [UInt64] {
    let decisions = tale.result().verification.decisions
    return [decisions.agree, decisions.disagree, decisions.unknown]
  }

  @Test("Written, forked, copied by the child, kept by the parent: one entry of one page throughout")
  func forkAndCopy() {
    var tale = written()
    #expect(tale.claim(Tale.p, 1024) == .exclusive && tale.claim(Tale.p, 1535) == .exclusive)
    #expect(tale.kind(Tale.p, 1536) == .none)
    tale.fork(1024..<2048)
    #expect(tale.claim(Tale.p, 1024) == .shared && tale.claim(Tale.q, 1024) == .shared)
    tale.at(Tale.q, 200, .fault(tale.page(1100), Self.writeProtect, copied()))
    #expect(tale.claim(Tale.q, 1024) == .exclusive && tale.claim(Tale.p, 1024) == .shared)
    tale.at(Tale.p, 100, .fault(tale.page(1200), Self.writeProtect, .quiet))
    #expect(tale.claim(Tale.p, 1024) == .exclusive)
    let result = tale.result()
    #expect(result.gaps[.hugetlbNotFollowed] == 0 && result.gaps[.forkCountDiffers] == 0)
    #expect(decisions(&tale) == [2, 0, 0])
  }

  @Test("A read maps an exclusive page read-only: the write that follows keeps it")
  func readFault() {
    var tale = tale()
    tale.at(Tale.p, 100, .fault(tale.page(1024), [], .quiet))
    #expect(tale.claim(Tale.p, 1024) == .exclusive)
    tale.at(Tale.p, 100, .fault(tale.page(1024), Self.writeProtect, .quiet))
    #expect(decisions(&tale) == [1, 0, 0])
  }

  @Test("mprotect takes write for good: the next write faults, and keeps the page")
  func mprotect() {
    var tale = written()
    for protection in [[.read], [.read, .write]] as [VMAProtection] {
      tale.at(Tale.p, 100, .protected(tale.range(1024..<2048), protection))
    }
    tale.at(Tale.p, 100, .fault(tale.page(1024), Self.writeProtect, .quiet))
    #expect(decisions(&tale) == [1, 0, 0])
  }

  @Test("A copy where the model has one mapper: of nobody's knowing, unless a sharer left while it was made")
  func copyOfSole() {
    for (took, expected) in [(UInt32(500), [0, 1, 0]), (10_000, [0, 0, 1])] as [(UInt32, [UInt64])] {
      var tale = written()
      tale.fork(1024..<2048)
      tale.at(Tale.q, 200, .mmTeardownBegan)
      tale.at(Tale.q, 200, .mmExited)
      tale.at(Tale.p, 100, .fault(tale.page(1024), Self.writeProtect, copied(took)))
      #expect(decisions(&tale) == expected)
    }
  }

  @Test("Two write at once: the kernel lets one through at a time, so the other is left alone with the page")
  func bothAtOnce() {
    var tale = written()
    tale.fork(1024..<2048)
    tale.at(Tale.p, 100, .fault(tale.page(1024), Self.writeProtect, .quiet))
    // A second thread waits as well.
    tale.at(Tale.p, 101, .fault(tale.page(1025), Self.writeProtect, .quiet))
    tale.at(Tale.q, 200, .fault(tale.page(1024), Self.writeProtect, copied(3000)))
    #expect(tale.claim(Tale.p, 1024) == .exclusive && tale.claim(Tale.q, 1024) == .exclusive)
    #expect(decisions(&tale) == [2, 0, 0])
  }

  @Test("Kept beside another mapper: open for whom the pool keeps pages, a disagreement for who inherited it")
  func keptShared() {
    for (mm, task, expected) in [(Tale.p, 100, [0, 0, 1]), (Tale.q, 200, [0, 1, 0])] as [(MMID, Int32, [UInt64])] {
      var tale = written()
      tale.fork(1024..<2048)
      for _ in 0..<2 { tale.at(mm, task, .fault(tale.page(1024), Self.writeProtect, .quiet)) }
      #expect(decisions(&tale) == expected)
    }
  }

  @Test("SIGBUS where a page was: the owner of the reservation took it, and kept it then")
  func takenFromChild() {
    var tale = written()
    tale.fork(1024..<2048)
    tale.at(Tale.p, 100, .fault(tale.page(1024), Self.writeProtect, .quiet))
    tale.at(Tale.q, 200, .fault(tale.page(1024), [], .refused))
    #expect(tale.kind(Tale.q, 1024) == .none && tale.claim(Tale.p, 1024) == .exclusive)
    #expect(decisions(&tale) == [1, 0, 0])
  }

  @Test("A file of hugetlbfs shows at its first fault, where the VMA is of huge pages; reading its page takes no lock")
  func fileShowsItself() {
    for (range, isHuge) in [(1024..<1536, true), (1024..<1500, false)] {
      var tale = tale(.anonymous)
      tale.at(Tale.p, 100, .vmaMapped(tale.range(range), .privateFile, [.read, .write]))
      // Another file's page would have been counted.
      tale.at(Tale.p, 100, .fault(tale.page(1030), [], .quiet))
      tale.at(Tale.p, 100, .fault(tale.page(1040), Self.writeProtect, copied()))
      #expect((tale.claim(Tale.p, 1535) == .exclusive) == isHuge)
      #expect(decisions(&tale) == (isHuge ? [1, 0, 0] : [0, 0, 1]))
    }
  }

  @Test("A read that took mmap_lock mapped an anonymous page; in a VMA that has one already it is open what it mapped")
  func fileOrHole() {
    var tale = tale(.hugetlbFile)
    tale.at(Tale.p, 100, .fault(tale.page(1024), .retried, .quiet))
    #expect(tale.claim(Tale.p, 1024) == .exclusive)
    tale.at(Tale.p, 100, .fault(tale.page(1024), Self.writeProtect, .quiet))
    tale.at(Tale.p, 100, .fault(tale.page(1536), [], .quiet))
    #expect(tale.kind(Tale.p, 1536) == .none)
    tale.at(Tale.p, 100, .fault(tale.page(1536), Self.writeProtect, .quiet))
    #expect(tale.claim(Tale.p, 1536) == .exclusive)
    #expect(decisions(&tale) == [1, 0, 1])
  }

  @Test("A write to a missing page of a file copies at once; what it took is its own")
  func fileWritten() {
    var tale = tale(.hugetlbFile)
    tale.at(Tale.p, 100, .fault(tale.page(1024), .write, copied()))
    #expect(tale.claim(Tale.p, 1024) == .exclusive)
    tale.fork(1024..<2048)
    tale.at(Tale.q, 200, .fault(tale.page(1024), Self.writeProtect, copied(1000, PFN(4096))))
    #expect(tale.frame(Tale.q, 1025) == PFN(4097))
    #expect(decisions(&tale) == [1, 0, 0])
  }

  @Test("MADV_DONTNEED takes whole huge pages: what it covers in part stays")
  func discard() {
    var tale = written()
    tale.at(Tale.p, 100, .fault(tale.page(1536), .write, .quiet))
    tale.at(Tale.p, 100, .advised(tale.range(1024..<1700), .dontNeed))
    #expect(tale.kind(Tale.p, 1024) == .none && tale.claim(Tale.p, 1536) == .exclusive)
  }

  @Test("Without flushes in the trace a decision is unknown, whatever it was")
  func withoutFlushes() {
    var tale = tale(seesFlushes: false)
    tale.at(Tale.p, 100, .fault(tale.page(1024), .write, .quiet))
    tale.fork(1024..<2048)
    for (mm, task) in [(Tale.q, 200), (Tale.p, 100)] as [(MMID, Int32)] {
      tale.at(mm, task, .fault(tale.page(1024), Self.writeProtect, .quiet))
      #expect(tale.claim(mm, 1024) == .exclusive)
    }
    #expect(decisions(&tale) == [0, 0, 2])
  }

  @Test("With a userfaultfd, or in pages that no PMD maps, it is counted and not followed")
  func notFollowed() {
    for isGigantic in [true, false] {
      var tale = tale(isGigantic ? .gigantic : .hugetlb)
      if !isGigantic { tale.at(Tale.p, 101, .unfollowed(.userfaultfd, nil)) }
      tale.at(Tale.p, 100, .fault(tale.page(1024), .write, .quiet))
      tale.at(Tale.p, 100, .fault(tale.page(1024), Self.writeProtect, copied()))
      #expect(tale.result().gaps[.hugetlbNotFollowed] == 2)
      #expect(decisions(&tale) == [0, 0, 1])
    }
  }

  @Test("O_DIRECT: what was read into is there when the call is over; what fork did about it meanwhile is in doubt")
  func directIO() {
    var tale = tale()
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1024..<1026), write: true))
    // Memory of hugetlb is in use.
    tale.at(Tale.p, 101, .fault(tale.page(1536), .write, .quiet))
    tale.at(Tale.p, 100, .directIOEnded)
    #expect(tale.claim(Tale.p, 1024) == .exclusive)
    tale.at(Tale.p, 101, .directIOBegan(tale.range(1536..<1538), write: true))
    tale.fork(1024..<2048)
    tale.at(Tale.p, 100, .fault(tale.page(1536), Self.writeProtect, .quiet))
    #expect(decisions(&tale) == [0, 0, 1])
  }

  @Test("A snapshot: the flag of the first page is compared, and gives the page its frame")
  func snapshot() {
    for (exclusive, disagrees) in [(true, UInt64(0)), (false, 1)] {
      let place = Tale.first.advanced(by: 1024)
      let shown = ProcessSnapshot(
        vmas: [],
        anonymous: [
          ProcessSnapshot.Page(
            page: place, pfn: PFN(8192), exclusive: exclusive, isMappedOnce: true, isLarge: true, isHugetlb: true)
        ], hugetlbTails: 511)
      var tale = tale(snapshots: [0: shown])
      tale.at(Tale.p, 100, .fault(tale.page(1030), .write, .quiet))
      tale.at(Tale.p, 100, .removalEnded)
      tale.at(Tale.p, 300, .snapshotBegan(0))
      tale.at(Tale.p, 300, .snapshotEnded(0))
      #expect(tale.frame(Tale.p, 1026) == PFN(8194))
      let pages = tale.result().verification.pages
      #expect(pages.agree == 1 - disagrees && pages.disagree == disagrees && pages.unknown == 0)
    }
  }

  @Test("A page that is filled while the snapshot is taken proves nothing, however long ago the fault began")
  func snapshotInFault() {
    var tale = tale(snapshots: [0: ProcessSnapshot(vmas: [], anonymous: [])])
    tale.at(Tale.p, 100, .fault(tale.page(1030), .write, .quiet))
    tale.at(Tale.p, 300, .snapshotBegan(0))
    tale.at(Tale.p, 300, .snapshotEnded(0))
    #expect(tale.claim(Tale.p, 1024) == .exclusive && tale.result().verification.pages.disagree == 0)
  }
}
