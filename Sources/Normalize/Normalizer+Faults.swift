// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// `X86_PF_*` bits of `error_code`.
private enum FaultError {
  static let present: UInt64 = 1
  static let write: UInt64 = 2
  static let fetch: UInt64 = 16
}

/// `TLB_FLUSH_ON_TASK_SWITCH` and `TLB_REMOTE_SHOOTDOWN` are somebody else's doing.
private enum FlushReason {
  static let taskSwitch: UInt64 = 0
  static let remoteShootdown: UInt64 = 1
}

extension Normalizer {
  mutating func beginFault(
    _ slot: Int, _ record: RawRecord, _ fields: (address: EventLayouts.Field, error: EventLayouts.Field), kernel: Bool
  ) -> Bool {
    guard let address = fields.address.load(record), let error = fields.error.load(record) else { return false }
    guard !tasks[slot].isCollector else { return true }
    var access: FaultAccess = kernel ? .kernel : []
    if error & FaultError.present != 0 { access.insert(.present) }
    if error & FaultError.write != 0 { access.insert(.write) }
    if error & FaultError.fetch != 0 { access.insert(.execute) }
    strayWent(slot)
    strayFilled(slot)
    tasks[slot].lockedForeign = nil
    tasks[slot].strayFolio = nil
    tasks[slot].isFollowed = true
    tasks[slot].fault = PendingFault(
      page: page(address), access: access, sequence: sequence, time: time, cpu: cpu, task: task,
      slot: line.keepPlace(at: time), signs: signs)
    // A task may sleep after its fault: shown nothing in time, it is told as quiet. Should it have been blocked, the
    // commit is told when it comes.
    if let fault = tasks[slot].fault, let mm = tasks[slot].mm { line.propose(fault.slot, event(of: fault, mm)) }
    return true
  }

  /// The task went on: what its fault came to is known now.
  mutating func closeFault(_ slot: Int) {
    defer { tasks[slot].fault = nil }
    if let pfn = tasks[slot].fault?.takeInserted() { emit(nil, .lruInserted(pfn)) }
    guard let fault = tasks[slot].fault else { return }
    guard let mm = tasks[slot].mm else {
      counters.faultsWithoutMM &+= 1
      line.drop(fault.slot)
      return
    }
    // When the place is gone, what had been seen went out when its time was up.
    if fault.isHeld || !line.fill(fault.slot, with: event(of: fault, mm)) && fault.isOpenToTheEnd {
      line.append(event(of: fault, mm))
    }
  }

  func event(of fault: PendingFault, _ mm: MMID) -> MMEventRecord {
    let settled = fault.settled ?? (fault.sequence, fault.time)
    return MMEventRecord(
      sequence: settled.sequence, time: settled.time, cpu: fault.cpu, task: fault.task, mm: mm,
      event: .fault(fault.page, fault.seenAccess, fault.outcome))
  }

  /// A folio was allocated: the fault is not quiet, however long it takes to clear or fill it, and is told when it
  /// commits or when its task goes on. Where a flush is to follow, it is quiet yet until that comes.
  private mutating func hold(_ slot: Int) {
    guard let fault = tasks[slot].fault, fault.settled == nil, !fault.isHeld else { return }
    if fault.replacesSeen { return }
    tasks[slot].fault?.isHeld = line.drop(fault.slot)
  }

  /// A sign of a commit: at the first one the fault takes its place here; each makes its outcome clearer.
  private mutating func settle(_ slot: Int) {
    guard let fault = tasks[slot].fault else { return }
    if fault.settled == nil {
      if !fault.isHeld, !line.drop(fault.slot) { tasks[slot].fault?.access.insert(.late) }
      tasks[slot].fault?.isHeld = false
      tasks[slot].fault?.slot = line.keepPlace(at: time)
      tasks[slot].fault?.settled = (sequence, time)
      if let pfn = tasks[slot].fault?.takeInserted() { emit(nil, .lruInserted(pfn)) }
    }
    guard let fault = tasks[slot].fault, let mm = tasks[slot].mm else { return }
    line.propose(fault.slot, event(of: fault, mm))
  }

