// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// userfaultfd, soft-dirty, NUMA hints, aging, device memory, memory failure.
extension LitmusPlayer {
  mutating func trackingStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .userfaultWriteProtect(let range, let unpopulated):
      return try forEachArea(range) { player, mm, pages, vma in
        player.world.uffdWriteProtect(mm, pages, vma)
        if unpopulated { player.world.uffdMarkUnpopulated(mm, pages) }
      }
    case .pagemapScanWriteProtect(let range):
      return try forEachArea(range) { player, mm, pages, vma in
        player.world.uffdWriteProtect(mm, pages, vma, batched: false)
      }
    case .userfaultPoison(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.uffdPoison(mm, VirtualPage(UInt64(page)))
      }
    case .userfaultResolve(let range):
      return try forEachArea(range) { player, mm, pages, vma in player.world.uffdResolve(mm, pages, vma) }
    case .userfaultCopy(let range, let writeProtected):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.storeVersion = player.takeVersion()
        let outcome = player.world.uffdCopy(
          mm, VirtualPage(UInt64(page)), try player.facts(mm, page), writeProtected: writeProtected)
        if case .installed = outcome { player.stored[mm, default: [:]][page] = player.world.storeVersion }
        return outcome
      }
    case .userfaultMove(let range, let destination):
      let shift = destination - range.pages.lowerBound
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        try player.checkMove(mm, from: page, to: page + shift)
        let outcome = player.world.uffdMove(
          mm, from: VirtualPage(UInt64(page)), to: VirtualPage(UInt64(page + shift)))
        if case .reused = outcome {} else if outcome != .done { return outcome }
        player.stored[mm, default: [:]][page + shift] = player.stored[mm]?[page]
        player.stored[mm]?[page] = nil
        return outcome
      }
    case .clearSoftDirty(let process):
      let mm = try mm(process)
      // `clear_refs_write` clears VM_SOFTDIRTY of every VMA: from here on they track.
      vmas[mm]?.change(0..<Int.max) { $0.softDirty = true }
      world.clearSoftDirty(mm, .everything)
      return choices.contains(.mkdirtySetsSoftDirty) ? markExclusiveWithSoftDirty(mm) : LitmusStepReport()
    case .numaScan(let range):
      return try forEachArea(range) { player, mm, pages, _ in player.world.numaScan(mm, pages) }
    case .ageMGLRU(let range):
      return try forEachArea(range) { player, mm, pages, _ in player.world.age(mm, pages) }
    default: return try deviceStep(operation)
    }
  }

  /// `validate_move_areas` (6.12): anonymous, writable, equal in protection and mlock.
  private func checkMove(_ mm: MMID, from source: Int, to destination: Int) throws(LitmusStop) {
    let (from, to) = (try vma(mm, source), try vma(mm, destination))
    guard from.protection == to.protection, from.protection.writable, from.locked == to.locked,
      from.backing == .anonymous, to.backing == .anonymous
    else { throw .failed }
  }

  private mutating func forEachArea(
    _ range: LitmusEntryRange, _ body: (inout Self, MMID, PageRange, VMAFacts) -> Void
  ) throws(LitmusStop) -> LitmusStepReport {
    let mm = try mm(range.process)
    for area in vmas[mm]?.parts(in: range.half) ?? [] { body(&self, mm, PageRange(area.pages), area.facts) }
    return LitmusStepReport()
  }

  /// C that marks exclusivity with `pte_mkdirty`: the page reads as written although nobody did.
  private mutating func markExclusiveWithSoftDirty(_ mm: MMID) -> LitmusStepReport {
    var report = LitmusStepReport()
    for ref in world.memory.liveRefs(mm, .everything) {
      var entry = world.memory.entry(ref)
      guard entry.kind == .present, !entry.writable, entry.dirty else { continue }
      entry.softDirty = true
      world.update(entry, at: ref)
      report.labels.insert(.cost)
    }
    return report
  }

  private mutating func deviceStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .toDevicePrivate(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.moveToDevice(mm, VirtualPage(UInt64(page)))
      }
    case .deviceInsert(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.deviceInsert(mm, VirtualPage(UInt64(page)), try player.facts(mm, page))
      }
    case .makeDeviceExclusive(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.makeDeviceExclusive(mm, VirtualPage(UInt64(page)))
      }
    case .memoryFailure(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.poison(mm, VirtualPage(UInt64(page)))
      }
    default: preconditionFailure("no device step: \(operation)")
    }
  }
}
