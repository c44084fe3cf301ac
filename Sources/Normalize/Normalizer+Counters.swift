// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// `rss_stat`: whose counter moved, and what that says of the fault, the fork, the exec or the teardown that is under way,
/// or of reclaim.
extension Normalizer {
  @inline(__always)
  mutating func rssStat(_ record: RawRecord) -> Bool {
    guard let (hash, current, number, size) = table.layouts.rss.load(record) else { return false }
    guard let slot = tasks.slot(of: task) else { return true }
    guard let member = table.members.member(number) else {
      gaps.add(.foreignCounters)
      return true
    }
    let pages = Int64(bitPattern: size) &>> Int64(truncatingIfNeeded: pageShift)
    let place = tasks[slot].counters
    guard current != 0, ownership.isCurrent(place, hash: hash) else {
      searchedCounter(slot, hash: hash, isCurrent: current != 0, member, pages: pages)
      return true
    }
    let old = ownership.count(member, at: place, pages: pages)
    if batchesCounters || tasks[slot].explainsCounters {
      ownCounter(slot, member, from: old, to: pages)
    } else if pages < old {
      fell(slot, member, by: old &- pages)
    } else if pages > old, member == .anonymous || member == .swapEntries {
      ownCounter(slot, member, from: old, to: pages)
    }
    return true
  }

  /// A counter of the task's own mm moved, and that may mean something.
  @inline(never)
  private mutating func ownCounter(_ slot: Int, _ member: RSSMember, from old: Int64, to pages: Int64) {
    guard let mm = tasks[slot].mm else { return }
    counted(slot, mm, isOwn: true, member, pages: pages, MMOwnership.change(from: old, to: pages))
  }

  /// A counter that is not of the mm, at the place, where the task's last one was.
  @inline(never)
  private mutating func searchedCounter(
    _ slot: Int, hash: UInt64, isCurrent: Bool, _ member: RSSMember, pages: Int64
  ) {
    guard let mm = owner(slot, hash: hash, isCurrent: isCurrent) else {
      gaps.add(.foreignCounters)
      return
    }
    let place = ownership.counters(of: mm)
    if let place, mm == tasks[slot].mm { tasks[slot].counters = place }
    // The counters of its own mm move while it runs on another: `exec_mmap` is past, the old mm is torn down.
    if !isCurrent, mm == tasks[slot].mm {
      // A thread that exited, and was not the last, does not do that.
      if tasks[slot].hasExited, tasks[slot].dying == nil {
        takeLeadersID(slot) { $0.mm == mm && $0.exec?.switched == false }
      }
      leave(slot, mm)
    }
    let change = place.flatMap {
      MMOwnership.change(from: ownership.count(member, at: $0, pages: pages), to: pages)
    }
    counted(slot, mm, isOwn: isCurrent && mm == tasks[slot].mm, member, pages: pages, change)
  }

  private mutating func counted(
    _ slot: Int, _ mm: MMID, isOwn: Bool, _ member: RSSMember, pages: Int64, _ change: Int64?
  ) {
    if batchesCounters || tasks[slot].explainsCounters {
      explainedCounter(slot, mm, isOwn: isOwn, member, pages: pages, change)
    } else if let change {
      movedWithoutFault(slot, mm, member, change)
    }
  }

