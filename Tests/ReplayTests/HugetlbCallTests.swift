// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// No call takes part of a huge page of hugetlb's: lengths are rounded, or the call refuses (`hugetlb_vm_op_split`,
/// `mremap_to`, `madvise_dontneed_free_valid_vma`). What GUP fills shows nothing.
@Suite("Calls on hugetlb")
struct HugetlbCallTests {
  private static let writeProtect: FaultAccess = [.write, .present]
  private static let place = 1024..<2048

  /// Two huge pages of P, both written.
  private func written(_ snapshots: [UInt32: ProcessSnapshot] = [:]) -> Tale {
    var tale = Tale(snapshots: snapshots)
    tale.at(Tale.p, 100, .vmaMapped(tale.range(Self.place), .hugetlb, [.read, .write]))
    for index in [1024, 1536] { tale.at(Tale.p, 100, .fault(tale.page(index), .write, .quiet)) }
    return tale
  }

  private func decisions(_ tale: inout Tale) -> [UInt64] {
    let decisions = tale.result().verification.decisions
    return [decisions.agree, decisions.disagree, decisions.unknown]
  }

  @Test("mremap to a length that rounds up to what there is cuts nothing off")
  func shrinkWithinPage() {
    var tale = written()
    tale.at(Tale.p, 100, .unmapped(tale.range(1544..<2048)))
    #expect(tale.claim(Tale.p, 1536) == .exclusive)
    tale.at(Tale.p, 100, .unmapped(tale.range(1030..<2048)))
    #expect(tale.claim(Tale.p, 1024) == .exclusive && tale.kind(Tale.p, 1536) == .none)
  }

  @Test("What moves is whole huge pages, whatever the length")
  func move() {
    var tale = written()
    tale.at(
      Tale.p, 100, .moved(source: tale.range(1024..<1600), destination: tale.page(8192), keepsSource: false))
    #expect(tale.claim(Tale.p, 8192) == .exclusive && tale.claim(Tale.p, 8704) == .exclusive)
    #expect(tale.kind(Tale.p, 1024) == .none && tale.kind(Tale.p, 1536) == .none)
  }

  /// `move_hugetlb_page_tables`: entries that map the file's pages, too.
  @Test("What a read of a file mapped moves along: a write at the new place copies it")
  func moveOfFile() {
    var tale = Tale()
    tale.at(Tale.p, 100, .vmaMapped(tale.range(Self.place), .hugetlbFile, [.read, .write]))
    // Without mmap_lock it was no anonymous page.
    tale.at(Tale.p, 100, .fault(tale.page(1536), [], .quiet))
    tale.at(
      Tale.p, 100, .moved(source: tale.range(Self.place), destination: tale.page(8192), keepsSource: false))
    let copied = FaultOutcome.pooled(replaced: true, sinceFault: 1000)
    tale.at(Tale.p, 100, .fault(tale.page(8704), Self.writeProtect, copied))
    #expect(decisions(&tale) == [1, 0, 0] && tale.claim(Tale.p, 8704) == .exclusive)
  }

  @Test("mprotect of a part is refused: what is before it may have changed, it has not")
  func protectPart() {
    var tale = written()
    tale.at(Tale.p, 100, .protected(tale.range(1000..<1100), .unknown))
    tale.at(Tale.p, 100, .protected(tale.range(1030..<1100), .unknown))
    tale.at(Tale.p, 100, .advised(tale.range(1024..<2048), .dontNeed))
    #expect(tale.kind(Tale.p, 1024) == .none && tale.kind(Tale.p, 1535) == .none && tale.kind(Tale.p, 1536) == .none)
  }

  @Test("MADV_DONTNEED does not begin inside of a huge page")
  func discardFromInside() {
    var tale = written()
    tale.at(Tale.p, 100, .advised(tale.range(1025..<2048), .dontNeed))
    #expect(tale.claim(Tale.p, 1024) == .exclusive && tale.claim(Tale.p, 1536) == .exclusive)
  }

  @Test("mlock fills what is accessible, writable where the VMA is")
  func populate() {
    for (protection, isThere, kept) in [([.read, .write], true, UInt64(0)), (.read, true, 1), ([], false, 0)]
      as [(VMAProtection, Bool, UInt64)]
    {
      var tale = Tale()
      tale.at(Tale.p, 100, .vmaMapped(tale.range(Self.place), .hugetlb, protection))
      // A part of each is enough.
      tale.at(Tale.p, 100, .advised(tale.range(1100..<1540), .populate))
      #expect((tale.claim(Tale.p, 1024) == .exclusive) == isThere)
      #expect((tale.claim(Tale.p, 1536) == .exclusive) == isThere)
      guard isThere, protection == .read else { continue }
      tale.at(Tale.p, 100, .protected(tale.range(Self.place), [.read, .write]))
      tale.at(Tale.p, 100, .fault(tale.page(1024), Self.writeProtect, .quiet))
      #expect(decisions(&tale) == [kept, 0, 0])
    }
  }

