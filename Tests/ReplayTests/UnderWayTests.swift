// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// What a task is in the middle of while a snapshot is taken: the kernel shows what came of it, or what was before.
@Suite("Verify: half done while a snapshot is taken")
struct UnderWayTests {
  private static let collector: Int32 = 900

  /// A page that the kernel shows, exclusive.
  private static func shown(_ index: Int, _ pfn: UInt64, exclusive: Bool = true) -> ProcessSnapshot.Page {
    ProcessSnapshot.Page(
      page: Tale.first.advanced(by: index), pfn: PFN(pfn), exclusive: exclusive, isMappedOnce: exclusive)
  }

  /// A snapshot that shows these pages, and so many page tables below a PMD and a PUD.
  private static func snapshot(tables: UInt64, _ pages: [ProcessSnapshot.Page]) -> ProcessSnapshot {
    var snapshot = ProcessSnapshot(vmas: [], anonymous: pages)
    snapshot.pageTableBytes = (tables + 2) * 4096
    snapshot.populatedTables = Set(pages.map { $0.page.rawValue >> 9 })
    return snapshot
  }

  private func tale(_ snapshots: [ProcessSnapshot]) -> Tale {
    Tale(snapshots: Dictionary(uniqueKeysWithValues: snapshots.enumerated().map { (UInt32($0), $1) }))
  }

  private func look(_ tale: inout Tale, _ index: UInt32 = 0, at mm: MMID = Tale.p, during underWay: [UnderWay] = []) {
    tale.at(mm, Self.collector, .snapshotBegan(index))
    for what in underWay { tale.at(mm, Self.collector, .underWay(what)) }
    for what in underWay { tale.at(mm, Self.collector, .underWay(what)) }
    tale.at(mm, Self.collector, .snapshotEnded(index))
  }

  private func tally(_ agree: UInt64, _ disagree: UInt64, _ unknown: UInt64) -> Tally {
    var tally = Tally()
    (tally.agree, tally.disagree, tally.unknown) = (agree, disagree, unknown)
    return tally
  }

  private let underWay = UnknownCause.tablesUnderWay.rawValue

  // — faults

  @Test("The table of a fault under way is there or not: nobody is right. When the fault is through, it counts")
  func newTable() {
    for tables in [1, 2] as [UInt64] {
      let known = Self.shown(0, 10)
      var tale = tale([
        Self.snapshot(tables: tables, [known]), Self.snapshot(tables: 2, [known, Self.shown(600, 11)]),
      ])
      tale.touch(0, 10)
      look(&tale, 0, during: [.fault(tale.page(600), .write)])
      tale.touch(600, 11)
      look(&tale, 1)
      let verification = tale.result().verification
      #expect(verification.tables == tally(1, 0, 1) && verification.pages == tally(3, 0, 0))
      #expect(verification.unknownCauses.map(\.name) == [underWay])
    }
  }

  @Test("A fault whose page table is there makes none: the count is held to")
  func oldTable() {
    for (tables, agrees) in [(1, true), (2, false)] as [(UInt64, Bool)] {
      var tale = tale([Self.snapshot(tables: tables, [Self.shown(0, 10)])])
      tale.touch(0, 10)
      look(&tale, during: [.fault(tale.page(5), .write)])
      #expect(tale.result().verification.tables == (agrees ? tally(1, 0, 0) : tally(0, 1, 0)))
    }
  }

  /// The model has the zero page and its table from the fault's entry on.
  @Test("A read that was told at its entry may not have made its table yet; once it went on, it has")
  func toldAtEntry() {
    for isUnderWay in [true, false] {
      var tale = tale([Self.snapshot(tables: 1, [Self.shown(0, 10)])])
      tale.touch(0, 10)
      tale.at(Tale.p, 100, .fault(tale.page(600), [], .quiet))
      look(&tale, during: isUnderWay ? [.fault(tale.page(600), [])] : [])
      #expect(tale.result().verification.tables == (isUnderWay ? tally(0, 0, 1) : tally(0, 1, 0)))
    }
  }

  @Test("The page of a fault, and those that a large folio maps with it, may be there; not those of another table")
  func newPages() {
    let pages = [Self.shown(0, 10), Self.shown(16, 20), Self.shown(17, 21)]
    for (page, verdict) in [(16, tally(1, 0, 0)), (20, tally(1, 0, 0)), (600, tally(1, 2, 0))] {
      var tale = tale([Self.snapshot(tables: 1, pages)])
      tale.touch(0, 10)
      look(&tale, during: [.fault(tale.page(page), .write)])
      let verification = tale.result().verification
      #expect(verification.pages == verdict, "fault at \(page)")
      #expect(verification.notComparedCauses.map(\.count) == (page == 600 ? [] : [2]))
    }
  }

