// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// Figures worked out by hand: folios of 16 pages, of which `x(j)` is the flag of page j. The right decision for the
/// i-th entry of a batch that begins at page k is x(k + i), the wrong one x(i).
@Suite("Audit: mprotect")
struct MprotectAuditTests {
  /// P has folio `number` at pages 16 * number on, written.
  private func touchFolio(_ tale: inout Tale, _ number: Int) {
    let page = tale.page(16 * number)
    tale.at(
      Tale.p, 100, .fault(page, .write, .anonymous(PFN(1024 + 16 * UInt64(number)), FolioOrder(4), replaced: false)))
  }

  /// P forks Q, which gets what `pages` names and not what MADV_DONTFORK keeps from it.
  private func fork(_ tale: inout Tale, _ pages: [Range<Int>]) {
    tale.at(Tale.q, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: Tale.q))
    for part in pages { tale.at(Tale.p, 100, .forkCopied(child: Tale.q, tale.range(part))) }
    tale.at(Tale.p, 100, .forkEnded(child: Tale.q))
  }

  /// P takes write from the pages and gives it back.
  private func toggle(_ tale: inout Tale, _ pages: Range<Int>) {
    tale.at(Tale.p, 100, .protected(tale.range(pages), .read))
    tale.at(Tale.p, 100, .protected(tale.range(pages), [.read, .write]))
  }

  @Test("Nobody shares; the first half is not shared; the second half is not; one page of the second half")
  func worked() throws {
    var tale = Tale(audits: [MprotectAudit.self])
    for number in 0..<4 { touchFolio(&tale, number) }
    // k 4, n 4, all flags set: the same decision.
    toggle(&tale, 4..<8)
    for part in [16..<24, 40..<48, 48..<56] { tale.at(Tale.p, 100, .advised(tale.range(part), .dontFork)) }
    fork(&tale, [0..<16, 24..<40, 56..<64])
    // k 8, n 8, x(0..7) set, x(8..15) clear, and Q sees them.
    toggle(&tale, 24..<32)
    // k 8, n 8, x(0..7) clear, x(8..15) set.
    toggle(&tale, 40..<48)
    // k 8, n 1: no batch is needed to go wrong.
    toggle(&tale, 56..<57)
    let audit = try tale.audit()
    #expect(audit["calls"] == 4 && audit["calls_hit"] == 3)
    #expect(audit["ptes"] == 4 + 8 + 8 + 1)
    #expect(audit["batches"] == 4 && audit["batches_inside_folio"] == 4 && audit["sub_batches"] == 4)
    #expect(audit["bug_unsafe"] == 9 && audit["bug_cons_fault"] == 8)
    #expect(audit["bug_i1_break"] == 0 && audit["unknown"] == 0)
    #expect(audit.examples.map(\.page) == [tale.page(24), tale.page(40)])
  }

  @Test("Pages that nobody maps keep the flag they had; a batch from the first page on is never wrong")
  func staleAndWhole() throws {
    var tale = Tale(audits: [MprotectAudit.self])
    touchFolio(&tale, 0)
    touchFolio(&tale, 1)
    tale.at(Tale.p, 100, .advised(tale.range(0..<8), .dontNeed))
    fork(&tale, [0..<1024])
    toggle(&tale, 8..<16)
    toggle(&tale, 16..<32)
    let audit = try tale.audit()
    #expect(audit["bug_unsafe"] == 8 && audit["bug_cons_fault"] == 0 && audit["calls_hit"] == 1)
    #expect(audit["batches"] == 2 && audit["batches_inside_folio"] == 1 && audit["ptes"] == 24)
  }

  @Test(
    "The child is gone and one page was reused: its flag alone is set, and a page that nobody sees becomes writable")
  func reusedHead() throws {
    var tale = Tale(audits: [MprotectAudit.self])
    touchFolio(&tale, 0)
    fork(&tale, [0..<1024])
    tale.at(Tale.q, 200, .mmTeardownBegan)
    tale.at(Tale.q, 200, .mmExited)
    tale.at(Tale.p, 100, .fault(tale.page(0), [.write, .present], .quiet))
    toggle(&tale, 4..<8)
    let audit = try tale.audit()
    #expect(audit["bug_i1_break"] == 1 && audit["bug_unsafe"] == 0 && audit["bug_cons_fault"] == 0)
    #expect(audit.examples.map(\.page) == [tale.page(4)])
  }

  @Test("Four pages are not shared and the rest is asked for by their flags: the wrong runs are others")
  func shiftedRuns() throws {
    var tale = Tale(audits: [MprotectAudit.self])
    touchFolio(&tale, 0)
    tale.at(Tale.p, 100, .advised(tale.range(0..<4), .dontFork))
    fork(&tale, [4..<1024])
    toggle(&tale, 4..<16)
    let audit = try tale.audit()
    #expect(audit["ptes"] == 12 && audit["batches"] == 1 && audit["sub_batches"] == 1)
    #expect(audit["bug_unsafe"] == 4 && audit["bug_cons_fault"] == 0)
  }

  @Test("Entries that differ in write are batches of their own; flags that differ are runs of one batch")
  func runs() throws {
    var tale = Tale(audits: [MprotectAudit.self])
    touchFolio(&tale, 0)
    tale.at(Tale.p, 100, .advised(tale.range(0..<8), .dontFork))
    fork(&tale, [8..<1024])
    tale.at(Tale.p, 100, .advised(tale.range(0..<8), .doFork))
    // W on 0..7, not on 8..15.
    tale.at(Tale.p, 100, .protected(tale.range(0..<16), [.read, .write, .execute]))
    // None is writable: one batch, two runs.
    toggle(&tale, 0..<16)
    let audit = try tale.audit()
    #expect(audit["calls"] == 2 && audit["batches"] == 3 && audit["sub_batches"] == 4)
    // x(0..7), set, for 8..15; then the batch begins at page 0.
    #expect(audit["bug_unsafe"] == 8 && audit["batches_inside_folio"] == 1)
  }

  @Test("Small folios, a whole PMD and a protection without write count no entries; a PMD in part is split first")
  func notBatches() throws {
    var tale = Tale(audits: [MprotectAudit.self])
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .anonymous(PFN(512), FolioOrder(9), replaced: false)))
    tale.touch(600, 10)
    toggle(&tale, 512..<1024)
    toggle(&tale, 0..<512)
    tale.at(Tale.p, 100, .protected(tale.range(256..<512), .read))
    var audit = try tale.audit()
    #expect(audit["calls"] == 2 && audit["ptes"] == 0)
    tale.at(Tale.p, 100, .protected(tale.range(256..<512), [.read, .write]))
    audit = try tale.audit()
    #expect(audit["batches_inside_folio"] == 1 && audit["ptes"] == 256 && audit["sub_batches"] == 1)
    #expect(audit["calls_hit"] == 0)
  }

  @Test("What is in doubt is counted as unknown and nowhere else")
  func inDoubt() throws {
    var tale = Tale(audits: [MprotectAudit.self])
    touchFolio(&tale, 0)
    tale.at(Tale.p, 100, .advised(tale.range(0..<8), .dontFork))
    fork(&tale, [8..<1024])
    tale.at(Tale.p, 300, .unfollowed(.remoteAccess, tale.range(12..<16)))
    toggle(&tale, 8..<16)
    let audit = try tale.audit()
    #expect(audit["bug_unsafe"] == 4 && audit["unknown"] == 4)
  }

  // — what no trace tells

  /// The steps as an audit of a replay sees them.
  private func audit(_ story: inout Story, _ steps: [Operation]) -> [String: UInt64] {
    var audit = MprotectAudit(story.lockstep.baseline.facts)
    for (index, step) in steps.enumerated() {
      let record = MMEventRecord(
        sequence: Sequence(UInt64(index)), time: Timestamp(nanoseconds: 0), cpu: CPU(0), task: TaskID(100),
        mm: Story.p, event: .removalEnded)
      audit.before(step, story.lockstep.baseline, story.lockstep.doubts, record)
      story.apply(step)
    }
    return audit.figures(pageShift: 12)
  }

  @Test("A userfaultfd resolves its write protection, on kernels with and without batches", arguments: KernelFacts.all)
  func userfault(facts: KernelFacts) {
    var story = Story.large(4, facts: facts)
    story.fork(Story.p, Story.q, 8..<16)
    let range = story.range(8..<16)
    let figures = audit(
      &story, [.uffdWriteProtect(Story.p, range, story.vma), .uffdResolve(Story.p, range, story.vma)])
    #expect(figures["calls"] == 1 && figures["ptes"] == 8 && figures["bug_unsafe"] == 8)
  }

  @Test("An entry that soft-dirty tracking or uffd-wp keeps read-only is not asked for its flag")
  func filtered() {
    var tracked = Story.large(4)
    tracked.apply(.clearSoftDirty(Story.p, tracked.range(0..<16)))
    tracked.vma.flags = .softDirtyTracked
    let steps = { (story: Story) in
      var readOnly = story.vma
      readOnly.protection = .read
      return [
        Operation.protect(Story.p, story.range(4..<8), readOnly), .protect(Story.p, story.range(4..<8), story.vma),
      ]
    }
    var figures = audit(&tracked, steps(tracked))
    #expect(figures["calls"] == 1 && figures["ptes"] == 0)
    var protected = Story.large(4)
    protected.apply(.uffdWriteProtect(Story.p, protected.range(0..<16), protected.vma))
    figures = audit(&protected, steps(protected))
    #expect(figures["calls"] == 1 && figures["ptes"] == 0)
  }
}
