// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// `gup_fast` in its steps (docs/semantics.md, "GUP-fast"): a pin for reading that takes no lock.
extension World {
  /// g0 to g2: `write_protect_seq`, the PMD and the entry are read.
  package mutating func fastPinRead(_ cpu: CPUNumber, _ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.fastPinRead) { return .nothing }
    guard let slot = memory.slot(of: mm), let ref = memory.find(mm, page) else { return .failed(.fault) }
    fastPins.removeAll { $0.cpu == cpu }
    fastPins.append(
      FastPin(
        cpu: cpu, mm: mm, page: page, seen: tables.entry(ref), table: ref.table,
        hasTableState: E.hasTableState(self, ref.table), sequence: mms[Int(slot)]?.writeProtectSequence ?? 0))
    return .done
  }

  /// g4: the folio is grabbed.
  package mutating func fastPinGrab(_ cpu: CPUNumber) -> Outcome {
    if skips(.fastPinGrab) { return .nothing }
    guard let index = fastPins.firstIndex(where: { $0.cpu == cpu }) else { return .nothing }
    let seen = fastPins[index].seen
    guard seen.kind == .present, folios.flags(seen.folio).contains(.live) else { return .nothing }
    folios.withSide(seen.folio) { $0.pins += 1 }
    fastPins[index].isGrabbed = true
    return .done
  }

  /// g5 to g9: PMD and entry are read again, then (for a read-only one) exclusivity, then the sequence count (I13).
  /// `busy`: backed off.
  package mutating func fastPinEnd(_ cpu: CPUNumber) -> Outcome {
    guard let index = fastPins.firstIndex(where: { $0.cpu == cpu }) else { return .nothing }
    let pin = fastPins.remove(at: index)
    if pin.tableStateWasFreed { incidents.insert(.useAfterFree) }
    guard pin.isGrabbed else { return .failed(.busy) }
    let folio = pin.seen.folio
    folios.withSide(folio) { $0.pins -= 1 }
    guard let ref = memory.find(pin.mm, pin.page), isUnchanged(pin, ref),
      pin.seen.writable || E.fastClaim(self, ref, tables.entry(ref)).isExclusive
    else {
      memory.release(folio)
      return .failed(.busy)
    }
    return takePin(ref, pin.mm, pin.page, write: false)
  }

  private func isUnchanged(_ pin: FastPin, _ ref: EntryRef) -> Bool {
    guard let slot = memory.slot(of: pin.mm), let sequence = mms[Int(slot)]?.writeProtectSequence else { return false }
    return ref.table == pin.table && tables.entry(ref).hardwareBits == pin.seen.hardwareBits
      && sequence == pin.sequence && sequence % 2 == 0
  }
}

extension Entry {
  /// What `pte_same` compares: all but what the model keeps beside the entry.
  var hardwareBits: UInt64 { raw & ~Entry.slotMask }
}
