// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// munmap, mprotect, mremap, madvise.
extension LitmusPlayer {
  mutating func layoutStep(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .munmap(let range):
      let mm = try mm(range.process)
      unmap(mm, range.half)
      return LitmusStepReport()
    case .mlock(let range):
      setFlag(try mm(range.process), range) { $0.locked = true }
      return LitmusStepReport()
    case .mprotect(let range, let protection): return try mprotect(range, protection)
    case .mremap(let range, let destination, let move): return try mremap(range, to: destination, move)
    case .madvise(let range, let advice): return try madvise(range, advice)
    default: preconditionFailure("no layout step: \(operation)")
    }
  }

  private mutating func unmap(_ mm: MMID, _ pages: Range<Int>) {
    vmas[mm]?.remove(pages)
    world.zap(mm, PageRange(pages))
    // free_pgtables goes as far as no VMA needs the table.
    for table in pages.lowerBound / 512...(pages.upperBound - 1) / 512 {
      let whole = table * 512..<(table + 1) * 512
      if vmas[mm]?.parts(in: whole).isEmpty ?? true { world.freeEmptyTables(mm, PageRange(whole)) }
    }
  }

  private mutating func mprotect(
    _ range: LitmusEntryRange, _ protection: LitmusProtection
  ) throws(LitmusStop) -> LitmusStepReport {
    let mm = try mm(range.process)
    vmas[mm]?.change(range.half) { $0.protection = protection }
    for area in vmas[mm]?.parts(in: range.half) ?? [] {
      world.protect(mm, PageRange(area.pages), area.facts)
    }
    return LitmusStepReport()
  }

  private mutating func mremap(
    _ range: LitmusEntryRange, to destination: Int, _ move: LitmusMove
  ) throws(LitmusStop) -> LitmusStepReport {
    let mm = try mm(range.process)
    let source = range.half
    let target = destination..<destination + source.count
    if source.overlaps(target) { throw .failed }
    let isHuge = world.memory.isPMDMapped(mm, VirtualPage(UInt64(source.lowerBound)))
    let isWhole = source.lowerBound % 512 == 0 && destination % 512 == 0 && source.count % 512 == 0
    guard let areas = vmas[mm]?.parts(in: source), areas.count == 1, areas[0].pages == source else {
      throw .unsupported("an mremap of several VMAs, or of none")
    }
    let kind: LitmusMove = isWhole ? isHuge ? .pmd : .table : .entries
    if kind != move { throw .unsupported("this mremap moves by \(kind.rawValue), not by \(move.rawValue)") }
    unmap(mm, target)
    let outcome = world.move(mm, from: PageRange(source), to: VirtualPage(UInt64(destination)))
    if case .failed = outcome { return LitmusStepReport(outcome) }
    let shift = destination - source.lowerBound
    for area in vmas[mm]?.parts(in: source) ?? [] {
      vmas[mm]?.insert(area.pages.lowerBound + shift..<area.pages.upperBound + shift, area.vma)
    }
    vmas[mm]?.remove(source)
    moveStored(mm, source, by: shift)
    return LitmusStepReport()
  }

  private mutating func moveStored(_ mm: MMID, _ pages: Range<Int>, by shift: Int) {
    guard let versions = stored[mm] else { return }
    var moved = versions.filter { !pages.contains($0.key) }
    for (page, version) in versions where pages.contains(page) { moved[page + shift] = version }
    stored[mm] = moved
  }

  private mutating func madvise(_ range: LitmusEntryRange, _ advice: Advice) throws(LitmusStop) -> LitmusStepReport {
    let mm = try mm(range.process)
    let pages = PageRange(range.half)
    switch advice {
    case .dontNeed:
      // VMA by VMA: a table that several of them share is not freed (`zap_pte_range`).
      for area in vmas[mm]?.parts(in: range.half) ?? [] {
        if area.vma.locked { throw .failed }
        _ = world.apply(.discard(mm, PageRange(area.pages)))
      }
    case .free:
      // What a load would see from here on is undefined.
      stored[mm] = stored[mm]?.filter { !range.half.contains($0.key) }
      for area in vmas[mm]?.parts(in: range.half) ?? [] { world.lazilyFree(mm, PageRange(area.pages), area.facts) }
    case .dontFork: setFlag(mm, range) { $0.dontFork = true }
    case .doFork: setFlag(mm, range) { $0.dontFork = false }
    case .wipeOnFork: setFlag(mm, range) { $0.wipeOnFork = true }
    case .keepOnFork: setFlag(mm, range) { $0.wipeOnFork = false }
    case .cold: world.cool(mm, pages)
    case .guardInstall:
      guard world.facts.hasGuardRegions else { return LitmusStepReport(.failed(.fault)) }
      world.installGuards(mm, pages)
    case .guardRemove: world.removeGuards(mm, pages)
    case .populateRead: return try perform(.read(range))
    case .populateWrite, .populate: return try perform(.write(range, LitmusWrite()))
    case .willNeed: world.readAhead(mm, pages)
    case .mergeable, .hugePage, .noHugePage: break
    case .unmergeable, .pageOut, .remove, .collapse: return try adviseFolios(range, advice)
    }
    return LitmusStepReport()
  }

  /// A VMA flag changes; a PMD mapping at the new border of a VMA is split (`vma_adjust_trans_huge`).
  private mutating func setFlag(_ mm: MMID, _ range: LitmusEntryRange, _ body: (inout LitmusVMA) -> Void) {
    vmas[mm]?.change(range.half, body)
    world.splitAtBorders(mm, PageRange(range.half))
  }
}
