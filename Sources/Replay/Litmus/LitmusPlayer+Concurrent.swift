// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Half-steps of another CPU, and what the architecture does by itself.
extension LitmusPlayer {
  mutating func concurrentStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .failBitmapAllocation(let count):
      world.options.bitmapAllocationBudget = count
      return LitmusStepReport()
    case .contpteFold(let range):
      let mm = try mm(range.process)
      guard machine.architecture == .arm64 else { throw .failed }
      world.foldContpteBlock(world.liveRefs(mm, PageRange(range.half)))
      return LitmusStepReport()
    case .tlbFill(let cpu, let range):
      let mm = try mm(range.process)
      let page = range.pages.lowerBound
      translations[cpu] = LitmusTranslation(mm: mm, page: page, entry: entry(mm, page))
      return LitmusStepReport()
    case .tlbStore(let cpu, let range): return try storeThroughTLB(cpu, range)
    case .tlbFlush:
      translations = [:]
      return LitmusStepReport()
    case .reuseCheck(let range):
      guard let ref = find(try mm(range.process), range.pages.lowerBound), world.reuseCheck(ref) == .passes else {
        throw .failed
      }
      return LitmusStepReport()
    case .reuseCommit(let range):
      let mm = try mm(range.process)
      guard let ref = find(mm, range.pages.lowerBound) else { throw .failed }
      world.commitReuse(ref, try facts(mm, range.pages.lowerBound))
      return LitmusStepReport()
    case .rcuGracePeriod: return LitmusStepReport()
    case .gupFastRead, .gupFastBegin, .gupFastEnd: return try gupFastStep(operation)
    default: preconditionFailure("no concurrent step: \(operation)")
    }
  }

  // — a CPU's own translation

  /// The store of a CPU that still has the translation. Without one it would fault, and wait for whoever holds the
  /// locks: nothing happens.
  private mutating func storeThroughTLB(
    _ cpu: LitmusCPU, _ range: LitmusEntryRange
  ) throws(LitmusStop) -> LitmusStepReport {
    let mm = try mm(range.process)
    let page = range.pages.lowerBound
    guard let held = translations[cpu], held.mm == mm, held.page == page, held.entry.writable else {
      return LitmusStepReport()
    }
    if !held.entry.dirty {
      // The CPU walks the table again to set Dirty.
      guard let ref = find(mm, page), markDirtyInTable(ref) else {
        translations[cpu] = nil
        return LitmusStepReport()
      }
      translations[cpu]?.entry.dirty = true
    }
    let version = takeVersion()
    stored[mm, default: [:]][page] = version
    let folio = FolioID(held.entry.index)
    world.folios.setContent(version, of: folio, page: held.entry.page)
    if world.folios[folio].flags.contains(.writeback), !world.folios[folio].flags.contains(.dirty) {
      // Read for the write-out already, and nothing says that it has to be written again.
      doomed.formUnion(namers(of: folio, page: held.entry.page))
    }
    return LitmusStepReport()
  }

  /// False: the entry is read-only and this CPU faults.
  private mutating func markDirtyInTable(_ ref: EntryRef) -> Bool {
    var entry = world.entry(ref)
    guard entry.kind == .present else { return false }
    if entry.writable {
      entry.dirty = true
    } else {
      // Without the CET guarantee, Dirty appears in an entry that lost Write meanwhile.
      guard machine.architecture == .x86WithoutCET else { return false }
      if choices.contains(.hardwareDirtyDiscarded) { return true }
      entry.hardwareDirty = true
      // A C that does not know of this takes it for its own mark.
      if E.id == .cStrict, !world.switches.contains(.cHardwareDirty) { entry.dirty = true }
    }
    world.update(entry, at: ref)
    return true
  }

  /// Entries through which the page comes back: swap entries, while it is in the swapcache.
  private func namers(of folio: FolioID, page: Int) -> Set<LitmusPage> {
    guard let slot = world.folios.side(folio)?.slots[page], slot != noIndex else { return [] }
    var found: Set<LitmusPage> = []
    for mm in mms.values where world.isLive(mm) {
      world.forEachEntry(mm, .everything) { page, entry in
        if entry.kind == .swap, entry.index == slot { found.insert(LitmusPage(mm: mm, page: Int(page.rawValue))) }
      }
    }
    return found
  }

  /// `set_tlb_ubc_flush_pending` and `try_to_unmap_flush_dirty`: the flush is forced before the I/O only if an entry
  /// may have been written through a stale translation, which today's kernel reads off its dirty bit.
  mutating func flushBeforeWriteout(_ folio: FolioID) {
    let isDirtyPTE = world.folios.mappings(of: folio).contains { world.entry($0).dirty }
    let knowsFolio =
      E.id == .cStrict && world.switches.contains(.cUBC) && world.folios[folio].flags.contains(.dirty)
    guard isDirtyPTE || knowsFolio else { return }
    translations = translations.filter { $0.value.entry.index != folio.raw }
  }

  /// Whatever else changes entries flushes them before it returns.
  mutating func flushAfter(_ operation: LitmusOperation) {
    switch operation {
    case .tlbFill, .tlbStore, .forkBegin, .forkCopy, .swapOut, .unmapToSwap, .reclaim: break
    default: translations = [:]
    }
  }
}
