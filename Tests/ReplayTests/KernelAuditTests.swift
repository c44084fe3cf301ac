// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// Figures worked out by hand from the events that are told. P has two pages, which it shares with Q; it writes them to a
/// file with `O_DIRECT`, which gives it copies that are clean, and shares those with R.
@Suite("Audit: kernel")
struct KernelAuditTests {
  private static let r = MMID(2)
  /// Q's child in some tales.
  private static let s = MMID(3)

  /// Up to the fork of R. `seen`: the copies have a place in the trace; otherwise they came at an unknown address.
  private func shared(seen: Bool = true) -> Tale {
    var tale = Tale(facts: .v6_18, audits: [KernelAudit.self])
    for index in 0..<2 { tale.touch(index, UInt64(10 + index)) }
    tale.fork(0..<8)
    if seen { tale.at(Tale.p, 100, .directIOBegan(tale.range(0..<2), write: false)) }
    for index in 0..<2 where seen {
      tale.at(Tale.p, 100, .populated(tale.range(0..<2), .copied(PFN(UInt64(20 + index)), sinceDecision: 0)))
    }
    for index in 0..<2 where !seen { tale.at(Tale.p, 100, .appeared(PFN(UInt64(20 + index)), .base)) }
    if seen { tale.at(Tale.p, 100, .directIOEnded) }
    return tale
  }

