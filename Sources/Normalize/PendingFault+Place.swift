// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// A fault's place among the other events: at its entry until something shows that it commits, there from then on.
extension PendingFault {
  /// The place where it is told unless it is moved on: here. Without an mm it has nothing to tell yet.
  mutating func keepPlace(_ mm: MMID?, at time: Timestamp, on line: inout DelayLine) {
    if let mm {
      slot = line.keepPlace(at: time, proposing: event(mm))
    } else {
      slot = line.keepPlace(at: time)
    }
  }

  /// What will stand at its place unless more becomes known in time.
  mutating func propose(_ mm: MMID, on line: inout DelayLine) { line.propose(slot, event(mm)) }

  /// A folio was allocated: the fault is not quiet, however long it takes to clear or fill it, and is told when it
  /// commits or when its task goes on. Where a flush is to follow, it is quiet yet until that comes.
  mutating func hold(on line: inout DelayLine) {
    guard settled == nil, !isHeld, !replacesSeen else { return }
    isHeld = line.drop(slot)
  }

  /// mmap_lock was not to be had at once (`get_mmap_lock_carefully`): it is told when it has got the lock, or when its task
  /// goes on.
  mutating func waits(on line: inout DelayLine) {
    guard settled == nil, !isHeld, !hasFolio else { return }
    isHeld = line.drop(slot)
  }

  /// It has the lock for which it waited: its place is here.
  mutating func resume(_ mm: MMID, at sequence: Sequence, _ time: Timestamp, on line: inout DelayLine) {
    guard isHeld, !hasFolio else { return }
    isHeld = false
    resumed = (sequence, time)
    keepPlace(mm, at: time, on: &line)
  }

  /// A sign of a commit: at the first one the fault takes its place here; each makes its outcome clearer.
  mutating func settle(_ mm: MMID?, at sequence: Sequence, _ time: Timestamp, on line: inout DelayLine) {
    guard settled == nil else {
      if let mm { propose(mm, on: &line) }
      return
    }
    if !isHeld, !line.drop(slot) { access.insert(.late) }
    isHeld = false
    settled = (sequence, time)
    keepPlace(mm, at: time, on: &line)
  }

  /// What looked like a sign was none: the commit is yet to come, or nothing will.
  mutating func unsettle(_ mm: MMID?, at time: Timestamp, on line: inout DelayLine) {
    guard settled != nil, !isCommitted else { return }
    settled = nil
    line.drop(slot)
    keepPlace(mm, at: time, on: &line)
    if hasFolio { hold(on: &line) }
  }

  /// What it came to is known now: it ends.
  mutating func close(_ mm: MMID, on line: inout DelayLine) {
    defer { end() }
    let event = event(mm)
    // When the place is gone, what had been seen went out when its time was up.
    if isHeld || !line.fill(slot, with: event) && isOpenToTheEnd { line.append(event) }
  }

  /// What it came to will not be known. Where the place was given up, it was told as quiet, or is yet to commit.
  mutating func lose(_ mm: MMID, on line: inout DelayLine) {
    defer { end() }
    guard !isHeld else { return }
    var event = event(mm)
    event.event = .fault(page, seenAccess, .lost)
    _ = line.fill(slot, with: event)
  }

  /// It is told nowhere.
  mutating func drop(from line: inout DelayLine) {
    line.drop(slot)
    end()
  }
}
