// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// Figures worked out by hand from the events that are told. Page 0 of a tale begins a page table.
@Suite("Audit: tables")
struct TablesAuditTests {
  private func tale() -> Tale { Tale(audits: [TablesAudit.self]) }

  @Test("Emptied in halves and kept, emptied whole and freed; filled again soon, and late")
  func policies() throws {
    var tale = tale()
    tale.touch(0, 10)
    tale.touch(511, 11)
    tale.touch(512, 12)
    tale.at(Tale.p, 100, .advised(tale.range(0..<256), .dontNeed))
    tale.at(Tale.p, 100, .advised(tale.range(256..<512), .dontNeed))
    tale.at(Tale.p, 100, .advised(tale.range(512..<1024), .dontNeed))
    tale.touch(3, 20)
    tale.at(Tale.p, 100, .removalEnded, time: 2_000_000_000)
    tale.touch(600, 21)
    let audit = try tale.audit()
    #expect(audit["tables_peak"] == 2 && audit["empty_peak"] == 1 && audit["uncounted_peak"] == 0)
    // A PMD and a PUD table above the two.
    #expect(audit["bytes_peak"] == 4 * 4096)
    #expect(audit["emptied"] == 2 && audit["freed_upstream"] == 1 && audit["freed_any_range"] == 2)
    #expect(audit["refilled_1s"] == 1 && audit["refilled"] == 2)
    #expect(audit["refilled_100ms"] == 1 && audit["refilled_10s"] == 2 && audit["emptied_dontneed"] == 2)
    // The second was freed at once: nothing was held.
    #expect(audit["empty_100ms"] == 1 && audit["empty_1s"] + audit["empty_10s"] + audit["empty_longer"] == 0)
    #expect(audit["scan_1s_freed"] == 0 && audit["scan_10s_freed"] == 0)
    #expect(audit.examples.map(\.page) == [nil, tale.page(0), tale.page(512), nil])
    #expect(audit.examples.last?.text == "mm0 (pid 100): 2 tables at most, 1 empty at most")
  }

  @Test("Empty for seconds: one is filled again, one goes with its VMA; what scans would have found")
  func held() throws {
    var tale = tale()
    tale.touch(0, 10)
    tale.touch(512, 11)
    tale.at(Tale.p, 100, .advised(tale.range(0..<8), .dontNeed), time: 500_000_000)
    // 3 s later, after three full seconds.
    tale.at(Tale.p, 100, .removalEnded, time: 3_500_000_000)
    tale.touch(0, 12)
    tale.at(Tale.p, 100, .unmapped(tale.range(512..<520)))
    // 8.5 s later, over the tenth second.
    tale.at(Tale.p, 100, .unmapped(tale.range(520..<1024)), time: 12_000_000_000)
    let audit = try tale.audit()
    #expect(audit["emptied"] == 2 && audit["emptied_dontneed"] == 1 && audit["emptied_munmap"] == 1)
    #expect(audit["empty_10s"] == 2 && audit["empty_100ms"] + audit["empty_1s"] + audit["empty_longer"] == 0)
    #expect(audit["scan_1s_freed"] == 2 && audit["scan_1s_rebuilt"] == 1)
    #expect(audit["scan_10s_freed"] == 1 && audit["scan_10s_rebuilt"] == 0)
    #expect(audit["refilled"] == 1 && audit["refilled_1s"] == 0 && audit["refilled_10s"] == 1)
  }

