// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// Figures worked out by hand from the events that are told.
@Suite("Audit: pins")
struct PinsAuditTests {
  /// P forks Q, which copies of what the counters say, each after so many pages, a pinned one at once.
  private func fork(_ tale: inout Tale, copies: [(pages: UInt64, pfn: UInt64)]) {
    tale.at(Tale.q, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: Tale.q))
    tale.at(Tale.p, 100, .forkCopied(child: Tale.q, tale.range(0..<8)))
    for copy in copies {
      tale.at(Tale.p, 100, .forkCounted(child: Tale.q, .anonymous, pages: copy.pages))
      tale.at(Tale.p, 100, .forkCopiedPinned(child: Tale.q, PFN(copy.pfn)))
    }
    tale.at(Tale.p, 100, .forkEnded(child: Tale.q))
  }

  @Test("fork during a read copies two of its pages at once; they are exclusive when the call is back")
  func forkDuringRead() throws {
    var tale = Tale(audits: [PinsAudit.self])
    for index in 0..<4 { tale.touch(index, 10 + UInt64(index)) }
    tale.at(Tale.p, 101, .directIOBegan(tale.range(1..<3), write: true))
    fork(&tale, copies: [(1, 20), (2, 21)])
    tale.at(Tale.p, 101, .directIOEnded)
    let audit = try tale.audit()
    #expect(audit["calls"] == 1 && audit["pins"] == 2 && audit["pages"] == 2)
    #expect(audit["forks_while_pinned"] == 1 && audit["copied_at_fork"] == 2 && audit["unshares"] == 0)
    #expect(audit["unpin_checks"] == 2 && audit["still_exclusive_at_unpin"] == 2)
    #expect(audit.examples.map(\.mm) == [Tale.p])
  }

  @Test("A call that is over before the fork, and one that pinned nothing that showed, are calls only")
  func nothingShown() throws {
    var tale = Tale(audits: [PinsAudit.self])
    tale.touch(0, 10)
    tale.at(Tale.p, 101, .directIOBegan(tale.range(0..<1), write: true))
    tale.at(Tale.p, 101, .directIOEnded)
    tale.at(Tale.p, 101, .directIOBegan(tale.range(0..<1), write: true))
    fork(&tale, copies: [])
    let audit = try tale.audit()
    #expect(audit.figures.filter { $0.count > 0 } == [NamedCount(name: "calls", count: 2)])
  }

  @Test("A pin of nobody's, which only fork shows; and a page copied at once of which the place stays open")
  func shownByFork() throws {
    var tale = Tale(audits: [PinsAudit.self])
    tale.touch(0, 10)
    fork(&tale, copies: [(0, 20)])
    var audit = try tale.audit()
    #expect(audit["calls"] == 0 && audit["pins"] == 1 && audit["copied_at_fork"] == 1)
    #expect(audit["forks_while_pinned"] == 1 && audit["unpin_checks"] == 1 && audit["still_exclusive_at_unpin"] == 1)
    tale = Tale(audits: [PinsAudit.self])
    tale.touch(0, 10)
    fork(&tale, copies: [(9, 20)])
    audit = try tale.audit()
    #expect(audit["pins"] == 0 && audit["copied_at_fork"] == 1 && audit["forks_while_pinned"] == 1)
  }

  @Test("The same page is unshared for a write of the file, then pinned again: two pins of one page")
  func unshared() throws {
    var tale = Tale(audits: [PinsAudit.self])
    tale.touch(1, 11)
    tale.fork(0..<8)
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1..<2), write: false))
    tale.at(Tale.p, 100, .populated(tale.range(1..<2), .copied(PFN(30), sinceDecision: 0)))
    tale.at(Tale.p, 100, .directIOEnded)
    tale.at(Tale.p, 100, .advised(tale.range(1..<2), .dontNeed))
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1..<2), write: true))
    tale.at(Tale.p, 100, .populated(tale.range(1..<2), .anonymous(PFN(31), .base, replaced: false)))
    tale.at(Tale.p, 100, .directIOEnded)
    let audit = try tale.audit()
    #expect(audit["calls"] == 2 && audit["pins"] == 2 && audit["pages"] == 1 && audit["unshares"] == 1)
    #expect(audit["unpin_checks"] == 2 && audit["still_exclusive_at_unpin"] == 2)
    #expect(audit["forks_while_pinned"] == 0 && audit.examples.map(\.page) == [tale.page(1)])
  }

  @Test("A debugger's write is told; the mm's own faults are not")
  func remote() throws {
    var tale = Tale(audits: [PinsAudit.self])
    tale.touch(0, 10)
    tale.fork(0..<8)
    tale.at(Tale.p, 300, .fault(tale.page(0), [.write, .present, .remote], .copied(PFN(12), sinceDecision: 0)))
    tale.at(Tale.q, 200, .fault(tale.page(0), [.write, .present], .quiet))
    #expect(try tale.audit()["remote_writes"] == 1)
  }

  @Test("A page that lost its flag while it was pinned does not pass")
  func lostFlag() {
    var story = Story.written()
    story.pin(Story.p, 0, write: true)
    story.lockstep.baseline.memory.setPageBit(story.folio(Story.p, 0), 0, false)
    var audit = PinsAudit(story.lockstep.baseline.facts)
    let step = Operation.unpin(Story.p, story.page(0))
    let record = MMEventRecord(
      sequence: Sequence(1), time: Timestamp(nanoseconds: 0), cpu: CPU(0), task: TaskID(100), mm: Story.p,
      event: .directIOEnded)
    audit.before(step, story.lockstep.baseline, story.lockstep.doubts, record)
    audit.after(step, story.apply(step), story.lockstep.baseline, record)
    let figures = audit.figures(pageShift: 12)
    #expect(figures["unpin_checks"] == 1 && figures["still_exclusive_at_unpin"] == 0)
    #expect(audit.examples(pageShift: 12).map(\.page) == [story.page(0)])
  }
}
