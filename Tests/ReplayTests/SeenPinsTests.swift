// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// Pins that probes show, from GUP to the release. Expectations are the kernel's: `follow_page_pte`, `do_wp_page` with
/// `FAULT_FLAG_UNSHARE`, `copy_present_page`.
@Suite("Pins that probes show")
struct SeenPinsTests {
  private func pin(_ tale: inout Tale, _ pages: Range<Int>, _ flags: PinFlags = [], filled: [FaultOutcome] = []) {
    tale.at(Tale.p, 100, .pinBegan(tale.range(pages), flags))
    for outcome in filled { tale.at(Tale.p, 100, .populated(tale.range(pages), outcome)) }
    tale.at(Tale.p, 100, .pinEnded(tale.range(pages)))
  }

  private func unpin(_ tale: inout Tale, _ frames: [UInt64]) {
    for frame in frames { tale.at(Tale.p, 0, .unpinned(PFN(frame), count: 1)) }
  }

  private func endOfChild(_ tale: inout Tale) {
    tale.at(Tale.q, 200, .mmTeardownBegan)
    tale.at(Tale.q, 200, .mmExited)
  }

  @Test("A page that nobody else maps any more is exclusive once it is pinned: nothing of that is in doubt")
  func keptInPlace() {
    var tale = Tale()
    tale.touch(1, 11)
    tale.fork(0..<8)
    endOfChild(&tale)
    #expect(tale.claim(Tale.p, 1) == .shared)
    pin(&tale, 1..<2)
    #expect(tale.claim(Tale.p, 1) == .exclusive && tale.doubt(Tale.p, 1) == nil && tale.frame(Tale.p, 1) == PFN(11))
    // An unshare fault that came to a reuse is a decision of the kernel's, as is the write after it.
    tale.at(Tale.p, 100, .fault(tale.page(1), [.write, .present], .quiet))
    unpin(&tale, [11])
    let result = tale.result()
    #expect(result.verification.decisions.agree == 2 && result.verification.decisions.unknown == 0)
    #expect(result.gaps[.pinsNotFollowed] == 0 && result.divergences.isEmpty)
  }