  @Test("What is empty at the end counts up to there")
  func unended() throws {
    var tale = tale()
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .advised(tale.range(0..<8), .dontNeed), time: 500_000_000)
    tale.touch(512, 11)
    let audit = try tale.audit()
    #expect(audit["empty_100ms"] == 1 && audit["refilled"] == 0)
  }

  @Test("An empty table that a later call covers whole is freed then, and was emptied once")
  func freedLater() throws {
    var tale = tale()
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .advised(tale.range(0..<8), .dontNeed))
    tale.at(Tale.p, 100, .advised(tale.range(0..<512), .dontNeed))
    let audit = try tale.audit()
    #expect(audit["emptied"] == 1 && audit["freed_upstream"] == 1 && audit["freed_any_range"] == 1)
  }

  @Test("Before PT_RECLAIM the table stays")
  func notReclaimed() throws {
    var tale = Tale(facts: .v6_12, audits: [TablesAudit.self])
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .advised(tale.range(0..<512), .dontNeed))
    let audit = try tale.audit()
    #expect(audit["emptied"] == 1 && audit["empty_peak"] == 1)
    #expect(audit["freed_upstream"] == 0 && audit["freed_any_range"] == 1)
  }

  @Test("munmap of a part empties a table that another VMA keeps; the last VMA takes it along, and that is not counted")
  func munmap() throws {
    var tale = tale()
    tale.touch(0, 10)
    tale.touch(512, 11)
    tale.at(Tale.p, 100, .unmapped(tale.range(0..<256)))
    var audit = try tale.audit()
    #expect(audit["emptied"] == 1 && audit["freed_any_range"] == 1 && audit["freed_upstream"] == 0)
    tale.at(Tale.p, 100, .unmapped(tale.range(256..<1024)))
    // What is mapped there now is something else.
    tale.at(Tale.p, 100, .vmaMapped(tale.range(0..<1024), .anonymous, [.read, .write]))
    tale.touch(0, 12)
    audit = try tale.audit()
    #expect(audit["emptied"] == 1 && audit["refilled"] == 0 && audit["tables_peak"] == 2 && audit["empty_peak"] == 1)
  }

  @Test("mremap that keeps the source leaves its table empty; one that does not takes it away")
  func mremap() throws {
    for keepsSource in [true, false] {
      var tale = tale()
      tale.at(Tale.p, 100, .unmapped(tale.range(8..<1024)))
      tale.touch(0, 10)
      tale.at(
        Tale.p, 100, .moved(source: tale.range(0..<8), destination: tale.page(4096 + 5), keepsSource: keepsSource))
      let audit = try tale.audit()
      #expect(audit["emptied"] == (keepsSource ? 1 : 0) && audit["empty_peak"] == (keepsSource ? 1 : 0))
      #expect(audit["freed_any_range"] == 0 && audit["tables_peak"] == (keepsSource ? 2 : 1))
    }
  }

  @Test("The table below a huge page goes with it: nothing was emptied")
  func huge() throws {
    var tale = tale()
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .anonymous(PFN(512), FolioOrder(9), replaced: false)))
    tale.at(Tale.p, 100, .advised(tale.range(0..<512), .dontNeed))
    let audit = try tale.audit()
    #expect(audit["tables_peak"] == 1 && audit["emptied"] == 0 && audit["freed_upstream"] == 0)
  }

  @Test("Guard markers fill a table through MADV_DONTNEED; their removal empties it")
  func guards() throws {
    var tale = tale()
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .advised(tale.range(1..<2), .guardInstall))
    tale.at(Tale.p, 100, .advised(tale.range(0..<512), .dontNeed))
    #expect(try tale.audit()["emptied"] == 0 && tale.kind(Tale.p, 1) == .markerGuard)
    tale.at(Tale.p, 100, .advised(tale.range(0..<512), .guardRemove))
    let audit = try tale.audit()
    #expect(audit["emptied"] == 1 && audit["empty_peak"] == 1)
    #expect(audit["freed_upstream"] == 0 && audit["freed_any_range"] == 0)
  }

  @Test(
    "What else a table with a file's pages maps is not known, until all of it was zapped", arguments: [true, false])
  func files(isShared: Bool) throws {
    var tale = tale()
    tale.at(Tale.p, 100, .vmaMapped(tale.range(0..<1024), isShared ? .shared : .privateFile, [.read, .write]))
    tale.at(Tale.p, 100, .fault(tale.page(3), [], .file(pages: 16)))
    tale.at(Tale.p, 100, .advised(tale.range(0..<256), .dontNeed))
    tale.at(Tale.p, 100, .advised(tale.range(256..<512), .dontNeed))
    var audit = try tale.audit()
    #expect(audit["tables_peak"] == 1 && audit["uncounted_peak"] == 1)
    #expect(audit["empty_peak"] == 0 && audit["emptied"] == 0)
    tale.at(Tale.p, 100, .advised(tale.range(0..<512), .dontNeed))
    audit = try tale.audit()
    #expect(audit["emptied"] == 1 && audit["freed_upstream"] == 1 && audit["empty_peak"] == 0)
  }
}
