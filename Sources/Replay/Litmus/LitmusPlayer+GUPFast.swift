// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// A lock-free read-only pin in its steps (reference 7.5, GUPF), and what KSM prepares before it takes the PTL.
extension LitmusPlayer {
  mutating func gupFastStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .gupFastRead(let cpu, let range):
      fastPins[cpu] = try readForFastPin(range)
      return LitmusStepReport()
    case .gupFastBegin(let cpu, let range):
      var pin: LitmusFastPin
      if let read = fastPins[cpu] { pin = read } else { pin = try readForFastPin(range) }
      if pin.seen.kind == .present, world.folios[FolioID(pin.seen.index)].flags.contains(.live) {
        pin.grabbed = true
        world.folios.withSide(FolioID(pin.seen.index)) { $0.pins += 1 }
      }
      fastPins[cpu] = pin
      return LitmusStepReport()
    case .gupFastEnd(let cpu): return try endFastPin(cpu)
    default: preconditionFailure("no step of GUP-fast: \(operation)")
    }
  }

  private func readForFastPin(_ range: LitmusEntryRange) throws(LitmusStop) -> LitmusFastPin {
    let mm = try mm(range.process)
    let page = range.pages.lowerBound
    guard let ref = find(mm, page) else { throw .failed }
    return LitmusFastPin(
      mm: mm, page: page, seen: world.entry(ref), table: ref.region, hadBitmap: world.tables[ref.region].hasBitmap,
      grabbed: false)
  }

  /// Re-read of PMD and entry, then (for a read-only one) exclusivity. Backing off is the failure of this step.
  private mutating func endFastPin(_ cpu: LitmusCPU) throws(LitmusStop) -> LitmusStepReport {
    guard let pin = fastPins.removeValue(forKey: cpu) else { throw .failed }
    let folio = FolioID(pin.seen.index)
    let ref = find(pin.mm, pin.page)
    var report = LitmusStepReport()
    if ref?.region != pin.table, pin.hadBitmap, E.id == .b, !world.switches.contains(.bFree) {
      report.labels.insert(.useAfterFree)
    }
    guard pin.grabbed, let ref, ref.region == pin.table, world.entry(ref).hardwareBits == pin.seen.hardwareBits,
      pin.seen.writable || seesExclusive(ref)
    else {
      report.failed = true
      if pin.grabbed {
        world.folios.withSide(folio) { $0.pins -= 1 }
        world.release(folio)
      }
      return report
    }
    world.folios.withSide(folio) { $0.pins -= 1 }
    let outcome = world.pinGranted(ref, pin.mm, VirtualPage(UInt64(pin.page)))
    return LitmusStepReport(outcome)
  }

  /// B without ordering: the bitmap is published after the entry, so a reader may find none.
  private func seesExclusive(_ ref: EntryRef) -> Bool {
    if E.id == .b, !world.switches.contains(.bGUPFast) { return true }
    return E.claim(world, ref, world.entry(ref)).isExclusive
  }

  // — KSM before the PTL

  mutating func prepareKSM(_ range: LitmusEntryRange) throws(LitmusStop) -> LitmusStepReport {
    let mm = try mm(range.process)
    let page = range.pages.lowerBound
    guard let ref = find(mm, page) else { throw .failed }
    preparedKSM[LitmusPage(mm: mm, page: page)] = ref.region
    return LitmusStepReport()
  }

  /// What becomes of a bitmap allocated for a table that is gone by now.
  mutating func settlePreparedKSM(_ mm: MMID, _ page: Int) -> Set<LitmusLabel> {
    guard let table = preparedKSM.removeValue(forKey: LitmusPage(mm: mm, page: page)), E.id == .b,
      find(mm, page)?.region != table
    else { return [] }
    if choices.contains(.ksmKeepsTable) { return [.useAfterFree] }
    return choices.contains(.ksmForgetsBitmap) ? [.leak] : []
  }
}

extension Entry {
  /// What `pte_same` compares: all but what the model keeps beside the entry.
  var hardwareBits: UInt64 { raw & ~Entry.slotMask }
}

extension World {
  /// The pin is counted as `takePin` would; the grab has been undone by the caller.
  mutating func pinGranted(_ ref: EntryRef, _ mm: MMID, _ page: VirtualPage) -> Outcome {
    let entry = tables.entry(ref)
    let folio = FolioID(entry.index)
    let pinned = entry.page
    folios.withSide(folio) { side in
      side.pins += 1
      if side.pagePins.isEmpty { side.pagePins = Array(repeating: 0, count: side.order.pageCount) }
      side.pagePins[pinned] += 1
    }
    pins.append(
      PinRecord(
        mm: mm, page: page, folio: folio, pageInFolio: contentPage(ref, entry, page), entryPage: pinned))
    if let slot = slot(of: mm) { mms[Int(slot)]?.hasPinned = true }
    return .reused(folio)
  }
}
