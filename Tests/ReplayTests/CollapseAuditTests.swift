// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// Figures worked out by hand from the events that are told.
@Suite("Audit: collapse")
struct CollapseAuditTests {
  private static let khugepaged: Int32 = 42

  @Test("A collapse of 4 pages, one of them shared, with 508 holes; a fault of the mm in its window, and a fork")
  func window() throws {
    var tale = Tale(audits: [CollapseAudit.self])
    for index in 0..<3 { tale.touch(index, UInt64(10 + index)) }
    tale.fork(0..<8)
    // What is touched after the fork, or copied, is exclusive: page 0 stays shared.
    tale.copy(Tale.p, 100, 1, 21, took: 0)
    tale.copy(Tale.p, 100, 2, 22, took: 0)
    tale.touch(3, 13)
    tale.at(Tale.p, Self.khugepaged, .collapseBegan(PFN(13), missing: 508))
    tale.at(Tale.p, 101, .fault(tale.page(1), [.write, .present], .quiet))
    tale.at(Tale.p, 101, .protected(tale.range(600..<601), [.read]))
    tale.at(Tale.p, Self.khugepaged, .collapsed(into: PFN(1024), FolioOrder(9)))
    let audit = try tale.audit()
    #expect(audit["attempts"] == 1 && audit["succeeded"] == 1)
    #expect(audit["windows"] == 1 && audit["windows_with_change"] == 1)
    #expect(audit["sources_exclusive"] == 3 && audit["sources_shared"] == 1)
    #expect(audit["sources_none"] == 508 && audit["sources_swap"] == 0)
    #expect(audit["scans_checked"] == 1 && audit["scans_agree"] == 1)
    #expect(audit["window_ns"] == 3000)
  }

  @Test("An attempt that failed leaves everything as it was; its own faults are not in its window")
  func failed() throws {
    var tale = Tale(audits: [CollapseAudit.self])
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .collapseFailed(FolioOrder(9)))
    tale.at(Tale.p, 100, .collapseBegan(PFN(10), missing: 511))
    tale.touch(1, 11)
    tale.at(Tale.p, 100, .collapseFailed(FolioOrder(9)))
    let audit = try tale.audit()
    #expect(audit["attempts"] == 2 && audit["succeeded"] == 0)
    #expect(audit["windows"] == 1 && audit["windows_with_fault"] == 0)
    #expect(tale.frame(Tale.p, 0) == PFN(10))
  }

  @Test("Another thread's first touch comes into the window")
  func firstTouch() throws {
    var tale = Tale(audits: [CollapseAudit.self])
    tale.touch(0, 10)
    tale.at(Tale.p, Self.khugepaged, .collapseBegan(PFN(10), missing: 511))
    tale.touch(700, 11)
    tale.at(Tale.p, Self.khugepaged, .collapseFailed(FolioOrder(9)))
    #expect(try tale.audit()["windows_with_fault"] == 1)
  }

  @Test("A scan that counted other holes than the model has does not agree")
  func otherHoles() throws {
    var tale = Tale(audits: [CollapseAudit.self])
    tale.touch(0, 10)
    tale.at(Tale.p, Self.khugepaged, .collapseBegan(PFN(10), missing: 510))
    tale.at(Tale.p, Self.khugepaged, .collapsed(into: PFN(1024), FolioOrder(9)))
    let audit = try tale.audit()
    #expect(audit["scans_checked"] == 1 && audit["scans_agree"] == 0)
  }
}