  mutating func pageAlloc(_ record: RawRecord) -> Bool {
    let fields = table.layouts.alloc
    guard let pfn = fields.pfn.load(record), let order = fields.order.load(record), order < 32,
      let gfp = fields.gfp.load(record)
    else { return false }
    // A failed allocation carries no frame.
    guard pfn != .max, table.gfp.isUserFolio(gfp, order: order), let slot = tasks.slot(of: task) else { return true }
    let folio = StrayFolio(pfn: PFN(pfn), order: FolioOrder(UInt8(order)), zeroed: table.gfp.isZeroed(gfp))
    if tasks[slot].fault?.isOver == true { closeFault(slot) }
    if tasks[slot].fault != nil {
      tasks[slot].fault?.allocated(folio.pfn, folio.order, zeroed: folio.zeroed, at: time)
      if tasks[slot].fault?.commitsUnseen == true { settle(slot) } else { hold(slot) }
    } else if let fork = tasks[slot].fork, !fork.copied, !folio.zeroed, folio.order == .base {
      emit(tasks[slot].mm, .forkCopiedPinned(child: fork.child, folio.pfn))
    } else {
      // KSM breaks all pages of an mm under one lock, and GUP takes them one after the other.
      if folio.order == .base { strayWent(slot) }
      strayFilled(slot)
      tasks[slot].strayFolio = folio
      tasks[slot].strayOwner = tasks[slot].lockedForeign
      if let place = tasks[slot].strayPlace { line.drop(place) }
      tasks[slot].strayPlace = tasks[slot].strayOwner.map { owner in
        let place = line.keepPlace(at: time)
        line.propose(place, self.record(owner, .appeared(folio.pfn, folio.order)))
        return place
      }
    }
    return true
  }

  mutating func pageFree(_ record: RawRecord) -> Bool {
    let fields = table.layouts.free
    guard let pfn = fields.pfn.load(record), let order = fields.order.load(record), order < 32 else { return false }
    if let slot = tasks.slot(of: task) {
      teardownShown(slot)
      tasks[slot].fault?.freed(PFN(pfn))
      if tasks[slot].strayFolio?.pfn == PFN(pfn) {
        tasks[slot].strayFolio = nil
        strayWent(slot)
      }
    }
    emit(nil, .freed(PFN(pfn), FolioOrder(UInt8(order))))
    return true
  }

  mutating func lruInsertion(_ record: RawRecord) -> Bool {
    guard let pfn = table.layouts.lru.load(record) else { return false }
    // Told after the fault that mapped the folio.
    if let slot = tasks.slot(of: task), tasks[slot].fault?.insertedBeforeCommit(PFN(pfn)) == true { return true }
    emit(nil, .lruInserted(PFN(pfn)))
    return true
  }

