// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// Where a release of a pin runs: an interrupt may come in between.
struct ReleaseContext: Hashable {
  let cpu: CPU
  let isInterrupt: Bool
}

/// A page or a folio of which a function gives a pin back that lets `gup_put_folio` do it, or has that built in.
struct PinRelease {
  let frame: UInt64
  /// Otherwise the first of a folio.
  let isPage: Bool

  /// Whether it gives back what `gup_put_folio` has: a folio begins where its size allows.
  func isOf(_ folio: UInt64) -> Bool {
    if folio == frame { return true }
    let size = UInt64(1) << UInt64(min(folio.trailingZeroBitCount, 9))
    return isPage && folio < frame && frame - folio < size
  }
}

/// Pins as probes show them: who asks GUP for them, what came of it, and that they are given back.
extension Normalizer {
  mutating func pinEntered(_ slot: Int, _ record: RawRecord) -> Bool {
    guard let layout = table.layouts.probes[record.eventID], let start = layout.start.load(record),
      let count = layout.count.load(record), let flags = layout.flags.load(record)
    else { return false }
    losePin(slot)
    strayWent(slot)
    replacementStands(slot)
    tasks[slot].strayFolio = nil
    var mm = tasks[slot].mm
    if layout.probe == .pinRemote {
      guard let pointer = layout.mm.load(record) else { return false }
      mm = ownership.id(pointer: pointer)
    }
    // Nobody's that is followed.
    guard let mm, ownership.isLive(mm) else { return true }
    let range = PageRange(start: page(start), count: Int(clamping: min(count, 1 << 40)))
    tasks[slot].pin = PinWindow(mm: mm, range: range)
    emit(mm, .pinBegan(range, gupFlags.pinFlags(flags)))
    return true
  }

  mutating func pinExited(_ slot: Int, _ record: RawRecord) -> Bool {
    guard let result = table.layouts.probes[record.eventID]?.result.loadSigned(record) else { return false }
    guard let pin = tasks[slot].pin else { return true }
    settleFilled(slot)
    tasks[slot].pin = nil
    // An error is less than zero; more than was asked for there cannot be.
    let count = max(0, min(Int(clamping: result), pin.range.count))
    emit(pin.mm, .pinEnded(PageRange(start: pin.range.start, count: count)))
    return true
  }

  /// What it came to is not in the trace.
  mutating func losePin(_ slot: Int) {
    guard let pin = tasks[slot].pin else { return }
    settleFilled(slot)
    tasks[slot].pin = nil
    emit(pin.mm, .pinEnded(nil))
  }

  /// What GUP fills it has filled by now.
  private mutating func settleFilled(_ slot: Int) {
    if batchesCounters { strayFilled(slot) }
    strayWent(slot)
    replacementStands(slot)
    tasks[slot].strayFolio = nil
  }

  mutating func pinReleased(_ record: RawRecord) -> Bool {
    guard let layout = table.layouts.probes[record.eventID], let frame = layout.frame(record) else { return false }
    let context = ReleaseContext(cpu: cpu, isInterrupt: layout.isInterrupt(record))
    let outer = releases.removeValue(forKey: context)
    guard isPossible(frame) else { return true }
    var count: UInt64 = 1
    switch layout.probe {
    case .putFolio:
      guard let flags = layout.flags.load(record), let references = layout.references.load(record) else { return false }
      guard flags & gupFlags.pin != 0 else { return true }
      // It works for the one that was told: of the folio that begins there, or of one that the page is in.
      if let outer, outer.isOf(frame) { return true }
      count = references
    case .unpinUserFolio:
      guard let references = layout.references.load(record) else { return false }
      count = references
      releases[context] = PinRelease(frame: frame, isPage: false)
    default: releases[context] = PinRelease(frame: frame, isPage: layout.probe == .unpinPage)
    }
    // GUP took it in its fast path, looked again, and goes the slow way (`gup_fast_pte_range`); or it moves pages
    // (`check_and_migrate_movable_pages`).
    if !context.isInterrupt, task != TaskID(0), let slot = tasks.slot(of: task), tasks[slot].pin != nil { return true }
    guard let pins = UInt32(exactly: count), pins > 0 else { return false }
    emit(nil, .unpinned(PFN(frame), count: pins))
    return true
  }

  /// What a folio that came in under the lock of another's mm is there.
  func strayEvent(_ slot: Int, _ owner: MMID, _ folio: StrayFolio) -> MMEvent {
    guard let pin = tasks[slot].pin, pin.mm == owner else { return .appeared(folio.pfn, folio.order) }
    let isTouch = folio.zeroed || folio.order != .base
    return .populated(
      pin.range,
      isTouch ? .anonymous(folio.pfn, folio.order, replaced: false) : .copied(folio.pfn, sinceDecision: 0))
  }
}
