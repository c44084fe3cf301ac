// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Normalize

@Suite("What a fault came to")
struct PendingFaultTests {
  private func fault(_ access: FaultAccess, counters: Bool, locks: LockSigns = .none) -> PendingFault {
    var line = DelayLine()
    return PendingFault(
      page: VirtualPage(0x7000), access: access, sequence: Sequence(1), time: Timestamp(nanoseconds: 0), cpu: CPU(0),
      task: TaskID(1), slot: line.keepPlace(at: Timestamp(nanoseconds: 0)),
      signs: FaultSigns(locks: locks, counters: counters, flushes: true))
  }

  private func copied(by fault: borrowing PendingFault) -> PFN? {
    if case .copied(let pfn, sinceDecision: _) = fault.outcome { pfn } else { nil }
  }

  @Test("Counters that come late: a zeroed page for a write is a first touch as soon as it is allocated")
  func firstTouch() {
    var fault = fault(.write, counters: false)
    fault.allocated(PFN(7), .base, zeroed: true, at: Timestamp(nanoseconds: 10))
    #expect(fault.commitsUnseen == true)
    #expect(fault.outcome == .anonymous(PFN(7), .base, replaced: false))
    fault.freed(PFN(7))
    #expect(fault.outcome == .raced)
  }

  @Test("A page allocated over a present one is its copy only when a flush follows", arguments: [true, false])
  func copy(counters: Bool) {
    var fault = fault([.write, .present], counters: counters)
    fault.allocated(PFN(7), .base, zeroed: false, at: Timestamp(nanoseconds: 10))
    #expect(fault.outcome == .quiet)
    fault.flush()
    #expect(copied(by: fault) == PFN(7))
  }

  @Test("Counters that come late: a huge page waits for its own count, which comes at once")
  func hugePage() {
    var fault = fault(.write, counters: false)
    fault.allocated(PFN(512), FolioOrder(9), zeroed: false, at: Timestamp(nanoseconds: 10))
    #expect(fault.commitsUnseen == false)
    #expect(!fault.isCounted(.anonymous, 63) && !fault.isCounted(.file, 512))
    #expect(fault.isCounted(.anonymous, 512) == true)
    fault.moved(.anonymous, pages: 512)
    #expect(fault.outcome == .anonymous(PFN(512), FolioOrder(9), replaced: false))
  }

  @Test("Before VMAs had locks, a fault that has not taken mmap_lock has decided nothing")
  func lock() {
    var fault = fault([.write, .present], counters: false, locks: .allFaults)
    #expect(fault.outcome == .refused)
    _ = fault.locked()
    #expect(fault.outcome == .quiet)
  }

  /// `flush_tlb_func` leaves at once when the CPU is up to date, so only the other CPU's flush is traced.
  @Test("A flush of everything from another CPU stands for the copy's own, unless the page is given back")
  func flushedByAnother() {
    var fault = fault([.write, .present], counters: true)
    fault.allocated(PFN(7), .base, zeroed: false, at: Timestamp(nanoseconds: 10))
    fault.flushedByAnother()
    #expect(copied(by: fault) == PFN(7))
    fault.freed(PFN(7))
    #expect(fault.outcome == .raced)
  }

  @Test("A counter of file pages alone is not that of a fault on a present page")
  func counterOfLaterCall() {
    var fault = fault([.write, .present], counters: true)
    fault.moved(.shmem, pages: 1)
    #expect(fault.outcome == .quiet)
  }

  @Test("A fault that came through at once took no lock too many", arguments: [0, 1, 2])
  func retried(locks: Int) {
    for (signs, access, needed) in [
      (.kernelFaults, .write, 0), (.kernelFaults, [.write, .kernel], 1), (.allFaults, .write, 1), (.none, .write, -1),
    ] as [(LockSigns, FaultAccess, Int)] {
      var fault = fault(access, counters: true, locks: signs)
      for _ in 0..<locks { _ = fault.locked() }
      #expect(fault.seenAccess.contains(.retried) == (locks > needed))
    }
  }

  @Test("A fault takes mmap_lock three times at most: for a stack that grows, for reading and writing, and tried again")
  func locksOfOneFault() {
    var fault = fault(.write, counters: true, locks: .allFaults)
    let taken = (0..<4).map { _ in fault.locked() }
    #expect(taken == [true, true, true, false])
  }

