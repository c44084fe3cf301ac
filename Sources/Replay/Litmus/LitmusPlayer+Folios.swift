// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What the kernel does to folios: reclaim, migration, THP, KSM.
extension LitmusPlayer {
  mutating func reclaimStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .swapOut(let range, let writeout): return try swapOut(range, writeout)
    case .reclaim(let range):
      // A folio that is kept is no error.
      _ = try swapOut(range, .done)
      return LitmusStepReport()
    case .unmapToSwap(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.unmapOneToSwap(
          mm, VirtualPage(UInt64(page)), stableWrites: player.machine.swapNeedsStableWrites)
      }
    case .writebackEnd(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.endWriteback(mm, VirtualPage(UInt64(page)), drops: false)
        return .done
      }
    case .swapoff: return LitmusStepReport(world.swapOff())
    default: preconditionFailure("no reclaim step: \(operation)")
    }
  }

  private mutating func swapOut(
    _ range: LitmusEntryRange, _ writeout: LitmusWriteout
  ) throws(LitmusStop) -> LitmusStepReport {
    world.vmaStarts = vmas.mapValues { Set($0.areas.map { VirtualPage(UInt64($0.pages.lowerBound)) }) }
    return try forEachPage(range) { player, mm, page throws(LitmusStop) in
      player.world.swapOut(
        mm, VirtualPage(UInt64(page)), keepsCache: writeout != .done, writeback: writeout == .underWriteback,
        stableWrites: player.machine.swapNeedsStableWrites)
    }
  }

  mutating func forEachRef(
    _ range: LitmusEntryRange, _ body: (inout Self, EntryRef) -> Outcome
  ) throws(LitmusStop) -> LitmusStepReport {
    try forEachPage(range) { player, mm, page throws(LitmusStop) in
      guard let ref = player.find(mm, page) else { throw .failed }
      return body(&player, ref)
    }
  }

  mutating func folioStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .migrate(let range): return try migrate(range)
    case .migrationSet(let range, let everywhere):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        let virtual = VirtualPage(UInt64(page))
        return everywhere ? player.world.migrationBegin(mm, virtual) : player.world.migrationSet(mm, virtual)
      }
    case .migrationRestore(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.restore(mm, page)
      }
    case .splitPMD(let range):
      return try forEachRef(range) { player, ref in
        player.world.splitHugeEntry(ref.table)
        return .done
      }
    case .splitFolio(let range, let unusedToZeroPage):
      return LitmusStepReport(
        world.splitFolio(
          try folio(try mm(range.process), range.pages.lowerBound), unusedToZeroPage: unusedToZeroPage))
    case .collapse(let range, let order):
      let mm = try mm(range.process)
      let page = range.pages.lowerBound
      guard isInOneVMA(order, mm, page) else { throw .failed }
      return LitmusStepReport(
        world.collapse(mm, VirtualPage(UInt64(page)), order: order, try facts(mm, page), asKhugepaged: true))
    default: return try ksmStep(operation)
    }
  }

  private mutating func restore(_ mm: MMID, _ page: Int) -> Outcome {
    let virtual = VirtualPage(UInt64(page))
    guard choices.contains(.flagOnFirstWriteEntry), let target = mapped(mm, page) else {
      return world.migrationRestore(mm, virtual)
    }
    let setsFlag = entry(mm, page).kind == .migrationWrite || world.folios.flags(target.folio).contains(.exclusive)
    let outcome = world.migrationRestore(mm, virtual)
    if setsFlag { world.memory.setFolioBit(target.folio, true) }
    return outcome
  }

  /// Both halves. A folio that somebody holds (or a pinned page that stayed mapped) goes back as it was.
  private mutating func migrate(_ range: LitmusEntryRange) throws(LitmusStop) -> LitmusStepReport {
    let mm = try mm(range.process)
    let page = VirtualPage(UInt64(range.pages.lowerBound))
    let folio = try folio(mm, range.pages.lowerBound)
    var outcome = world.migrationBegin(mm, page)
    if outcome == .done, world.folios.isHeld(folio) { outcome = .failed(.busy) }
    _ = world.migrationEnd(mm, page)
    return LitmusStepReport(outcome)
  }

  private mutating func ksmStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    let outcome: Outcome
    switch operation {
    case .ksmMerge(let first, let second):
      outcome = world.ksmMerge(
        try mm(first.process), VirtualPage(UInt64(first.pages.lowerBound)), try mm(second.process),
        VirtualPage(UInt64(second.pages.lowerBound)))
    case .ksmWriteProtect(let range):
      outcome = world.ksmWriteProtect(try mm(range.process), VirtualPage(UInt64(range.pages.lowerBound)))
    case .ksmReplace(let range, let other):
      outcome = world.ksmReplace(
        try mm(range.process), VirtualPage(UInt64(range.pages.lowerBound)), by: try mm(other.process),
        VirtualPage(UInt64(other.pages.lowerBound)))
    case .ksmZero(let range):
      let mm = try mm(range.process)
      let page = VirtualPage(UInt64(range.pages.lowerBound))
      // The checksum says it before anything is touched (`cmp_and_merge_page`).
      guard world.holdsZeros(mm, page) else { throw .failed }
      let first = world.ksmWriteProtect(mm, page)
      outcome = first == .done ? world.ksmReplaceByZero(mm, page) : first
    case .ksmPrepare(let range): outcome = world.ksmPrepare(try mm(range.process), range.first)
    default: preconditionFailure("no KSM step: \(operation)")
    }
    switch outcome {
    case .nothing: throw .failed
    case .failed(.noMemory):
      // The saving is lost, nothing else.
      var report = LitmusStepReport()
      report.labels = [.cost]
      return report
    case .done, .noFault, .zeroPageMapped, .installed, .reused, .copied, .swappedIn, .failed:
      return LitmusStepReport(outcome)
    }
  }

  /// `madvise_collapse`: every huge page that fits into the range, whatever khugepaged would say. What is one already
  /// is fine.
  private mutating func collapse(_ mm: MMID, _ range: LitmusEntryRange) throws(LitmusStop) -> LitmusStepReport {
    var report = LitmusStepReport()
    let first = (range.half.lowerBound + 511) & ~511
    for page in stride(from: first, to: range.half.upperBound & ~511, by: 512)
    where !world.memory.isPMDMapped(mm, VirtualPage(UInt64(page))) {
      guard isInOneVMA(FolioOrder(9), mm, page) else { throw .failed }
      let outcome = world.collapse(mm, VirtualPage(UInt64(page)), order: FolioOrder(9), try facts(mm, page))
      if case .failed = outcome { report = LitmusStepReport(outcome) }
    }
    return report
  }

  mutating func adviseFolios(_ range: LitmusEntryRange, _ advice: Advice) throws(LitmusStop) -> LitmusStepReport {
    let mm = try mm(range.process)
    switch advice {
    case .unmergeable:
      for area in vmas[mm]?.parts(in: range.half) ?? [] {
        _ = world.ksmUnmerge(mm, PageRange(area.pages), area.facts)
      }
      return LitmusStepReport()
    case .pageOut: return try perform(.reclaim(range))
    case .collapse: return try collapse(mm, range)
    default: throw .unsupported("no story advises \(advice)")
    }
  }
}
