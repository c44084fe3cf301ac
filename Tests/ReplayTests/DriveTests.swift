// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// What the events of a trace make of the model, where the order of things in the kernel is not the order of its
/// tracepoints. Expectations are the kernel's: `do_wp_page`, `copy_page_range`, `exit_mmap`, `migrate_pages`.
@Suite("From events to the model")
struct DriveTests {
  @Test("Parent and child copy one page at once: the second decided while the first had it, and may not before")
  func copiedAtOnce() {
    for (took, unknown) in [(UInt32(3000), UInt64(0)), (500, 1)] {
      var tale = Tale()
      tale.touch(0, 10)
      tale.fork(0..<8)
      // The parent's copy takes effect a microsecond before the child's.
      tale.copy(Tale.p, 100, 0, 11, took: 2000)
      tale.copy(Tale.q, 200, 0, 12, took: took)
      let decisions = tale.result().verification.decisions
      #expect(decisions.disagree == 0 && decisions.unknown == unknown && decisions.agree == 2 - unknown)
    }
  }

  @Test("A page kept beside a dying mm has lost that mapping, and so has every page below it")
  func dyingMapperIsGone() {
    var tale = Tale()
    for index in 0..<4 { tale.touch(index, 10 + UInt64(index)) }
    tale.fork(0..<8)
    tale.at(Tale.q, 200, .mmTeardownBegan)
    tale.at(Tale.q, 200, .mmTeardownProceeded(remaining: 0, unmapped: 4, flushed: true))
    tale.at(Tale.p, 100, .fault(tale.page(2), [.write, .present], .quiet))
    tale.at(Tale.p, 100, .fault(tale.page(1), [.write, .present], .quiet))
    #expect(tale.claim(Tale.p, 2) == .exclusive && tale.claim(Tale.p, 1) == .exclusive)
    #expect(tale.claim(Tale.p, 0) == .shared)
    let result = tale.result()
    // Which side of the flush the first fault was on is open; the second is settled by the first.
    #expect(result.verification.decisions.disagree == 0 && result.verification.decisions.unknown <= 1)
    #expect(result.divergences.allSatisfy { $0.verdict != .unsafe })
  }