  @Test("A folio under a lock that the fault does not need may be GUP's, until a further lock is taken")
  func beforeGUP() {
    for (before, after, isOpen) in [(0, 0, false), (1, 0, true), (1, 1, false), (0, 1, false)] {
      var fault = fault([.write, .present], counters: true, locks: .kernelFaults)
      for _ in 0..<before { _ = fault.locked() }
      fault.allocated(PFN(7), .base, zeroed: false, at: Timestamp(nanoseconds: 10))
      for _ in 0..<after { _ = fault.locked() }
      #expect(fault.seenAccess.contains(.beforeGUP) == isOpen)
    }
    var kernelFault = fault([.write, .present, .kernel], counters: true, locks: .kernelFaults)
    _ = kernelFault.locked()
    kernelFault.allocated(PFN(7), .base, zeroed: false, at: Timestamp(nanoseconds: 10))
    #expect(!kernelFault.seenAccess.contains(.beforeGUP))
  }

  @Test("An LRU insertion before the commit is told after it; one after the commit is nobody's business")
  func insertedFirst() {
    var fault = fault(.write, counters: true)
    fault.allocated(PFN(7), .base, zeroed: false, at: Timestamp(nanoseconds: 10))
    let before = [fault.insertedBeforeCommit(PFN(8)), fault.insertedBeforeCommit(PFN(7))]
    fault.moved(.anonymous, pages: 1)
    let after = fault.insertedBeforeCommit(PFN(7))
    let taken = [fault.takeInserted(), fault.takeInserted()]
    #expect(before == [false, true] && !after && taken == [PFN(7), nil])
  }

  /// `try_to_unmap_one` of direct reclaim: flush, one anonymous page less, one swap entry more; a file's page has no
  /// swap entry. The copy's own flush comes after all of that, or before a later call's reclaim.
  @Test("What reclaim inside a fault flushes and counts is no sign of the fault")
  func reclaimInside() {
    func reclaim(_ fault: inout PendingFault) {
      fault.flush()
      fault.moved(.anonymous, pages: -1)
      let wasReclaim = fault.swappedOut(1)
      #expect(wasReclaim)
      fault.flush()
      fault.moved(.file, pages: -1)
    }
    for copies in [false, true] {
      var fault = fault([.write, .present], counters: true)
      fault.allocated(PFN(7), .base, zeroed: false, at: Timestamp(nanoseconds: 10))
      reclaim(&fault)
      #expect(fault.isCommitted == false)
      if copies { fault.flush() }
      reclaim(&fault)
      #expect(fault.isCommitted == copies)
      if copies { #expect(copied(by: fault) == PFN(7)) } else { #expect(fault.outcome == .quiet) }
    }
  }

  @Test("A file's page is mapped by its counter going up, whatever was flushed")
  func filePage() {
    var fault = fault([], counters: true)
    fault.moved(.file, pages: 16)
    #expect(fault.outcome == .file(pages: 16))
  }

  @Test("A swap entry less is a swap-in; one more, or any at a page that is there, is reclaim's")
  func swapEntries() {
    for (access, change, isReclaim) in [(.write, -1, false), (.write, 1, true), ([.write, .present], -1, true)]
      as [(FaultAccess, Int64, Bool)]
    {
      var fault = fault(access, counters: true)
      let told = fault.swappedOut(change)
      #expect(told == isReclaim)
    }
    var missing = fault(.write, counters: true)
    missing.moved(.anonymous, pages: 1)
    missing.moved(.swapEntries, pages: -1)
    #expect(missing.outcome == .swappedIn(nil, .none))
  }

  /// `do_wp_page` after `do_swap_page`: `folio_prealloc` may fail to charge what it allocated.
  @Test(
    "A copy after a swap-in is made when it is flushed, and was not when its page is given back",
    arguments: [true, false])
  func copyAfterSwapIn(readsIn: Bool) {
    func copying() -> PendingFault {
      var fault = fault(.write, counters: true)
      if readsIn { fault.allocated(PFN(7), .base, zeroed: false, at: Timestamp(nanoseconds: 10)) }
      fault.moved(.anonymous, pages: 1)
      fault.moved(.swapEntries, pages: -1)
      fault.allocated(PFN(8), .base, zeroed: false, at: Timestamp(nanoseconds: 20))
      return fault
    }
    var made = copying()
    made.flush()
    var givenBack = copying()
    givenBack.freed(PFN(8))
    #expect(givenBack.outcome == .swappedIn(readsIn ? PFN(7) : nil, .givenBack))
    guard case .swappedIn(_, .made) = made.outcome else {
      Issue.record("\(made.outcome)")
      return
    }
  }
}
