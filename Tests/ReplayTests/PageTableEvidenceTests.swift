// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// `VmPTE` against the model's page tables. Every mm that has any has a PMD and a PUD table above them here.
@Suite("Verify: page tables")
struct PageTableEvidenceTests {
  private static let collector: Int32 = 900

  /// Snapshots that show so many tables, of all levels; nothing else is mapped by then.
  private func tale(_ shown: [UInt64], anonymous: [ProcessSnapshot.Page] = [], populated: Set<UInt64> = []) -> Tale {
    var snapshots: [UInt32: ProcessSnapshot] = [:]
    for (index, count) in shown.enumerated() {
      var snapshot = ProcessSnapshot(vmas: [], anonymous: anonymous)
      snapshot.pageTableBytes = count * 4096
      snapshot.populatedTables = populated
      snapshots[UInt32(index)] = snapshot
    }
    return Tale(snapshots: snapshots)
  }

  private func look(_ tale: inout Tale, _ index: UInt32, at mm: MMID = Tale.p) {
    tale.at(mm, Self.collector, .snapshotBegan(index))
    tale.at(mm, Self.collector, .snapshotEnded(index))
  }

  private func tally(_ agree: UInt64, _ disagree: UInt64, _ unknown: UInt64) -> Tally {
    var tally = Tally()
    (tally.agree, tally.disagree, tally.unknown) = (agree, disagree, unknown)
    return tally
  }

  @Test("A kept table counts, a reclaimed one does not, and the upper ones go with the last VMA")
  func stages() {
    var tale = tale([2 + 2, 1 + 2, 0])
    tale.touch(0, 10)
    tale.touch(512, 11)
    tale.at(Tale.p, 100, .advised(tale.range(0..<8), .dontNeed))
    tale.at(Tale.p, 100, .advised(tale.range(512..<520), .dontNeed))
    look(&tale, 0)
    tale.at(Tale.p, 100, .advised(tale.range(512..<1024), .dontNeed))
    look(&tale, 1)
    tale.at(Tale.p, 100, .unmapped(tale.range(0..<1024)))
    look(&tale, 2)
    #expect(tale.result().verification.tables == tally(3, 0, 0))
  }

  @Test("fork copies the empty tables of a VMA that had anonymous pages, and none of one that never had")
  func fork() {
    var tale = tale([1 + 2])
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .advised(tale.range(0..<8), .dontNeed))
    tale.at(Tale.p, 100, .vmaMapped(tale.range(4096..<4608), .privateFile, .read))
    tale.at(Tale.p, 100, .fault(tale.page(4096), [], .file(pages: 4)))
    tale.at(Tale.q, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: Tale.q))
    tale.at(Tale.p, 100, .forkCopied(child: Tale.q, tale.range(0..<1024)))
    tale.at(Tale.p, 100, .forkCopied(child: Tale.q, tale.range(4096..<4608)))
    tale.at(Tale.p, 100, .forkEnded(child: Tale.q))
    look(&tale, 0, at: Tale.q)
    #expect(tale.result().verification.tables == tally(1, 0, 0))
  }

  /// `__handle_mm_fault` makes the table, `do_read_fault` fills it with what nothing counts.
  @Test("A read of a file makes a table, whatever shows of it", arguments: [VMABacking.privateFile, .shared, .loader])
  func fileRead(_ backing: VMABacking) {
    for outcome in [FaultOutcome.quiet, .raced] {
      var tale = tale([1 + 2])
      tale.at(Tale.p, 100, .vmaMapped(tale.range(4096..<4104), backing, .read))
      tale.at(Tale.p, 100, .fault(tale.page(4096), [], outcome))
      look(&tale, 0)
      #expect(tale.result().verification.tables == tally(1, 0, 0))
    }
  }

  /// `populate_vma_page_range` writes where it may, reads where it may only read, and gets nowhere without access.
  @Test("mlock fills what can be read: pages of zeros make a table, and are told by nothing")
  func locked() {
    for (protection, tables) in [(.read, 1 + 2), ([], 0)] as [(VMAProtection, UInt64)] {
      var tale = tale([tables])
      tale.at(Tale.p, 100, .vmaMapped(tale.range(4096..<4104), .anonymous, protection))
      tale.at(Tale.p, 100, .advised(tale.range(4096..<4104), .populate))
      look(&tale, 0)
      #expect(tale.result().verification.tables == tally(1, 0, 0))
    }
  }

  @Test("mremap makes tables at its destination wherever the source has one")
  func mremap() {
    // Pages 0 to 511, of which nothing is left, go to the borders of two tables, and the source's VMA stays.
    var tale = tale([1 + 2 + 2])
    tale.at(Tale.p, 100, .unmapped(tale.range(512..<1024)))
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .advised(tale.range(0..<8), .dontNeed))
    tale.at(Tale.p, 100, .moved(source: tale.range(0..<512), destination: tale.page(4096 + 256), keepsSource: true))
    look(&tale, 0)
    #expect(tale.result().verification.tables == tally(1, 0, 0))
  }

  @Test("Other bytes than the model's: one disagreement, and from then on nothing is known")
  func disagreement() throws {
    var tale = tale([5, 5])
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .advised(tale.range(0..<8), .dontNeed))
    look(&tale, 0)
    look(&tale, 1)
    let verification = tale.result().verification
    #expect(verification.tables == tally(0, 1, 1))
    let first = try #require(verification.firstDisagreement)
    #expect(first.evidence == .table && first.expected == "12288 bytes of page tables" && first.observed == "20480")
  }

  @Test("Unknown: of what ran before, of what a userfaultfd fills, and where pages are shown that nothing brought")
  func unknown() {
    var tale = tale([9, 9, 9], populated: [Tale.first.rawValue >> 9])
    tale.at(Tale.q, 200, .mmCreated(.attached))
    look(&tale, 0, at: Tale.q)
    look(&tale, 1)
    tale.at(Tale.p, 100, .unfollowed(.userfaultfd, nil))
    look(&tale, 2)
    #expect(tale.result().verification.tables == tally(0, 0, 3))
  }

  @Test("A table that comes while the snapshot is taken: nothing is compared")
  func meanwhile() {
    var tale = tale([3])
    tale.at(Tale.p, Self.collector, .snapshotBegan(0))
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .anonymous(PFN(10), .base, replaced: false)))
    tale.at(Tale.p, Self.collector, .snapshotEnded(0))
    #expect(tale.result().verification.tables.checked == 0)
  }

  @Test("A 1 GiB and a 512 GiB border: PMD and PUD tables")
  func upperTables() {
    var upper = UpperTables()
    // vpn / 512: 511 and 512 lie on both sides of 1 GiB, 2^18 begins the second 512 GiB.
    for (base, count) in [(0, 2), (511, 2), (512, 3), (1 << 18, 5)] as [(UInt64, Int)] {
      upper.insert(above: base)
      #expect(upper.count == count)
    }
    func pages(_ range: Range<UInt64>) -> PageRange {
      PageRange(start: VirtualPage(range.lowerBound), end: VirtualPage(range.upperBound))
    }
    var child = UpperTables()
    child.insert(from: upper, pages(1 << 18..<(1 << 18) + 1))
    #expect(child.count == 2)
    upper.remove(within: pages(1..<2 << 18))
    #expect(upper.count == 4)
    upper.remove(within: pages(0..<1 << 27))
    #expect(upper.count == 2)
  }
}
