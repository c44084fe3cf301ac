// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// `O_DIRECT` pins what the kernel then shows to be pinned, and nothing else. Expectations are the kernel's: `gup.c`,
/// `copy_present_page`, `do_wp_page` with `FAULT_FLAG_UNSHARE`.
@Suite("Pages pinned for O_DIRECT")
struct DirectIOTests {
  /// P forks while its task 101 reads into pages 1 and 2; page 0 is not among them. The counters tell that one page was
  /// copied before each copy of a pinned one.
  private func forkInFlight(_ tale: inout Tale, copies: [(pages: UInt64, pfn: UInt64)]) {
    for index in 0..<4 { tale.touch(index, 10 + UInt64(index)) }
    tale.at(Tale.p, 101, .directIOBegan(tale.range(1..<3), write: true))
    tale.at(Tale.q, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: Tale.q))
    tale.at(Tale.p, 100, .forkCopied(child: Tale.q, tale.range(0..<8)))
    for copy in copies {
      tale.at(Tale.p, 100, .forkCounted(child: Tale.q, .anonymous, pages: copy.pages))
      tale.at(Tale.p, 100, .forkCopiedPinned(child: Tale.q, PFN(copy.pfn)))
    }
    tale.at(Tale.p, 100, .forkCounted(child: Tale.q, .anonymous, pages: 4))
    tale.at(Tale.p, 100, .forkEnded(child: Tale.q))
  }

  @Test("fork during a read: what it copied at once stays exclusive, and the child has the copies")
  func pinnedStaysExclusive() {
    var tale = Tale()
    forkInFlight(&tale, copies: [(1, 20), (2, 21)])
    #expect((0..<4).map { tale.claim(Tale.p, $0) } == [.shared, .exclusive, .exclusive, .shared])
    #expect((0..<4).map { tale.frame(Tale.q, $0) } == [PFN(10), PFN(20), PFN(21), PFN(13)])
    tale.at(Tale.p, 101, .directIOEnded)
    let result = tale.result()
    #expect(result.gaps[.pinsNotFollowed] == 0 && result.gaps[.forkCountDiffers] == 0)
    #expect(result.divergences.isEmpty)
  }

  @Test("Without its unshare site C-strict does not take the unshared page for exclusive: GUP cannot pin it")
  func conservativePin() {
    var tale = Tale(without: [.cUnshare])
    unshareForWrite(&tale)
    let found = tale.result().divergences.filter { $0.verdict == .conservativePin || $0.verdict == .livelock }
    #expect(!found.isEmpty && found.allSatisfy { $0.encoding == .cStrict })
    var sound = Tale()
    unshareForWrite(&sound)
    #expect(sound.result().divergences.isEmpty)
  }

  /// P writes from page 1, which its child shares.
  private func unshareForWrite(_ tale: inout Tale) {
    tale.touch(1, 11)
    tale.fork(0..<8)
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1..<3), write: false))
    tale.at(Tale.p, 100, .populated(tale.range(1..<3), .copied(PFN(30), sinceDecision: 0)))
    tale.at(Tale.p, 100, .directIOEnded)
  }

  @Test("fork during a read that has pinned nothing yet, or no more: everything is shared, nobody is convicted")
  func notPinned() {
    var tale = Tale(without: [.cFork])
    forkInFlight(&tale, copies: [])
    #expect((0..<4).allSatisfy { tale.claim(Tale.p, $0) == .shared })
    tale.at(Tale.p, 101, .directIOEnded)
    #expect(tale.result().divergences.allSatisfy { $0.verdict != .conservativePin })
  }

  @Test("A copy that is given back was not made: the pin had ended")
  func givenBack() {
    var tale = Tale()
    forkInFlight(&tale, copies: [])
    var other = Tale()
    for index in 0..<4 { other.touch(index, 10 + UInt64(index)) }
    other.at(Tale.p, 101, .directIOBegan(other.range(1..<3), write: true))
    other.at(Tale.q, 100, .mmCreated(.fork))
    other.at(Tale.p, 100, .forkBegan(child: Tale.q))
    other.at(Tale.p, 100, .forkCopied(child: Tale.q, other.range(0..<8)))
    other.at(Tale.p, 100, .forkCounted(child: Tale.q, .anonymous, pages: 1))
    other.at(Tale.p, 100, .forkCopiedPinned(child: Tale.q, PFN(20)))
    other.at(Tale.p, 100, .freed(PFN(20), .base))
    other.at(Tale.p, 100, .forkEnded(child: Tale.q))
    for index in 0..<4 { #expect(other.claim(Tale.p, index) == tale.claim(Tale.p, index)) }
    #expect(other.frame(Tale.q, 1) == PFN(11) && other.result().gaps[.pinsNotFollowed] == 0)
  }

  @Test("A place that is no exclusive page of the model's: which page was copied stays open")
  func open() {
    var tale = Tale()
    forkInFlight(&tale, copies: [(9, 20)])
    let result = tale.result()
    #expect(result.gaps[.pinsNotFollowed] == 1)
    #expect(result.divergences.allSatisfy { $0.verdict != .unsafe && $0.verdict != .conservativePin })
  }

  @Test("A write unshares the one shared page of its memory: the copy has a place, and is not writable")
  func unshares() {
    var tale = Tale()
    tale.touch(1, 11)
    tale.fork(0..<8)
    tale.touch(2, 12)
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1..<3), write: false))
    tale.at(Tale.p, 100, .populated(tale.range(1..<3), .copied(PFN(30), sinceDecision: 0)))
    tale.at(Tale.p, 100, .directIOEnded)
    #expect(tale.frame(Tale.p, 1) == PFN(30) && tale.claim(Tale.p, 1) == .exclusive)
    #expect(tale.frame(Tale.q, 1) == PFN(11))
    // It is reused at the first write, as the kernel does.
    tale.at(Tale.p, 100, .fault(tale.page(1), [.write, .present], .quiet))
    let result = tale.result()
    #expect(result.verification.decisions.agree == 1 && result.verification.decisions.disagree == 0)
    #expect(result.gaps[.placelessPages] == 0)
  }

  @Test("A page that nobody else maps any more becomes exclusive for a pin without an event: not known until it shows")
  func keptForPin() {
    var tale = Tale()
    tale.touch(1, 11)
    tale.fork(0..<8)
    tale.at(Tale.q, 200, .mmTeardownBegan)
    tale.at(Tale.q, 200, .mmExited)
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1..<2), write: false))
    #expect(tale.doubt(Tale.p, 1) == nil)
    tale.at(Tale.p, 100, .directIOEnded)
    #expect(tale.claim(Tale.p, 1) == .shared && tale.doubt(Tale.p, 1) == .keptForPin)
    // Either way the kernel keeps it at the next write, and then it is known.
    tale.at(Tale.p, 100, .fault(tale.page(1), [.write, .present], .quiet))
    #expect(tale.claim(Tale.p, 1) == .exclusive && tale.doubt(Tale.p, 1) == nil)
    let result = tale.result()
    #expect(result.verification.decisions.agree == 1 && result.verification.decisions.checked == 1)
  }

  @Test("A page that a child maps is no such page, and one that is such a page is shared like any other by fork")
  func keptForPinAndFork() {
    var tale = Tale()
    tale.touch(1, 11)
    tale.fork(0..<8)
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1..<2), write: false))
    tale.at(Tale.p, 100, .directIOEnded)
    #expect(tale.doubt(Tale.p, 1) == nil)
    tale.at(Tale.q, 200, .mmTeardownBegan)
    tale.at(Tale.q, 200, .mmExited)
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1..<2), write: false))
    tale.at(Tale.p, 100, .directIOEnded)
    #expect(tale.doubt(Tale.p, 1) == .keptForPin)
    let r = MMID(2)
    tale.at(r, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: r))
    tale.at(Tale.p, 100, .forkCopied(child: r, tale.range(0..<8)))
    tale.at(Tale.p, 100, .forkEnded(child: r))
    #expect(tale.doubt(Tale.p, 1) == nil && tale.doubt(r, 1) == nil)
    #expect(tale.claim(Tale.p, 1) == .shared && tale.claim(r, 1) == .shared)
  }

  @Test("A read copies shared pages and touches absent ones, going up")
  func copiesAndTouches() {
    var tale = Tale()
    tale.touch(1, 11)
    tale.touch(3, 13)
    tale.fork(0..<8)
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1..<4), write: true))
    tale.at(Tale.p, 100, .populated(tale.range(1..<4), .copied(PFN(30), sinceDecision: 0)))
    tale.at(Tale.p, 100, .populated(tale.range(1..<4), .anonymous(PFN(31), .base, replaced: false)))
    tale.at(Tale.p, 100, .populated(tale.range(1..<4), .copied(PFN(32), sinceDecision: 0)))
    tale.at(Tale.p, 100, .directIOEnded)
    #expect((1..<4).map { tale.frame(Tale.p, $0) } == [PFN(30), PFN(31), PFN(32)])
    #expect(tale.result().gaps[.placelessPages] == 0)
  }

  @Test("With two pages of which either may have been copied, the copy has no place")
  func placeless() {
    var tale = Tale()
    tale.touch(1, 11)
    tale.touch(2, 12)
    tale.fork(0..<8)
    tale.at(Tale.q, 200, .mmTeardownBegan)
    // Page 1 is unmapped there, and its reference may be gone.
    tale.at(Tale.q, 200, .mmTeardownProceeded(remaining: 1, unmapped: 1, flushed: true))
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1..<3), write: true))
    tale.at(Tale.p, 100, .populated(tale.range(1..<3), .copied(PFN(30), sinceDecision: 0)))
    tale.at(Tale.p, 100, .directIOEnded)
    #expect(tale.frame(Tale.p, 1) == PFN(11) && tale.frame(Tale.p, 2) == PFN(12))
    #expect(tale.result().gaps[.placelessPages] == 1)
  }
}