  private func forkR(_ tale: inout Tale) {
    tale.at(Self.r, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: Self.r))
    tale.at(Tale.p, 100, .forkCopied(child: Self.r, tale.range(0..<8)))
    tale.at(Tale.p, 100, .forkEnded(child: Self.r))
  }

  /// P gives up its two pages, and unmaps them.
  private func giveUp(_ tale: inout Tale) {
    tale.at(Tale.p, 100, .advised(tale.range(0..<2), .free))
    tale.at(Tale.p, 100, .unmapped(tale.range(0..<2)))
  }

  /// Reclaim takes what R has there: by the counters, by the frames, or both.
  private func reclaim(_ tale: inout Tale, counted: Bool = true) {
    for _ in 0..<2 where counted { tale.at(Self.r, 9, .reclaimed(pages: 1)) }
    for index in 0..<2 { tale.at(Self.r, 9, .freed(PFN(UInt64(20 + index)), .base)) }
  }

  @Test("R loses what P gave up, finds one page empty, and has not looked for the other", arguments: [true, false])
  func loss(seen: Bool) throws {
    var tale = shared(seen: seen)
    forkR(&tale)
    giveUp(&tale)
    reclaim(&tale)
    tale.at(Self.r, 200, .fault(tale.page(1), [], .quiet))
    let audit = try tale.audit()
    // Where it was shows only when it is looked for, if the frame was not known.
    #expect(audit["dropped"] == (seen ? 2 : 1) && audit["loss_pages"] == (seen ? 2 : 1))
    #expect(audit["zeros_read"] == 1 && audit["loss_in_doubt"] == 0)
    let example = try #require(audit.examples.first)
    #expect(audit.examples.count == 1 && example.isFinding && example.mm == Self.r)
    #expect(example.text.contains("mm0 (pid 100) did, with MADV_FREE"))
    #expect(example.text.contains("reclaim by pid 9 dropped them"))
  }

  @Test("A write that finds nothing tells of it, too")
  func written() throws {
    var tale = shared(seen: false)
    forkR(&tale)
    giveUp(&tale)
    reclaim(&tale)
    tale.at(Self.r, 200, .fault(tale.page(0), .write, .anonymous(PFN(30), .base, replaced: false)))
    let audit = try tale.audit()
    #expect(audit["loss_pages"] == 1 && audit["zeros_read"] == 1)
  }

  @Test("What R gave up as well, or came with given up, is none", arguments: [true, false])
  func ownAct(isOwn: Bool) throws {
    var tale = shared()
    if isOwn {
      forkR(&tale)
      tale.at(Self.r, 200, .advised(tale.range(0..<2), .free))
    } else {
      tale.at(Tale.p, 100, .advised(tale.range(0..<2), .free))
      forkR(&tale)
    }
    giveUp(&tale)
    reclaim(&tale)
    tale.at(Self.r, 200, .fault(tale.page(1), [], .quiet))
    let audit = try tale.audit()
    #expect(audit["dropped"] == 2 && audit["loss_pages"] == 0 && audit["loss_in_doubt"] == 0)
  }

  @Test("One witness is not enough, the second may come later")
  func oneWitness() throws {
    var tale = shared()
    forkR(&tale)
    giveUp(&tale)
    reclaim(&tale, counted: false)
    #expect(try tale.audit()["loss_in_doubt"] == 2)
    tale.at(Self.r, 200, .fault(tale.page(1), [], .quiet))
    let audit = try tale.audit()
    #expect(audit["loss_pages"] == 1 && audit["loss_in_doubt"] == 1)
  }

  @Test("A page that a fault finds present was not lost")
  func present() throws {
    var tale = shared()
    forkR(&tale)
    giveUp(&tale)
    reclaim(&tale)
    tale.at(Self.r, 200, .fault(tale.page(0), [.write, .present], .quiet))
    let audit = try tale.audit()
    #expect(audit["loss_pages"] == 1 && audit["loss_in_doubt"] == 1 && audit["zeros_read"] == 0)
  }

  @Test("What goes to swap, and what nobody gave up, is not dropped")
  func swapped() throws {
    var tale = shared(seen: false)
    forkR(&tale)
    for _ in 0..<2 {
      tale.at(Self.r, 9, .reclaimed(pages: 1))
      tale.at(Self.r, 9, .swappedOut(pages: 1))
    }
    tale.at(Self.r, 200, .fault(tale.page(0), [], .swappedIn(PFN(40), .none)))
    #expect(try tale.audit().isEmpty)
    // The counter fell, and a fault finds nothing: but no relative gave the page up.
    tale.at(Self.r, 9, .reclaimed(pages: 1))
    tale.at(Self.r, 200, .fault(tale.page(1), [], .quiet))
    let audit = try tale.audit()
    #expect(audit["loss_pages"] == 0 && audit["loss_in_doubt"] == 1)
  }

  private func migrate(_ tale: inout Tale, _ mm: MMID, _ pfn: UInt64, _ type: MigrationEntryType, by task: Int32 = 7) {
    tale.at(mm, task, .migrationSet(tale.page(0), PFN(pfn), type, .base, young: true, dirty: true))
  }

  @Test("Two migration entries of one frame, and one says writable, in either order", arguments: [true, false])
  func unsafe(writableFirst: Bool) throws {
    var tale = shared()
    migrate(&tale, Tale.p, 11, .read)  // P has a copy of that page by now.
    forkR(&tale)
    migrate(&tale, Tale.p, 20, writableFirst ? .write : .read)
    migrate(&tale, Self.r, 20, writableFirst ? .read : .readExclusive)
    let audit = try tale.audit()
    #expect(audit["unsafe_pages"] == 1 && audit["loss_pages"] == 0)
    #expect(audit.examples.first?.text.contains("frame 20 is mapped twice") == true)
  }

  @Test("Entries of type read, of two migrations, and of a page that only one maps are in order")
  func safe() throws {
    var tale = shared()
    migrate(&tale, Tale.p, 20, .readExclusive)
    tale.at(Tale.p, 7, .migrationRemoved(tale.page(0), PFN(20), .base, writable: false, dirty: false))
    forkR(&tale)
    migrate(&tale, Tale.p, 20, .read)
    migrate(&tale, Self.r, 20, .read)
    for mm in [Tale.p, Self.r] {
      tale.at(mm, 7, .migrationRemoved(tale.page(0), PFN(21), .base, writable: false, dirty: false))
    }
    #expect(try tale.audit()["unsafe_pages"] == 0)
  }

  @Test("A run that MADV_FREE gave up, half of which is shared, by which half comes first", arguments: [true, false])
  func mixedRun(writableFirst: Bool) throws {
    var tale = Tale(facts: .v6_18, audits: [KernelAudit.self])
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .anonymous(PFN(64), FolioOrder(4), replaced: false)))
    let kept = tale.range(writableFirst ? 0..<8 : 8..<16)
    tale.at(Tale.p, 100, .advised(kept, .dontFork))
    tale.fork(writableFirst ? 8..<16 : 0..<8)
    tale.at(Tale.p, 100, .advised(kept, .doFork))
    tale.at(Tale.p, 100, .advised(tale.range(0..<16), .free))
    let audit = try tale.audit()
    #expect(audit["lazyfree_mixed"] == 1)
    #expect(audit["lazyfree_unsafe"] == (writableFirst ? 8 : 0))
    #expect(audit["lazyfree_cons_fault"] == (writableFirst ? 0 : 8))
    #expect(audit["loss_pages"] == 0 && audit.examples.count == 1 && audit.examples.allSatisfy { !$0.isFinding })
  }

  @Test("A run of one kind is none, whole or shared")
  func evenRun() throws {
    var tale = Tale(facts: .v6_18, audits: [KernelAudit.self])
    tale.at(Tale.p, 100, .fault(tale.page(0), .write, .anonymous(PFN(64), FolioOrder(4), replaced: false)))
    tale.at(Tale.p, 100, .advised(tale.range(0..<16), .free))
    tale.fork(0..<16)
    tale.at(Tale.p, 100, .advised(tale.range(0..<16), .free))
    #expect(try tale.audit().isEmpty)
  }

  @Test("A page that was given up and stored to goes to swap")
  func storedAndSwapped() throws {
    var tale = Tale(facts: .v6_18)
    tale.touch(0, 10)
    tale.at(Tale.p, 100, .advised(tale.range(0..<1), .free))
    tale.at(Tale.p, 9, .swappedOut(pages: 1))
    tale.at(Tale.p, 9, .swapWritten(PFN(10)))
    #expect(tale.kind(Tale.p, 0) == .swap)
  }

  @Test("Without what has to be seen no figure means anything")
  func notObservable() throws {
    var tale = shared()
    tale.capabilities.remove(.counters)
    #expect(try tale.audit().notObservable == ["dropped", "loss_pages", "zeros_read", "loss_in_doubt"])
  }
}