  /// `hugetlb_no_page` makes an entry writable for a write alone.
  @Test("MADV_POPULATE_READ leaves the entry read-only, whatever the VMA: the first write keeps the page")
  func populateRead() {
    for (advice, kept) in [(Advice.populateRead, UInt64(1)), (.populateWrite, 0)] {
      var tale = Tale()
      tale.at(Tale.p, 100, .vmaMapped(tale.range(Self.place), .hugetlb, [.read, .write]))
      tale.at(Tale.p, 100, .advised(tale.range(Self.place), advice))
      #expect(tale.claim(Tale.p, 1024) == .exclusive)
      tale.at(Tale.p, 100, .fault(tale.page(1024), Self.writeProtect, .quiet))
      #expect(decisions(&tale) == [kept, 0, 0])
    }
  }

  @Test("Buffers that are registered may have been copied from what is shared, and are copied at fork")
  func pinnedSomewhere() {
    var tale = written()
    tale.fork(1024..<2048)
    tale.at(Tale.p, 100, .unfollowed(.pin, nil))
    // P has a copy, and Q is left with what was shared: or it is not.
    tale.at(Tale.q, 200, .fault(tale.page(1024), Self.writeProtect, .quiet))
    #expect(decisions(&tale) == [0, 0, 1])
    var pinned = written()
    pinned.at(Tale.p, 100, .unfollowed(.pin, nil))
    #expect(pinned.claim(Tale.p, 1024) == .exclusive)
    pinned.fork(1024..<2048)
    pinned.at(Tale.p, 100, .fault(pinned.page(1024), Self.writeProtect, .quiet))
    #expect(decisions(&pinned) == [0, 0, 1])
  }

  /// `move_pages`: the entry is told by its address and its frame, which nothing showed before.
  @Test("A migration shows the frame of a page from the pool; of two that have none it is open which")
  func migration() {
    let nothing = ProcessSnapshot(vmas: [], anonymous: [])
    for isOther in [false, true] {
      var tale = Tale(snapshots: [0: nothing])
      tale.at(Tale.p, 100, .vmaMapped(tale.range(Self.place), .hugetlb, [.read, .write]))
      tale.at(Tale.p, 100, .fault(tale.page(1024), .write, .quiet))
      if isOther {
        tale.at(Tale.q, 200, .mmCreated(.exec))
        tale.at(Tale.q, 200, .vmaMapped(tale.range(Self.place), .hugetlb, [.read, .write]))
        tale.at(Tale.q, 200, .fault(tale.page(1024), .write, .quiet))
      }
      tale.at(Tale.p, 100, .removalEnded)
      tale.at(Tale.p, 300, .snapshotBegan(0))
      tale.at(
        Tale.p, 100,
        .migrationSet(tale.page(1024), PFN(8192), .write, FolioOrder(9), young: true, dirty: true))
      tale.at(Tale.p, 300, .snapshotEnded(0))
      tale.at(
        Tale.p, 100, .migrationRemoved(tale.page(1024), PFN(16384), FolioOrder(9), writable: true, dirty: true))
      #expect(tale.frame(Tale.p, 1025) == (isOther ? nil : PFN(16385)))
      let verification = tale.result().verification
      #expect(verification.entries.agree == (isOther ? 0 : 1) && verification.entries.disagree == 0)
      #expect(verification.pages.disagree == 0)
    }
  }

  @Test("A snapshot that shows pages of hugetlb's nobody saw come: page tables are unknown, not wrong")
  func tables() {
    let place = Tale.first.advanced(by: 1024)
    var shown = ProcessSnapshot(
      vmas: [],
      anonymous: [
        ProcessSnapshot.Page(
          page: place, pfn: PFN(8192), exclusive: true, isMappedOnce: true, isLarge: true, isHugetlb: true)
      ], hugetlbTails: 511)
    shown.pageTableBytes = 3 * 4096
    var tale = Tale(snapshots: [0: shown])
    tale.at(Tale.p, 100, .vmaMapped(tale.range(Self.place), .privateFile, [.read, .write]))
    tale.at(Tale.p, 300, .snapshotBegan(0))
    tale.at(Tale.p, 300, .snapshotEnded(0))
    let result = tale.result()
    #expect(result.verification.tables.unknown == 1 && result.verification.tables.disagree == 0)
    #expect(result.verification.pages.unknown == 1)
  }
}