  @Test("What the model has around a fault is there, and as the model has it")
  func neighbours() {
    for (exclusive, frame, verdict) in [
      (true, 11, tally(1, 0, 0)), (false, 11, tally(0, 1, 0)), (true, 99, tally(0, 1, 0)),
    ] as [(Bool, UInt64, Tally)] {
      var tale = tale([Self.snapshot(tables: 1, [Self.shown(1, frame, exclusive: exclusive)])])
      tale.touch(1, 11)
      look(&tale, during: [.fault(tale.page(0), .write)])
      #expect(tale.result().verification.pages == verdict)
    }
    // And it does not go.
    var tale = tale([Self.snapshot(tables: 1, [])])
    tale.touch(1, 11)
    look(&tale, during: [.fault(tale.page(0), .write)])
    #expect(tale.result().verification.pages == tally(0, 1, 0))
  }

  @Test("A file's fault maps a file's pages around its own: what is anonymous there proves what it always does")
  func fileFault() {
    var tale = tale([Self.snapshot(tables: 1, [Self.shown(0, 10), Self.shown(1, 11)])])
    tale.at(Tale.p, 100, .vmaMapped(tale.range(0..<8), .privateFile, [.read, .write]))
    look(&tale, during: [.fault(tale.page(0), .write)])
    #expect(tale.result().verification.pages == tally(0, 1, 0))
  }

  @Test("A write to a present page keeps it or copies it: neither frame nor flag is held against the model")
  func writeProtect() {
    for (frame, exclusive) in [(10, false), (10, true), (20, true)] as [(UInt64, Bool)] {
      for isUnderWay in [true, false] {
        var tale = tale([Self.snapshot(tables: 1, [Self.shown(0, frame, exclusive: exclusive)])])
        tale.touch(0, 10)
        tale.fork(0..<8)
        look(&tale, during: isUnderWay ? [.fault(tale.page(0), [.write, .present])] : [])
        let pages = tale.result().verification.pages
        if isUnderWay {
          #expect(pages.checked == 0)
        } else {
          #expect(pages == (exclusive ? tally(0, 1, 0) : tally(1, 0, 0)))
        }
      }
    }
  }

  @Test("Any page of a huge one has the flag of the first, while one PMD maps them")
  func hugePage() {
    for (isHuge, faults) in [(true, true), (true, false), (false, true)] {
      let head = ProcessSnapshot.Page(
        page: Tale.first, pfn: PFN(512), exclusive: false, isMappedOnce: true, isLarge: isHuge)
      var tale = tale([Self.snapshot(tables: 1, [head])])
      tale.at(
        Tale.p, 100,
        .fault(tale.page(0), .write, .anonymous(PFN(512), isHuge ? FolioOrder(9) : .base, replaced: false)))
      tale.at(Tale.p, Self.collector, .snapshotBegan(0))
      // Shared in between, and kept.
      tale.fork(0..<512)
      tale.at(Tale.q, 200, .mmTeardownBegan)
      tale.at(Tale.q, 200, .mmExited)
      tale.at(Tale.p, Self.collector, .snapshotEnded(0))
      tale.at(Tale.p, Self.collector, .snapshotBegan(0))
      if faults { tale.at(Tale.p, 100, .fault(tale.page(1), [.write, .present], .quiet)) }
      tale.at(Tale.p, Self.collector, .snapshotEnded(0))
      let pages = tale.result().verification.pages
      // The other one's flag is its own: clear since the fork.
      #expect(pages == (isHuge && faults ? tally(0, 0, 0) : tally(1, 0, 0)), "huge \(isHuge), faults \(faults)")
    }
  }

