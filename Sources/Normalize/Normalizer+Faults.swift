// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// `X86_PF_*` bits of `error_code`.
private enum FaultError {
  static let present: UInt64 = 1
  static let write: UInt64 = 2
  static let fetch: UInt64 = 16
}

/// `enum tlb_flush_reason`. `TLB_FLUSH_ON_TASK_SWITCH`, `TLB_REMOTE_SHOOTDOWN` and `TLB_REMOTE_WRONG_CPU` are somebody
/// else's doing.
private enum FlushReason {
  static let taskSwitch: UInt64 = 0
  static let remoteShootdown: UInt64 = 1
  static let localShootdown: UInt64 = 2
  static let remoteSendIPI: UInt64 = 4
  /// Another CPU's flush of an mm that this one has left (`flush_tlb_func`, since 6.15).
  static let remoteWrongCPU: UInt64 = 5

  /// What reclaim unmapped is flushed for all mms at once (`arch_tlbbatch_flush`), a page of a fault by its address
  /// (`flush_tlb_page`).
  static func isOfReclaim(_ reason: UInt64, pages: UInt64) -> Bool {
    reason == localShootdown || (reason == remoteSendIPI && pages == .max)
  }
}

/// Faults (`handle_mm_fault`), and what shows that one commits: the allocation, the counters of `rss_stat`, the flush.
/// The same three outside of a fault belong to whatever window the task has open: fork, exec, population, a removal, a
/// teardown.
extension Normalizer {
  mutating func beginFault(
    _ slot: Int, _ record: RawRecord, _ fields: FieldGroup<(UInt64, UInt64)>, kernel: Bool
  ) -> Bool {
    guard let (address, error) = fields.load(record) else { return false }
    guard !tasks[slot].isCollector else { return true }
    var access: FaultAccess = kernel ? .kernel : []
    if error & FaultError.present != 0 { access.insert(.present) }
    if error & FaultError.write != 0 { access.insert(.write) }
    if error & FaultError.fetch != 0 { access.insert(.execute) }
    strayWent(slot)
    if batchesCounters { strayFilled(slot) }
    // A task that has exited touches user memory from the kernel at most (`exit_mm_release`).
    if !kernel { forgetExited(slot) }
    tasks[slot].lockedForeign = nil
    tasks[slot].strayFolio = nil
    tasks[slot].isFollowed = true
    tasks[slot].fault = PendingFault(
      page: page(address), access: access, sequence: sequence, time: time, cpu: cpu, task: task,
      slot: .none, signs: signs)
    // A task may sleep after its fault: shown nothing in time, it is told as quiet. Should it have been blocked, the
    // commit is told when it comes.
    let mm = tasks[slot].mm
    tasks[slot].fault.keepPlace(mm, at: time, on: &line)
    return true
  }

  /// The task went on: what its fault came to is known now.
  @inline(__always)
  mutating func closeFault(_ slot: Int) { if tasks[slot].fault.isOpen { endFault(slot) } }

  @inline(never)
  private mutating func endFault(_ slot: Int) {
    if let pfn = tasks[slot].fault.takeInserted() { emit(nil, .lruInserted(pfn)) }
    if let mm = tasks[slot].faulting {
      let gup = tasks[slot].fault.wasGUPs ? tasks[slot].fault.giveUpFolio() : nil
      tasks[slot].fault.close(mm, on: &line)
      if let gup { emit(mm, .appeared(gup, .base)) }
    } else {
      gaps.add(.faultsWithoutMM)
      tasks[slot].fault.drop(from: &line)
    }
    tasks[slot].remote = nil
    // That of a stack's growth (`expand_stack`).
    tasks[slot].lockedForWrite = nil
  }

  /// What the task did next may be among the records that are missing. A commit that was seen stands.
  mutating func loseFault(_ slot: Int) {
    guard tasks[slot].fault.isOpen else { return }
    if tasks[slot].fault.settled != nil {
      endFault(slot)
      return
    }
    if let mm = tasks[slot].faulting {
      tasks[slot].fault.lose(mm, on: &line)
    } else {
      tasks[slot].fault.drop(from: &line)
    }
    tasks[slot].remote = nil
  }

  /// A sign of a commit: at the first one the fault takes its place here; each makes its outcome clearer.
  mutating func settle(_ slot: Int) {
    let mm = tasks[slot].faulting
    let isFirst = tasks[slot].fault.settled == nil
    tasks[slot].fault.settle(mm, at: sequence, time, on: &line)
    if isFirst, let pfn = tasks[slot].fault.takeInserted() { emit(nil, .lruInserted(pfn)) }
  }

  @inline(__always)
  mutating func pageAlloc(_ record: RawRecord) -> Bool {
    guard let (pfn, order, gfp) = table.layouts.alloc.load(record) else { return false }
    // A failed allocation carries no frame.
    guard pfn != .max, isPossible(pfn, order: order), table.gfp.isUserFolio(gfp, order: order),
      let slot = tasks.slot(of: task)
    else { return true }
    let folio = StrayFolio(pfn: PFN(pfn), order: FolioOrder(UInt8(order)), zeroed: table.gfp.isZeroed(gfp))
    if batchesCounters || tasks[slot].explainsFolios {
      explainedFolio(slot, folio)
    } else {
      tasks[slot].strayFolio = folio
    }
    return true
  }

