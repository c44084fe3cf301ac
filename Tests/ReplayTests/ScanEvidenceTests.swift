// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// What a scan for a huge page counts, against the model's range: P touches pages 0 to 99 but 7, and reads 100.
@Suite("Scans for huge pages are evidence")
struct ScanEvidenceTests {
  private static let khugepaged: Int32 = 42
  /// Nothing from 101 on, the zero page at 100, nothing at 7.
  private static let holes = 512 - 99

  private func touched(_ facts: KernelFacts = .v6_18) -> Tale {
    var tale = Tale(facts: facts)
    for index in 0..<100 where index != 7 { tale.touch(index, UInt64(1000 + index)) }
    tale.at(Tale.p, 100, .fault(tale.page(100), [], .quiet))
    // What was done long ago does not race with a scan.
    tale.at(Tale.p, 100, .protected(tale.range(600..<601), [.read, .write]), time: 1_000_000_000)
    return tale
  }

  private func scan(
    _ tale: inout Tale, last: UInt64?, missing: Int, unmapped: Int = 0, referenced: Int = 0,
    _ status: CollapseScan.Status = .failed, isKhugepaged: Bool = false
  ) {
    tale.at(
      Tale.p, Self.khugepaged,
      .scanned(
        CollapseScan(
          frame: last.map { PFN($0) }, missing: UInt16(missing), unmapped: UInt16(unmapped),
          referenced: UInt16(referenced), status: status, isKhugepaged: isKhugepaged)))
  }

  private func tally(_ tale: inout Tale) -> [UInt64] {
    let scans = tale.result().verification.scans
    return [scans.agree, scans.disagree, scans.unknown]
  }

  @Test(
    "A scan ends where it says, and counts what lies before",
    arguments: [
      // Up to page 50: one hole. A page that is there may end it for any reason.
      (last: UInt64(1050), missing: 1, status: .failed, agrees: true),
      (last: 1050, missing: 2, status: .failed, agrees: false),
      // The second hole is 100, after page 99.
      (last: 1099, missing: 2, status: .exceededNone, agrees: true),
      (last: 1050, missing: 1, status: .exceededNone, agrees: false),
      (last: 1006, missing: 1, status: .exceededNone, agrees: true),
      // The whole range.
      (last: 1099, missing: holes, status: .succeeded, agrees: true),
      (last: 1099, missing: holes - 1, status: .succeeded, agrees: false),
    ] as [(last: UInt64, missing: Int, status: CollapseScan.Status, agrees: Bool)])
  func ends(last: UInt64, missing: Int, status: CollapseScan.Status, agrees: Bool) {
    var tale = touched()
    scan(&tale, last: last, missing: missing, status)
    #expect(tally(&tale) == (agrees ? [1, 0, 0] : [0, 1, 0]))
  }

  @Test("MADV_COLLAPSE counts no referenced page, khugepaged at most those that are there")
  func referenced() {
    for (referenced, isKhugepaged, agrees) in [
      (0, false, true), (1, false, false), (99, true, true), (100, true, false),
    ] {
      var tale = touched()
      scan(
        &tale, last: 1099, missing: Self.holes, referenced: referenced, .succeeded, isKhugepaged: isKhugepaged)
      #expect(tally(&tale) == (agrees ? [1, 0, 0] : [0, 1, 0]))
    }
  }

  @Test("After a collapse what was there before it counts", arguments: [true, false])
  func collapsed(isRight: Bool) {
    var tale = touched()
    tale.at(Tale.p, Self.khugepaged, .collapseBegan(PFN(1099), missing: UInt16(Self.holes)))
    tale.at(Tale.p, Self.khugepaged, .freed(PFN(1099), .base))
    tale.at(Tale.p, Self.khugepaged, .collapsed(into: PFN(4096), FolioOrder(9)))
    // The isolation counted the same: nobody came in between.
    scan(&tale, last: 1099, missing: Self.holes, unmapped: isRight ? 0 : 1, .succeeded)
    #expect(tally(&tale) == (isRight ? [1, 0, 0] : [0, 1, 0]))
  }

  @Test("A page swapped out is not present")
  func swapped() {
    var tale = touched()
    tale.at(Tale.p, 9, .swappedOut(pages: 1))
    tale.at(Tale.p, 9, .swapWritten(PFN(1020)))
    scan(&tale, last: 1050, missing: 1, unmapped: 1)
    scan(&tale, last: 1019, missing: 1, unmapped: 1, .exceededSwap)
    #expect(tally(&tale) == [2, 0, 0])
    // Another went, and which one is not told.
    tale.at(Tale.p, 9, .swappedOut(pages: 1))
    scan(&tale, last: 1050, missing: 1, unmapped: 2)
    #expect(tally(&tale) == [2, 0, 1])
  }

  @Test("What comes while a scan looks, what came unseen, and what the model does not know is unknown")
  func unknown() {
    var raced = touched()
    raced.at(Tale.p, 100, .fault(raced.page(7), .write, .anonymous(PFN(2007), .base, replaced: false)))
    scan(&raced, last: 1050, missing: 1)
    #expect(tally(&raced) == [0, 0, 1])
    var placeless = touched()
    placeless.at(Tale.p, 100, .appeared(PFN(3000), .base))
    scan(&placeless, last: 1050, missing: 1)
    #expect(tally(&placeless) == [0, 0, 1])
    var strange = touched()
    scan(&strange, last: 9999, missing: 1)
    #expect(tally(&strange) == [0, 0, 1])
    #expect(strange.result().verification.unknownCauses.map(\.name) == [UnknownCause.entryNotSeen.rawValue])
  }

  @Test("A scan that came to no page is none")
  func noPage() {
    var tale = touched()
    scan(&tale, last: nil, missing: 512)
    #expect(tally(&tale) == [0, 0, 0])
    #expect(
      tale.result().verification.notComparedCauses
        == [NamedCount(name: NotComparedCause.scanWithoutPage.rawValue, count: 1)])
  }
}