  @Test("fork copies what is pinned at once, whatever the counters tell of its place")
  func forkCopies() {
    var tale = Tale()
    for index in 0..<4 { tale.touch(index, 10 + UInt64(index)) }
    pin(&tale, 1..<3, .write)
    tale.at(Tale.q, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: Tale.q))
    tale.at(Tale.p, 100, .forkCopied(child: Tale.q, tale.range(0..<8)))
    for frame: UInt64 in [20, 21] { tale.at(Tale.p, 100, .forkCopiedPinned(child: Tale.q, PFN(frame))) }
    tale.at(Tale.p, 100, .forkEnded(child: Tale.q))
    #expect((0..<4).map { tale.claim(Tale.p, $0) } == [.shared, .exclusive, .exclusive, .shared])
    #expect((0..<4).map { tale.frame(Tale.q, $0) } == [PFN(10), PFN(20), PFN(21), PFN(13)])
    let result = tale.result()
    #expect(result.gaps[.pinsNotFollowed] == 0 && result.divergences.isEmpty)
  }

  @Test("After the release fork shares the pages like any others; a pin that was taken twice is given back twice")
  func released() {
    var tale = Tale()
    tale.touch(1, 11)
    pin(&tale, 1..<2, .write)
    pin(&tale, 1..<2, .write)
    unpin(&tale, [11])
    #expect(tale.isPinned(Tale.p, 1))
    unpin(&tale, [11])
    #expect(!tale.isPinned(Tale.p, 1))
    tale.fork(0..<8)
    #expect(tale.claim(Tale.p, 1) == .shared && tale.frame(Tale.q, 1) == PFN(11))
    // Somebody else's release is nobody's here.
    unpin(&tale, [11, 999])
    #expect(tale.result().gaps[.pinsNotFollowed] == 0)
  }

  @Test("What fork did not copy is not pinned: its release was missed")
  func missedRelease() {
    var tale = Tale()
    tale.touch(1, 11)
    pin(&tale, 1..<2, .write)
    tale.fork(0..<8)
    #expect(tale.claim(Tale.p, 1) == .shared && !tale.isPinned(Tale.p, 1))
    #expect(tale.result().gaps[.pinsNotFollowed] == 1)
    // Once: when the frame is freed, nothing is known to pin it any more.
    endOfChild(&tale)
    tale.at(Tale.p, 100, .unmapped(tale.range(0..<8)))
    tale.at(Tale.p, 100, .freed(PFN(11), .base))
    #expect(tale.result().gaps[.pinsNotFollowed] == 1)
  }

  /// `copy_present_page` asks the folio (`folio_maybe_dma_pinned`), whoever has pinned it and since when.
  @Test("Beside a page whose pin shows, fork copies one that was pinned before the recording: its pin is nobody's")
  func pinnedBefore() {
    var tale = Tale()
    for index in 0..<4 { tale.touch(index, 10 + UInt64(index)) }
    pin(&tale, 2..<3, .write)
    tale.at(Tale.q, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: Tale.q))
    tale.at(Tale.p, 100, .forkCopied(child: Tale.q, tale.range(0..<8)))
    for (pages, frame) in [(1, 20), (2, 21)] as [(UInt64, UInt64)] {
      tale.at(Tale.p, 100, .forkCounted(child: Tale.q, .anonymous, pages: pages))
      tale.at(Tale.p, 100, .forkCopiedPinned(child: Tale.q, PFN(frame)))
    }
    tale.at(Tale.p, 100, .forkEnded(child: Tale.q))
    #expect((0..<4).map { tale.claim(Tale.p, $0) } == [.shared, .exclusive, .exclusive, .shared])
    #expect((0..<4).map { tale.frame(Tale.q, $0) } == [PFN(10), PFN(20), PFN(21), PFN(13)])
    #expect(!tale.isPinned(Tale.p, 1) && tale.isPinned(Tale.p, 2))
  }

  @Test("A frame that is freed is not pinned")
  func freed() {
    var tale = Tale()
    tale.touch(1, 11)
    pin(&tale, 1..<2)
    tale.at(Tale.p, 100, .unmapped(tale.range(0..<8)))
    #expect(tale.result().gaps[.pinsNotFollowed] == 0)
    tale.at(Tale.p, 100, .freed(PFN(11), .base))
    #expect(tale.result().gaps[.pinsNotFollowed] == 1)
  }

  @Test("GUP that fails pins nothing; where it got halfway, the first half")
  func failed() {
    var tale = Tale()
    for index in 1..<3 { tale.touch(index, 10 + UInt64(index)) }
    tale.at(Tale.p, 100, .pinBegan(tale.range(1..<3), []))
    tale.at(Tale.p, 100, .pinEnded(tale.range(1..<1)))
    #expect(!tale.isPinned(Tale.p, 1) && !tale.isPinned(Tale.p, 2))
    tale.at(Tale.p, 100, .pinBegan(tale.range(1..<3), []))
    tale.at(Tale.p, 100, .pinEnded(tale.range(1..<2)))
    #expect(tale.isPinned(Tale.p, 1) && !tale.isPinned(Tale.p, 2))
  }

  @Test("An end that is not in the trace leaves open what is pinned")
  func lostEnd() {
    var tale = Tale()
    tale.touch(1, 11)
    tale.fork(0..<8)
    endOfChild(&tale)
    tale.at(Tale.p, 100, .pinBegan(tale.range(1..<2), []))
    tale.at(Tale.p, 100, .pinEnded(nil))
    #expect(tale.doubt(Tale.p, 1) == .keptForPin && !tale.isPinned(Tale.p, 1))
    #expect(tale.result().gaps[.pinsNotFollowed] == 1)
  }

  @Test("Inside a call with O_DIRECT the probes are believed: what they do not show is not pinned, nor in doubt")
  func insideDirectIO() {
    var tale = Tale()
    for index in 1..<3 { tale.touch(index, 10 + UInt64(index)) }
    tale.fork(0..<8)
    endOfChild(&tale)
    tale.at(Tale.p, 100, .directIOBegan(tale.range(1..<3), write: false))
    pin(&tale, 1..<2)
    unpin(&tale, [11])
    tale.at(Tale.p, 100, .directIOEnded)
    #expect(tale.claim(Tale.p, 1) == .exclusive && tale.claim(Tale.p, 2) == .shared)
    #expect(tale.doubt(Tale.p, 1) == nil && tale.doubt(Tale.p, 2) == nil)
  }

  @Test(
    "A page that the child shares is copied for the pin: B that keeps its bits has the parent's page shared at fork")
  func conservativePin() {
    var tale = Tale(without: [.bInstallClear])
    copiedAndForked(&tale)
    let found = tale.result().divergences.filter { $0.verdict == .conservativePin }
    #expect(!found.isEmpty && found.allSatisfy { $0.encoding == .b && $0.certainty == .definite })
    var sound = Tale()
    copiedAndForked(&sound)
    #expect(sound.result().divergences.isEmpty)
  }

  /// P registers a buffer that its child shares, and forks again.
  private func copiedAndForked(_ tale: inout Tale) {
    tale.touch(1, 11)
    tale.fork(0..<8)
    pin(&tale, 1..<2, [.write, .longTerm], filled: [.copied(PFN(30), sinceDecision: 0)])
    #expect(tale.frame(Tale.p, 1) == PFN(30) && tale.isPinned(Tale.p, 1))
    let r = MMID(2)
    tale.at(r, 100, .mmCreated(.fork))
    tale.at(Tale.p, 100, .forkBegan(child: r))
    tale.at(Tale.p, 100, .forkCopied(child: r, tale.range(0..<8)))
    tale.at(Tale.p, 100, .forkCopiedPinned(child: r, PFN(31)))
    tale.at(Tale.p, 100, .forkEnded(child: r))
    #expect(tale.claim(Tale.p, 1) == .exclusive && tale.frame(r, 1) == PFN(31))
  }
}