  @Test("MADV_DONTFORK on half a huge page splits its entry; fork copies the other half")
  func borderSplitsHugePage() {
    var tale = Tale()
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .anonymous(PFN(512), FolioOrder(9), replaced: false)))
    tale.at(Tale.p, 100, .advised(tale.range(256..<512), .dontFork))
    tale.fork(0..<256)
    #expect(tale.claim(Tale.p, 0) == .shared && tale.claim(Tale.p, 255) == .shared)
    #expect(tale.claim(Tale.p, 256) == .exclusive && tale.claim(Tale.p, 511) == .exclusive)
    #expect(tale.frame(Tale.q, 255) == PFN(767) && tale.frame(Tale.q, 256) == nil)
  }

  @Test("A copy told late, after the same fault was told as quiet, proves nothing and is followed")
  func lateCopy() {
    var tale = Tale()
    tale.touch(0, 10)
    tale.fork(0..<8)
    tale.at(Tale.q, 200, .mmTeardownBegan)
    tale.at(Tale.q, 200, .mmExited)
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present, .late], .copied(PFN(11), sinceDecision: 0)))
    #expect(tale.frame(Tale.p, 0) == PFN(11) && tale.claim(Tale.p, 0) == .exclusive)
    let decisions = tale.result().verification.decisions
    #expect(decisions.agree == 1 && decisions.unknown == 1 && decisions.disagree == 0)
  }

  @Test("A page kept where the other mapper may have got a copy from outside: unknown, and that mapper is gone")
  func remoteCopy() {
    var tale = Tale()
    tale.touch(0, 10)
    tale.fork(0..<8)
    // `process_vm_writev` made a copy in the child, at an address that the trace does not tell.
    tale.at(Tale.q, 100, .appeared(PFN(11), .base))
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))
    #expect(tale.claim(Tale.p, 0) == .exclusive && tale.kind(Tale.q, 0) == .none)
    let result = tale.result()
    #expect(result.verification.decisions.disagree == 0 && result.verification.decisions.unknown == 1)
    #expect(result.divergences.allSatisfy { $0.verdict != .unsafe })
  }

  @Test("A write that came to nothing where a copy was due is counted, also when the next fault there is refused")
  func refusedAfterwards() {
    var tale = Tale()
    tale.touch(0, 10)
    tale.fork(0..<8)
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))
    tale.at(Tale.p, 100, .fault(tale.page(0), [.execute, .present], .refused))
    let decisions = tale.result().verification.decisions
    #expect(decisions.unknown == 1 && decisions.agree == 0 && decisions.disagree == 0)
  }

  @Test("A large folio whose first page comes back where it was, and small, is split: one page goes to swap, not all")
  func splitByReclaim() {
    var tale = Tale()
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .anonymous(PFN(512), FolioOrder(3), replaced: false)))
    tale.fork(0..<8)
    for mm in [Tale.p, Tale.q] {
      for index in 0..<8 {
        let frame = PFN(512 + UInt64(index))
        tale.at(mm, 100, .migrationSet(tale.page(index), frame, .read, FolioOrder(3), young: false, dirty: true))
      }
    }
    for index in 0..<8 {
      for mm in [Tale.p, Tale.q] {
        let frame = PFN(512 + UInt64(index))
        tale.at(mm, 100, .migrationRemoved(tale.page(index), frame, .base, writable: false, dirty: true))
      }
    }
    for mm in [Tale.p, Tale.q] { for _ in 0..<8 { tale.at(mm, 100, .swappedOut(pages: 1)) } }
    tale.at(Tale.p, 100, .swapWritten(PFN(512)))
    #expect(tale.kind(Tale.p, 0) == .swap && tale.kind(Tale.q, 0) == .swap)
    #expect(tale.frame(Tale.p, 1) == PFN(513) && tale.frame(Tale.q, 7) == PFN(519))
  }

  @Test("ksmd splits a huge page before it merges of it: pages of zeros go, and none of them was merged")
  func splitByKSM() {
    var tale = Tale()
    tale.touch(600, 5)
    tale.touch(601, 6)
    tale.touch(602, 7)
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .anonymous(PFN(512), FolioOrder(9), replaced: false)))
    // The first turns stable, the second is merged with it, and so is one whose page another mm keeps.
    tale.at(Tale.p, 36, .ksmMerged(PFN(5)))
    tale.at(Tale.p, 36, .ksmMerged(PFN(5)))
    tale.at(Tale.p, 36, .freed(PFN(6), .base))
    tale.at(Tale.p, 36, .ksmMerged(PFN(5)))
    // Only page 3 holds anything: it comes back, with no migration entry told, and the rest is freed.
    tale.at(Tale.p, 36, .migrationRemoved(tale.page(3), PFN(515), .base, writable: true, dirty: true))
    for index in [1, 2, 4] { tale.at(Tale.p, 36, .freed(PFN(512 + UInt64(index)), .base)) }
    #expect(tale.claim(Tale.p, 3) == .exclusive && tale.frame(Tale.p, 3) == PFN(515))
    for index in [1, 2, 4] { #expect(tale.kind(Tale.p, index) == .zeroPage) }
    #expect(tale.frame(Tale.p, 601) == PFN(5) && tale.frame(Tale.p, 602) == PFN(7))
    #expect(tale.result().gaps[.framesFreedWhileMapped] == 0)
  }

  @Test("A huge folio freed while it is mapped: nothing is known of its entries any more, and it is counted")
  func hugeFreedWhileMapped() {
    var tale = Tale()
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .anonymous(PFN(512), FolioOrder(9), replaced: false)))
    tale.at(Tale.p, 36, .freed(PFN(512), FolioOrder(9)))
    #expect(tale.kind(Tale.p, 0) == .none && tale.kind(Tale.p, 511) == .none)
    #expect(tale.result().gaps[.framesFreedWhileMapped] == 1)
  }

  @Test("A page of a large folio that nobody maps any more is freed alone: the folio was split, the others stay")
  func splitFreesUnmapped() {
    var tale = Tale()
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .anonymous(PFN(512), FolioOrder(3), replaced: false)))
    tale.at(Tale.p, 100, .advised(tale.range(0..<2), .dontNeed))
    tale.at(Tale.p, 36, .freed(PFN(512), .base))
    tale.at(Tale.p, 36, .freed(PFN(513), .base))
    for index in 2..<8 { #expect(tale.frame(Tale.p, index) == PFN(512 + UInt64(index))) }
    #expect(tale.claim(Tale.p, 3) == .exclusive && tale.result().gaps[.framesFreedWhileMapped] == 0)
  }

  @Test("userfaultfd: the page that arrived while a fault lost its race lies where it faulted; of two it is open which")
  func userfaultArrival() {
    for (arrivals, frame) in [([PFN(20)], PFN(20)), ([PFN(20), PFN(21)], nil)] as [([PFN], PFN?)] {
      var tale = Tale()
      tale.at(Tale.p, 101, .unfollowed(.userfaultfd, nil))
      for pfn in arrivals { tale.at(Tale.p, 101, .appeared(pfn, .base), time: 2_000_500) }
      // The fault began before they came; that it gave its page back is known later.
      tale.at(Tale.p, 100, .fault(tale.page(3), .write, .raced), time: 2_000_000)
      #expect(tale.frame(Tale.p, 3) == frame)
    }
  }

  @Test("Migration: the type is checked in parent and child, the frame changes with the entry that comes back")
  func migrationMoves() {
    var tale = Tale()
    tale.touch(0, 10)
    tale.touch(1, 11)
    tale.fork(0..<1)
    func set(_ index: Int, _ pfn: UInt64, _ type: MigrationEntryType) -> MMEvent {
      .migrationSet(tale.page(index), PFN(pfn), type, .base, young: true, dirty: true)
    }
    let events = [set(0, 10, .read), set(0, 10, .read), set(1, 11, .write)]
    for event in events { tale.at(Tale.p, 300, event) }
    for (index, pfn) in [(0, 30), (0, 30), (1, 31)] as [(Int, UInt64)] {
      tale.at(
        Tale.p, 300, .migrationRemoved(tale.page(index), PFN(pfn), .base, writable: index == 1, dirty: true))
    }
    #expect(tale.frame(Tale.p, 0) == PFN(30) && tale.frame(Tale.q, 0) == PFN(30))
    #expect(tale.frame(Tale.p, 1) == PFN(31) && tale.claim(Tale.p, 1) == .exclusive)
    let entries = tale.result().verification.entries
    #expect(entries.agree == 3 && entries.checked == 3)
  }

  /// A frame that outlives its last mapping had a reference that none of them held (`folio_ref_count`).
  @Test("A copy by the only mapper is explained when the frame is freed where nothing is unmapped, and only then")
  func outlived() {
    enum Freed { case elsewhere, inTheFault, inARemoval, inATeardown, never }
    for freed in [Freed.elsewhere, .inTheFault, .inARemoval, .inATeardown, .never] {
      var tale = Tale()
      tale.touch(0, 10)
      tale.fork(0..<8)
      tale.at(Tale.q, 200, .mmTeardownBegan)
      tale.at(Tale.q, 200, .mmExited)
      tale.copy(Tale.p, 100, 0, 11, took: 0)
      switch freed {
      case .elsewhere: tale.at(Tale.p, 300, .freed(PFN(10), .base))
      case .inTheFault: tale.at(Tale.p, 100, .freed(PFN(10), .base))
      case .inARemoval:
        tale.at(Tale.p, 300, .removalBegan(tale.range(1..<2)))
        tale.at(Tale.p, 300, .freed(PFN(10), .base))
      case .inATeardown:
        tale.at(Tale.p, 300, .mmTeardownBegan)
        tale.at(Tale.p, 300, .freed(PFN(10), .base))
      case .never: break
      }
      let decisions = tale.result().verification.decisions
      let isExplained = freed == .elsewhere
      #expect(decisions.agree == (isExplained ? 1 : 0) && decisions.unknown == (isExplained ? 0 : 1))
    }
  }

  /// `wp_page_copy` drops the old page last: whoever frees it after that had a reference when the kernel decided.
  @Test("A copy from a dying mm's page is explained when another task than the copying one frees the frame")
  func outlivedByDying() {
    for (freer, agrees) in [(Int32(200), UInt64(1)), (100, 0)] {
      var tale = Tale()
      tale.touch(0, 10)
      tale.fork(0..<8)
      tale.at(Tale.q, 200, .mmTeardownBegan)
      tale.at(Tale.q, 200, .mmTeardownProceeded(remaining: 0, unmapped: 1, flushed: true))
      tale.copy(Tale.p, 100, 0, 11, took: 0)
      tale.at(Tale.q, freer, .freed(PFN(10), .base))
      let decisions = tale.result().verification.decisions
      #expect(decisions.checked == 1 && decisions.agree == agrees && decisions.disagree == 0)
    }
  }

  /// `mfill_atomic_install_pte` and GUP's copies map with `RMAP_EXCLUSIVE`; fork alone shares what it finds.
  @Test("A page that came at an unknown address is exclusive till its mm forks: decisions and snapshots are held to it")
  func unseenIsExclusive() {
    for forks in [false, true] {
      var tale = Tale(
        snapshots: [
          1: ProcessSnapshot(
            vmas: [],
            anonymous: [ProcessSnapshot.Page(page: Tale.first, pfn: PFN(20), exclusive: true, isMappedOnce: true)])
        ])
      tale.at(Tale.p, 101, .appeared(PFN(20), .base))
      tale.at(Tale.p, 101, .appeared(PFN(21), .base))
      if forks { tale.fork(0..<8) }
      tale.at(Tale.p, 100, .fault(tale.page(3), [.write, .present], .quiet))
      tale.at(Tale.p, 1, .snapshotBegan(1))
      tale.at(Tale.p, 1, .snapshotEnded(1))
      let verification = tale.result().verification
      #expect(verification.decisions.agree == (forks ? 0 : 1) && verification.decisions.checked == 1)
      #expect(verification.pages.agree == (forks ? 0 : 1) && verification.pages.unknown == (forks ? 1 : 0))
    }
  }

  @Test("An exclusive swap entry that turns into a page unseen makes an exclusive one; a shared page contradicts it")
  func swappedInUnseen() {
    for isExclusive in [true, false] {
      var tale = Tale(
        snapshots: [
          1: ProcessSnapshot(
            vmas: [],
            anonymous: [
              ProcessSnapshot.Page(page: Tale.first, pfn: PFN(20), exclusive: isExclusive, isMappedOnce: true)
            ])
        ])
      tale.touch(0, 10)
      tale.at(Tale.p, 37, .swapWritten(PFN(10)))
      tale.at(Tale.p, 37, .freed(PFN(10), .base))
      tale.at(Tale.p, 1, .snapshotBegan(1))
      tale.at(Tale.p, 1, .snapshotEnded(1))
      let pages = tale.result().verification.pages
      #expect(pages.agree == (isExclusive ? 1 : 0) && pages.disagree == (isExclusive ? 0 : 1))
    }
  }

  @Test("A userfaultfd's handler may have had the fault only if it was tried again")
  func handlersFault() {
    for retried in [false, true] {
      var tale = Tale()
      tale.at(Tale.p, 101, .unfollowed(.userfaultWriteProtect, nil))
      tale.touch(0, 10)
      tale.fork(0..<8)
      tale.at(Tale.q, 200, .mmTeardownBegan)
      tale.at(Tale.q, 200, .mmExited)
      tale.at(Tale.p, 100, .fault(tale.page(0), retried ? [.write, .present, .retried] : [.write, .present], .quiet))
      let decisions = tale.result().verification.decisions
      #expect(decisions.agree == (retried ? 0 : 1) && decisions.unknown == (retried ? 1 : 0))
    }
  }

  @Test("The kernel's write to a page of a read-only VMA is refused and decides nothing")
  func refusedQuietly() {
    var tale = Tale()
    tale.at(Tale.p, 100, .vmaMapped(tale.range(0..<8), .anonymous, .read))
    tale.at(Tale.p, 100, .fault(tale.page(0), [], .quiet))
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present, .kernel], .quiet))
    #expect(tale.result().verification.decisions.checked == 0)
  }

  /// `populate_vma_page_range` writes where the VMA is writable and passes over what is not accessible.
  @Test("mlockall fills the private writable VMAs from the lowest up, and no hole between them")
  func populatesByVMA() {
    var tale = Tale()
    tale.at(Tale.p, 100, .unmapped(tale.range(0..<1024)))
    for (pages, backing, protection) in [
      (10..<12, .anonymous, .read), (20..<22, .anonymous, [.read, .write]), (30..<32, .shared, [.read, .write]),
      (40..<42, .privateFile, [.read, .write]), (50..<52, .anonymous, [.read, .write]),
    ] as [(Range<Int>, VMABacking, VMAProtection)] {
      tale.at(Tale.p, 100, .vmaMapped(tale.range(pages), backing, protection))
    }
    let everything = PageRange(start: VirtualPage(0), end: VirtualPage(.max >> 12))
    for pfn in [20, 21, 50, 51] as [UInt64] {
      tale.at(Tale.p, 100, .populated(everything, .anonymous(PFN(pfn), .base, replaced: false)))
    }
    for index in [20, 21, 50, 51] { #expect(tale.frame(Tale.p, index) == PFN(UInt64(index))) }
    #expect(tale.frame(Tale.p, 10) == nil && tale.frame(Tale.p, 12) == nil && tale.frame(Tale.p, 40) == nil)
  }

  @Test("Two mm that are filled in turn, and again once they were emptied: each page goes where the call has got to")
  func populatesInTurn() {
    var tale = Tale()
    tale.at(Tale.q, 200, .mmCreated(.exec))
    tale.at(Tale.q, 200, .vmaMapped(tale.range(0..<1024), .anonymous, [.read, .write]))
    for round in 0..<2 {
      for index in 0..<4 {
        for (mm, task, base) in [(Tale.p, 100, 10), (Tale.q, 200, 50)] as [(MMID, Int32, Int)] {
          let pfn = PFN(UInt64(base + 4 * round + index))
          tale.at(mm, task, .populated(tale.range(0..<4), .anonymous(pfn, .base, replaced: false)))
          #expect(tale.frame(mm, index) == pfn)
        }
      }
      // Nothing is left to fill: the page is somewhere else.
      tale.at(Tale.p, 100, .populated(tale.range(0..<4), .anonymous(PFN(99), .base, replaced: false)))
      #expect((0..<8).allSatisfy { tale.frame(Tale.p, $0) != PFN(99) })
      tale.at(Tale.p, 100, .advised(tale.range(0..<4), .dontNeed))
      tale.at(Tale.q, 200, .unmapped(tale.range(0..<4)))
      tale.at(Tale.q, 200, .vmaMapped(tale.range(0..<4), .anonymous, [.read, .write]))
    }
  }

  /// Mapped by a PMD, a huge page has one flag, in its first page (`folio_add_new_anon_rmap`).
  @Test("Of a huge page that came at an unknown address the first page alone shows the flag")
  func unseenTails() {
    var tale = Tale(
      snapshots: [
        1: ProcessSnapshot(
          vmas: [],
          anonymous: [
            ProcessSnapshot.Page(page: Tale.first, pfn: PFN(512), exclusive: true, isMappedOnce: true, isLarge: true),
            ProcessSnapshot.Page(
              page: Tale.first.advanced(by: 1), pfn: PFN(513), exclusive: false, isMappedOnce: true, isLarge: true),
          ])
      ])
    tale.at(Tale.p, 101, .appeared(PFN(512), FolioOrder(9)))
    tale.at(Tale.p, 1, .snapshotBegan(1))
    tale.at(Tale.p, 1, .snapshotEnded(1))
    let verification = tale.result().verification
    #expect(verification.pages.agree == 1 && verification.pages.checked == 1)
    #expect(verification.notComparedCauses.map(\.count) == [1])
  }

  /// `shrink_folio_list`: unmapped, not written because the slot holds the content, freed.
  @Test("A clean page that reclaim frees is a swap entry again; without a count of reclaim's it was unmapped unseen")
  func cleanReclaim() {
    for counts in [true, false] {
      var tale = Tale()
      tale.touch(0, 10)
      if counts { tale.at(Tale.p, 37, .swappedOut(pages: 1)) }
      tale.at(Tale.p, 37, .freed(PFN(10), .base))
      #expect(tale.kind(Tale.p, 0) == (counts ? .swap : .none))
    }
  }

  /// `try_to_unmap_one` clears the flag after pagemap was read, and before kpageflags is.
  @Test("A flag that reclaim clears under a snapshot is explained by the page's way to swap, and by nothing else")
  func leavesUnderSnapshot() {
    for (isWritten, isReclaiming) in [(true, true), (false, true), (true, false)] {
      var tale = Tale(
        snapshots: [
          1: ProcessSnapshot(
            vmas: [],
            anonymous: [ProcessSnapshot.Page(page: Tale.first, pfn: PFN(10), exclusive: false, isMappedOnce: true)])
        ])
      tale.touch(0, 10)
      if isReclaiming { tale.touch(1, 11) }
      tale.at(Tale.p, 50, .snapshotBegan(1))
      if isReclaiming { tale.at(Tale.p, 37, .swapWritten(PFN(11))) }
      tale.at(Tale.p, 50, .snapshotEnded(1))
      if isWritten { tale.at(Tale.p, 37, .swapWritten(PFN(10))) }
      let pages = tale.result().verification.pages
      let disagrees = !(isWritten && isReclaiming)
      #expect(pages.disagree == (disagrees ? 1 : 0) && pages.checked == pages.disagree)
    }
  }

  /// `copy_present_ptes` leaves the parent's page where it is and clears its flag.
  @Test("A snapshot that a fork ran into still tells where the pages of an attached mm are, and not their flags")
  func forkUnderSnapshot() {
    var tale = Tale(
      snapshots: [
        1: ProcessSnapshot(
          vmas: [.init(range: PageRange(start: Tale.first, count: 8), facts: .anonymous)],
          anonymous: [
            ProcessSnapshot.Page(page: Tale.first, pfn: PFN(10), exclusive: true, isMappedOnce: true)
          ])
      ])
    let mm = MMID(7)
    let child = MMID(8)
    tale.at(mm, 700, .mmCreated(.attached))
    tale.at(mm, 50, .snapshotBegan(1))
    tale.at(child, 700, .mmCreated(.fork))
    tale.at(mm, 700, .forkBegan(child: child))
    tale.at(mm, 700, .forkCopied(child: child, tale.range(0..<8)))
    tale.at(mm, 700, .forkEnded(child: child))
    tale.at(mm, 50, .snapshotEnded(1))
    #expect(tale.frame(mm, 0) == PFN(10) && tale.claim(mm, 0) == .unknown)
    let pages = tale.result().verification.pages
    #expect(pages.checked == 0)
  }

  @Test("MADV_POPULATE leaves no swap entry behind")
  func populateReadsIn() {
    var tale = Tale()
    for index in 0..<2 { tale.touch(index, UInt64(10 + index)) }
    tale.at(Tale.p, 37, .swappedOut(pages: 2))
    for pfn in [10, 11] as [UInt64] { tale.at(Tale.p, 37, .swapWritten(PFN(pfn))) }
    tale.at(Tale.p, 100, .advised(tale.range(1..<2), .populateRead))
    #expect(tale.kind(Tale.p, 0) == .swap && tale.kind(Tale.p, 1) == .present)
    #expect(tale.claim(Tale.p, 1) == .exclusive)
  }
}