  /// A counter moved in one of the windows that give it a meaning.
  @inline(never)
  private mutating func explainedCounter(
    _ slot: Int, _ mm: MMID, isOwn: Bool, _ member: RSSMember, pages: Int64, _ change: Int64?
  ) {
    if tasks[slot].windows.contains(.replacement) {
      // One that another CPU changed meanwhile seems not to have moved.
      let isReclaim = isOwn && member == .anonymous && change ?? 0 <= 0
      if isReclaim { replacementWasReclaim(slot) } else { replacementStands(slot) }
    }
    let isFaulting = tasks[slot].fault.isOpen && (tasks[slot].remote.map { $0 == mm } ?? isOwn)
    if isOwn, batchesCounters, !(isFaulting && tasks[slot].fault.isCounted(member, change)) {
      if let change, change < 0 { fell(slot, member, by: -change) }
    } else if isFaulting, member == .swapEntries, tasks[slot].fault.swappedOut(change) {
      tasks[slot].fault.unsettle(mm, at: time, on: &line)
      if let change, change > 0 { emit(mm, .swappedOut(pages: UInt64(change))) }
    } else if isFaulting {
      tasks[slot].fault.moved(member, pages: change)
      if tasks[slot].fault.isCommitted { settle(slot) } else { tasks[slot].fault.unsettle(mm, at: time, on: &line) }
    } else if tasks[slot].fork?.child == mm {
      if let change, change > 0 { emit(tasks[slot].mm, .forkCounted(child: mm, member, pages: UInt64(pages))) }
    } else if tasks[slot].exec?.mm == mm, tasks[slot].exec?.switched == false {
      if member == .anonymous, let change, change > 0, let folio = tasks[slot].strayFolio {
        tasks[slot].strayFolio = nil
        emit(mm, .argumentPage(folio.pfn))
      }
    } else if tasks[slot].dying?.mm == mm {
      if let change, change < 0, let remaining = ownership.count(.anonymous, of: mm) {
        emit(
          mm, .mmTeardownProceeded(remaining: UInt64(clamping: remaining), unmapped: change.magnitude, flushed: false))
      }
    } else if let change {
      movedWithoutFault(slot, mm, member, change)
    }
  }

  /// A counter of the task's own mm went down with no fault open: its call takes something away, or reclaims.
  @inline(__always)
  private mutating func fell(_ slot: Int, _ member: RSSMember, by pages: Int64) {
    removalShown(slot)
    if member == .anonymous, tasks[slot].call?.isPagingOut == true {
      emit(tasks[slot].mm, .reclaimed(pages: pages.magnitude))
    }
  }

  /// A counter moved with no fault open: population, removal, or reclaim by whoever runs.
  private mutating func movedWithoutFault(_ slot: Int, _ mm: MMID, _ member: RSSMember, _ change: Int64) {
    if change < 0, mm == tasks[slot].mm {
      fell(slot, member, by: -change)
    } else if change < 0, member == .anonymous, !tasks[slot].hasExited {
      emit(mm, .reclaimed(pages: change.magnitude))
    }
    if change > 0, member == .anonymous || member == .swapEntries { appearedWithoutFault(slot, mm, member, change) }
  }

  @inline(never)
  private mutating func appearedWithoutFault(_ slot: Int, _ mm: MMID, _ member: RSSMember, _ change: Int64) {
    guard member == .anonymous else {
      emit(mm, .swappedOut(pages: UInt64(change)))
      return
    }
    // A collapse counts what was not there before; its folio is told at its end.
    guard mm == tasks[slot].mm, let folio = tasks[slot].strayFolio, !tasks[slot].isCollapsing else { return }
    strayFilled(slot, folio)
  }

  /// Whose counter it is. Learns the hash of an mm in the windows where it first shows.
  private mutating func owner(_ slot: Int, hash: UInt64, isCurrent: Bool) -> MMID? {
    if !isCurrent {
      // Reclaim by the task may count for mms that have been there before.
      if let known = ownership.id(hash: hash) { return known }
      if let fork = tasks[slot].fork, ownership.hash(of: fork.child) == nil {
        ownership.learn(hash: hash, of: fork.child)
      } else if let exec = tasks[slot].exec, !exec.switched, ownership.hash(of: exec.mm) == nil {
        ownership.learn(hash: hash, of: exec.mm)
      }
      return ownership.id(hash: hash)
    }
    if let mm = tasks[slot].mm, ownership.isLive(mm) {
      let known = ownership.hash(of: mm)
      if known == hash { return mm }
      if known == nil, ownership.id(hash: hash) == nil {
        ownership.learn(hash: hash, of: mm)
        return mm
      }
    }
    return rebind(slot, hash: hash)
  }

  /// The task runs on another mm than believed, or none was known: an attached thread, or a switch that was lost.
  private mutating func rebind(_ slot: Int, hash: UInt64) -> MMID? {
    guard tasks[slot].isFollowed, !tasks[slot].hasExited else { return ownership.id(hash: hash) }
    if let exec = tasks[slot].exec, !exec.switched, ownership.hash(of: exec.mm) == hash {
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