  @Test("After a loss nothing is known of the mm, a fault whose end was lost least of all")
  func lostFault() {
    var tale = tale([Self.snapshot(tables: 2, [Self.shown(0, 10), Self.shown(600, 11)])])
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .fault(tale.page(600), .write, .lost))
    tale.at(Tale.p, 100, .lost(CPU(0), count: 3))
    look(&tale)
    let verification = tale.result().verification
    #expect(verification.tables == tally(0, 0, 1) && verification.pages.disagree == 0)
    #expect(tale.frame(Tale.p, 600) == PFN(11))
  }

  // — calls

  @Test("A call that fills a range: pages come before they are told, tables before pages")
  func filling() {
    for isUnderWay in [true, false] {
      var tale = tale([Self.snapshot(tables: 2, [Self.shown(0, 10), Self.shown(600, 11)])])
      tale.touch(0, 10)
      look(&tale, during: isUnderWay ? [.call(tale.range(600..<700))] : [])
      let verification = tale.result().verification
      #expect(verification.pages == (isUnderWay ? tally(1, 0, 0) : tally(1, 1, 0)))
      #expect(verification.tables == tally(0, 0, 1))
      #expect(
        verification.unknownCauses.map(\.name) == [(isUnderWay ? .tablesUnderWay : UnknownCause.placeNotSeen).rawValue])
    }
  }

  @Test("A call whose range has all its tables makes none")
  func fillingKnownTable() {
    var tale = tale([Self.snapshot(tables: 2, [Self.shown(0, 10)])])
    tale.touch(0, 10)
    look(&tale, during: [.call(tale.range(100..<200))])
    #expect(tale.result().verification.tables == tally(0, 1, 0))
  }

  @Test("Of a range too large to look through the tables are unknown")
  func fillingEverything() {
    var tale = tale([Self.snapshot(tables: 1, [Self.shown(0, 10)])])
    tale.touch(0, 10)
    look(&tale, during: [.call(PageRange.everything)])
    #expect(tale.result().verification.tables == tally(0, 0, 1))
  }

  /// The VMA is gone from the tree, the entries go under mmap_lock for reading.
  @Test("What brk takes away may be mapped yet, with its table; afterwards both are gone")
  func shrinking() {
    let left = Self.shown(0, 10)
    var tale = tale([
      Self.snapshot(tables: 2, [left, Self.shown(600, 11)]), Self.snapshot(tables: 1, [left]),
    ])
    tale.touch(0, 10)
    tale.touch(600, 11)
    tale.at(Tale.p, 100, .unmapped(tale.range(512..<1024)))
    look(&tale, 0, during: [.call(tale.range(512..<1024))])
    look(&tale, 1)
    let verification = tale.result().verification
    #expect(verification.tables == tally(1, 0, 1) && verification.pages == tally(2, 0, 0))
  }

  @Test("mremap: at the source nothing is compared, at the destination nothing that has come, and no table")
  func moving() {
    for isAtDestination in [true, false] {
      var tale = tale([Self.snapshot(tables: 1, [Self.shown(isAtDestination ? 600 : 0, 10)])])
      tale.touch(0, 10)
      tale.at(Tale.p, 100, .removalBegan(tale.range(0..<8)))
      look(&tale, during: [.call(tale.range(600..<608))])
      let verification = tale.result().verification
      #expect(verification.pages.checked == 0 && verification.tables.checked == 0)
    }
  }

  // — fork, collapse, execve

  @Test("fork under way: the parent's tables are what they were, its flags are not told; of the child nothing is known")
  func forking() {
    var tale = tale([
      Self.snapshot(tables: 1, [Self.shown(0, 10)]), Self.snapshot(tables: 1, [Self.shown(0, 10, exclusive: false)]),
    ])
    tale.touch(0, 10)
    tale.at(Tale.q, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: Tale.q))
    tale.at(Tale.p, 100, .forkCopied(child: Tale.q, tale.range(0..<8)))
    look(&tale, 0)
    look(&tale, 1, at: Tale.q)
    let verification = tale.result().verification
    #expect(verification.tables == tally(1, 0, 0) && verification.pages.checked == 0)
  }

  @Test("A collapse tells when it is over: meanwhile its pages are where they were, or in the huge one")
  func collapsing() {
    let huge = ProcessSnapshot.Page(
      page: Tale.first, pfn: PFN(1024), exclusive: true, isMappedOnce: true, isLarge: true)
    for beganBefore in [true, false] {
      var tale = tale([Self.snapshot(tables: 1, [huge])])
      tale.touch(0, 10)
      if beganBefore { tale.at(Tale.p, 37, .collapseBegan(PFN(10), missing: 511)) }
      tale.at(Tale.p, Self.collector, .snapshotBegan(0))
      if !beganBefore { tale.at(Tale.p, 37, .collapseBegan(PFN(10), missing: 511)) }
      tale.at(Tale.p, Self.collector, .snapshotEnded(0))
      let verification = tale.result().verification
      #expect(verification.pages.checked == 0 && verification.tables == tally(1, 0, 0))
    }
  }

  @Test("The arguments of a new program are there before the stack has its place")
  func execve() {
    let argument = Self.shown(900, 30)
    var tale = tale([Self.snapshot(tables: 1, [argument]), Self.snapshot(tables: 1, [argument])])
    tale.at(Tale.q, 200, .mmCreated(.exec))
    tale.at(Tale.q, 200, .argumentPage(PFN(30)))
    look(&tale, 0, at: Tale.q)
    tale.at(Tale.q, 200, .stackPlaced(end: tale.page(901)))
    look(&tale, 1, at: Tale.q)
    let verification = tale.result().verification
    #expect(verification.tables == tally(1, 0, 1) && verification.pages == tally(1, 0, 0))
  }
}