  /// A folio was allocated in one of the windows that give it a meaning.
  @inline(never)
  private mutating func explainedFolio(_ slot: Int, _ folio: StrayFolio) {
    replacementStands(slot)
    if tasks[slot].fault.isOpen, allocatedInFault(slot, folio) { return }
    if let fork = tasks[slot].fork, !fork.copied, !folio.zeroed, folio.order == .base {
      emit(tasks[slot].mm, .forkCopiedPinned(child: fork.child, folio.pfn))
    } else {
      // KSM breaks all pages of an mm under one lock, and GUP takes them one after the other.
      if folio.order == .base { strayWent(slot) }
      if batchesCounters { strayFilled(slot) }
      tasks[slot].strayFolio = folio
      tasks[slot].strayOwner = tasks[slot].lockedForeign
      if let place = tasks[slot].strayPlace { line.drop(place) }
      tasks[slot].strayPlace = tasks[slot].strayOwner.map { owner in
        let place = line.keepPlace(at: time)
        line.propose(place, self.record(owner, strayEvent(slot, owner, folio)))
        return place
      }
    }
  }

  /// `false` when the fault turns out to be over: the folio is not its own.
  private mutating func allocatedInFault(_ slot: Int, _ folio: StrayFolio) -> Bool {
    if tasks[slot].fault.isOver || tasks[slot].fault.isForeign(zeroed: folio.zeroed, folio.order) {
      closeFault(slot)
      return false
    }
    if tasks[slot].fault.hasReplaced {
      let gup = tasks[slot].fault.giveUpFolioToGUP()
      closeFault(slot)
      if let gup {
        replacedWithoutFault(slot, StrayFolio(pfn: gup, order: .base, zeroed: false))
        replacementStands(slot)
      }
      return false
    }
    tasks[slot].fault.allocated(folio.pfn, folio.order, zeroed: folio.zeroed, at: time)
    if let mm = tasks[slot].faulting { tasks[slot].fault.unsettle(mm, at: time, on: &line) }
    if tasks[slot].fault.commitsUnseen { settle(slot) } else { tasks[slot].fault.hold(on: &line) }
    return true
  }

  @inline(__always)
  mutating func pageFree(_ record: RawRecord) -> Bool {
    guard let (pfn, order) = table.layouts.free.load(record) else { return false }
    guard isPossible(pfn, order: order) else { return true }
    if let slot = tasks.slot(of: task) {
      if tasks[slot].windows.contains(.dying) { teardownShown(slot) }
      if tasks[slot].fault.isOpen { tasks[slot].fault.freed(PFN(pfn)) }
      if tasks[slot].strayFolio?.pfn == PFN(pfn) {
        tasks[slot].strayFolio = nil
        strayWent(slot)
      }
    }
    emit(nil, .freed(PFN(pfn), FolioOrder(UInt8(order))))
    return true
  }

  @inline(__always)
  mutating func lruInsertion(_ record: RawRecord) -> Bool {
    guard let pfn = table.layouts.lru.load(record) else { return false }
    guard isPossible(pfn) else { return true }
    // Told after the fault that mapped the folio.
    if let slot = tasks.slot(of: task), tasks[slot].fault.isOpen, tasks[slot].fault.insertedBeforeCommit(PFN(pfn)) {
      return true
    }
    emit(nil, .lruInserted(PFN(pfn)))
    return true
  }

  mutating func tlbFlush(_ slot: Int, _ record: RawRecord) -> Bool {
    guard let (reason, pages) = table.layouts.tlb.load(record) else { return false }
    if reason == FlushReason.remoteWrongCPU { return true }
    if reason != FlushReason.remoteShootdown {
      teardownShown(slot, byTaskSwitch: reason == FlushReason.taskSwitch)
    }
    if reason == FlushReason.remoteShootdown, pages == .max, tasks[slot].fault.isOpen,
      tasks[slot].fault.replacesSeen, tasks[slot].fault.awaitsFlush
    {
      tasks[slot].fault.flushedByAnother()
      settle(slot)
    }
    guard reason != FlushReason.taskSwitch, reason != FlushReason.remoteShootdown else { return true }
    if tasks[slot].fault.isOpen {
      if tasks[slot].fault.hasFolio, !FlushReason.isOfReclaim(reason, pages: pages) {
        let isFirst = tasks[slot].fault.awaitsFlush
        tasks[slot].fault.flush()
        if isFirst { settle(slot) }
      } else if pages == 1, tasks[slot].fault.mayReplaceFromPool {
        tasks[slot].fault.flushAlone()
        settle(slot)
      }
    } else if tasks[slot].fork != nil, pages == .max {
      tasks[slot].fork?.copied = true
    } else if tasks[slot].strayOwner != nil {
      strayWent(slot)
    } else if let folio = tasks[slot].strayFolio, pages == 1 {
      if batchesCounters, folio.zeroed { strayFilled(slot) }
      if tasks[slot].strayFolio == nil { return true }
      tasks[slot].strayFolio = nil
      replacedWithoutFault(slot, folio)
    } else {
      removalShown(slot)
    }
    return true
  }

  /// Reclaim set off by the fault's allocation splits a large folio: what it unmaps is flushed first
  /// (`try_to_migrate_one`, where no other CPU runs the mm).
  mutating func splitInFault(_ slot: Int) {
    guard tasks[slot].fault.splitSeen(), let mm = tasks[slot].faulting else { return }
    tasks[slot].fault.unsettle(mm, at: time, on: &line)
  }
}