  mutating func tlbFlush(_ slot: Int, _ record: RawRecord) -> Bool {
    guard let reason = table.layouts.tlb.reason.load(record), let pages = table.layouts.tlb.pages.load(record) else {
      return false
    }
    if reason != FlushReason.remoteShootdown {
      teardownShown(slot, byTaskSwitch: reason == FlushReason.taskSwitch)
    }
    if reason == FlushReason.remoteShootdown, pages == .max, let fault = tasks[slot].fault, fault.replacesSeen,
      fault.awaitsFlush
    {
      tasks[slot].fault?.flushedByAnother()
      settle(slot)
    }
    guard reason != FlushReason.taskSwitch, reason != FlushReason.remoteShootdown else { return true }
    if let fault = tasks[slot].fault {
      if fault.awaitsFlush {
        tasks[slot].fault?.flush()
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

  mutating func rssStat(_ record: RawRecord) -> Bool {
    let fields = table.layouts.rss
    guard let hash = fields.mm.load(record), let current = fields.current.load(record),
      let number = fields.member.loadSigned(record), let size = fields.size.loadSigned(record)
    else { return false }
    guard let slot = tasks.slot(of: task) else { return true }
    guard let member = table.members.member(number), let mm = owner(slot, hash: hash, isCurrent: current != 0) else {
      counters.foreignCounters &+= 1
      return true
    }
    // The counters of its own mm move while it runs on another: `exec_mmap` is past, the old mm is torn down.
    if current == 0, mm == tasks[slot].mm { leave(slot, mm) }
    let pages = size >> Int64(pageShift)
    let change = ownership.count(member, of: mm, pages: pages)
    if batchesCounters, mm == tasks[slot].mm, current != 0, tasks[slot].fault?.isCounted(member, change) != true {
      if let change, change < 0 { removalShown(slot) }
    } else if mm == tasks[slot].mm, current != 0, tasks[slot].fault != nil {
      tasks[slot].fault?.moved(member, pages: change)
      settle(slot)
    } else if let fork = tasks[slot].fork, fork.child == mm {
      if let change, change > 0 { emit(tasks[slot].mm, .forkCounted(child: mm, member, pages: UInt64(pages))) }
    } else if let exec = tasks[slot].exec, exec.mm == mm, !exec.switched {
      if member == .anonymous, let change, change > 0, let folio = tasks[slot].strayFolio {
        tasks[slot].strayFolio = nil
        emit(mm, .argumentPage(folio.pfn))
      }
    } else if let dying = tasks[slot].dying, dying.mm == mm {
      if let change, change < 0, let remaining = ownership.count(.anonymous, of: mm) {
        emit(
          mm, .mmTeardownProceeded(remaining: UInt64(clamping: remaining), unmapped: change.magnitude, flushed: false))
      }
    } else if let change {
      movedWithoutFault(slot, mm, member, change)
    }
    return true
  }

  /// A counter moved with no fault open: population, removal, or reclaim by whoever runs.
  private mutating func movedWithoutFault(_ slot: Int, _ mm: MMID, _ member: RSSMember, _ change: Int64) {
    if change < 0, mm == tasks[slot].mm { removalShown(slot) }
    switch member {
    case .swapEntries where change > 0: emit(mm, .swappedOut(pages: UInt64(change)))
    case .anonymous where change > 0 && mm == tasks[slot].mm:
      // A collapse counts what was not there before; its folio is told at its end.
      guard let folio = tasks[slot].strayFolio, !tasks[slot].isCollapsing else { break }
      tasks[slot].strayFolio = nil
      filledWithoutFault(
        slot,
        folio.zeroed || folio.order != .base
          ? .anonymous(folio.pfn, folio.order, replaced: false) : .copiedFromFile(folio.pfn, wasMapped: false))
    case .file, .shmem, .swapEntries, .anonymous: break
    }
  }

  /// Whose counter it is. Learns the hash of an mm in the windows where it first shows.
  private mutating func owner(_ slot: Int, hash: UInt64, isCurrent: Bool) -> MMID? {
    if !isCurrent {
      if let fork = tasks[slot].fork, ownership[fork.child]?.hash == nil {
        ownership.learn(hash: hash, of: fork.child)
      } else if let exec = tasks[slot].exec, !exec.switched, ownership[exec.mm]?.hash == nil {
        ownership.learn(hash: hash, of: exec.mm)
      }
      return ownership.id(hash: hash)
    }
    if let mm = tasks[slot].mm, let known = ownership[mm] {
      if known.hash == hash { return mm }
      if known.hash == nil, ownership.id(hash: hash) == nil {
        ownership.learn(hash: hash, of: mm)
        return mm
      }
    }
    return rebind(slot, hash: hash)
  }

  /// The task runs on another mm than believed, or none was known: an attached thread, or a switch that was lost.
  private mutating func rebind(_ slot: Int, hash: UInt64) -> MMID? {
    guard tasks[slot].isFollowed else { return ownership.id(hash: hash) }
    if let exec = tasks[slot].exec, !exec.switched, ownership[exec.mm]?.hash == hash {
      switchToNewProgram(slot)
      return exec.mm
    }
    // Before the switch of an execve the old mm is current and known by now; anything else is an attached task.
    let mm = ownership.id(hash: hash) ?? attach(pointer: nil)
    ownership.learn(hash: hash, of: mm)
    if let old = tasks[slot].mm, old != mm, ownership.removeUser(old) { emit(old, .mmTeardownBegan) }
    if tasks[slot].mm != mm {
      tasks[slot].mm = mm
      ownership.addUser(mm)
    }
    return mm
  }

  /// An address space that existed before the recording.
  mutating func attach(pointer: UInt64?) -> MMID {
    let mm = ownership.create(pointer: pointer, origin: .attached)
    emit(mm, .mmCreated(.attached))
    return mm
  }
}

extension RSSMembers {
  func member(_ number: Int64) -> RSSMember? {
    switch number {
    case file: .file
    case anonymous: .anonymous
    case swapEntries: .swapEntries
    case shmem: .shmem
    default: nil
    }
  }
}
