// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Loads, stores and pins.
extension LitmusPlayer {
  mutating func access(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .read(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in try player.load(mm, page) }
    case .write(let range, let write): return try self.write(range, write)
    case .forceFault(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.faultIn(mm, VirtualPage(UInt64(page)), try player.facts(mm, page), write: true)
      }
    case .forceWrite(let range): return try forcedWrite(range, isUprobe: false)
    case .uprobeWrite(let range): return try forcedWrite(range, isUprobe: true)
    case .pin(let range, let pin):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        let outcome = player.world.pin(
          mm, VirtualPage(UInt64(page)), try player.facts(mm, page), write: pin.writes)
        if outcome == .failed(.livelock) { player.markLivelocked(mm, page) }
        return outcome
      }
    case .unpin(let range):
      var report = try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.unpin(mm, VirtualPage(UInt64(page)))
      }
      // O-74: the page alone does not know, and GUP knows no table.
      if E.id == .b || E.id == .cStrict { report.labels.insert(.noCheck) }
      return report
    case .getReference(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.takeReference(mm, VirtualPage(UInt64(page)))
      }
    case .putReference(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.dropReference(mm, VirtualPage(UInt64(page)))
      }
    default: preconditionFailure("no access: \(operation)")
    }
  }

  private mutating func markLivelocked(_ mm: MMID, _ page: Int) {
    let isHuge = world.isPMDMapped(mm, VirtualPage(UInt64(page)))
    let first = isHuge ? page & ~511 : page
    for one in first..<first + (isHuge ? 512 : 1) { livelocked.insert(LitmusPage(mm: mm, page: one)) }
  }

  /// Where nothing is mapped yet the VMA decides; all else is the model's.
  mutating func load(_ mm: MMID, _ page: Int) throws(LitmusStop) -> Outcome {
    let vma = try vma(mm, page)
    let virtual = VirtualPage(UInt64(page))
    if entry(mm, page).kind == .none {
      switch vma.backing {
      case .hugetlb: return world.hugeFault(mm, virtual, vma.facts, write: false, isHugetlb: true)
      case .privateFile, .shared, .loader:
        world.filePageMapped(mm, virtual)
        return .done
      case .anonymous, .unknown: break
      }
    }
    if choices.contains(.clearPinned) || choices.contains(.keepPinned) {
      return loadBesidePin(mm, page, vma.facts)
    }
    return world.load(mm, virtual, vma.facts)
  }

  /// A folio flag that is cleared, or kept, although the folio is pinned.
  private mutating func loadBesidePin(_ mm: MMID, _ page: Int, _ vma: VMAFacts) -> Outcome {
    let virtual = VirtualPage(UInt64(page))
    let swap = entry(mm, page)
    guard swap.kind == .swap, world.slots[swap.index].folio != noIndex else { return world.load(mm, virtual, vma) }
    let folio = FolioID(world.slots[swap.index].folio)
    let pins = world.folios.side(folio)?.pins ?? 0
    guard pins > 0 else { return world.load(mm, virtual, vma) }
    let keepsFlag = choices.contains(.keepPinned)
    if keepsFlag { world.setFolioBit(folio, false) }
    world.folios.withSide(folio) { $0.pins = 0 }
    let outcome = world.load(mm, virtual, vma)
    world.folios.withSide(folio) { $0.pins = pins }
    if keepsFlag { world.setFolioBit(folio, true) }
    return outcome
  }

  private mutating func write(_ range: LitmusEntryRange, _ write: LitmusWrite) throws(LitmusStop) -> LitmusStepReport {
    let report = try forEachPage(range, by: write.stride) { player, mm, page throws(LitmusStop) in
      try player.store(mm, page, write)
    }
    if let name = write.folio, !report.failed {
      let target = try folio(try mm(range.process), range.pages.lowerBound)
      if names.bind(name, to: target) != nil { throw .unsupported("\(name) is another folio already") }
    }
    return report
  }

  private mutating func store(_ mm: MMID, _ page: Int, _ write: LitmusWrite) throws(LitmusStop) -> Outcome {
    let vma = try vma(mm, page)
    let virtual = VirtualPage(UInt64(page))
    guard vma.protection.writable else { return .failed(.fault) }
    let version = takeVersion(data: write.data)
    stored[mm, default: [:]][page] = version
    world.storeVersion = version
    if entry(mm, page).kind == .none {
      switch vma.backing {
      case .hugetlb: _ = world.hugeFault(mm, virtual, vma.facts, write: true, isHugetlb: true)
      case .privateFile, .loader:
        let outcome = world.filePageCopy(mm, virtual, vma.facts)
        if case .failed = outcome { return outcome }
      case .shared: throw .unsupported("a store to a shared mapping")
      case .anonymous, .unknown:
        if write.order > .base, fits(write.order, mm, page) {
          _ =
            write.order.rawValue >= 9
            ? world.hugeFault(mm, virtual, vma.facts)
            : world.anonymousFault(mm, virtual, order: write.order, vma.facts)
        }
      }
    }
    return world.store(mm, virtual, vma.facts)
  }

  /// `pte_range_none`, too: where the order asked for does not fit, the fault falls back to a small folio.
  private func fits(_ order: FolioOrder, _ mm: MMID, _ page: Int) -> Bool {
    let first = page & ~(order.pageCount - 1)
    return isInOneVMA(order, mm, page)
      && (first..<first + order.pageCount).allSatisfy { entry(mm, $0).kind == .none }
  }

  private mutating func forcedWrite(
    _ range: LitmusEntryRange, isUprobe: Bool
  ) throws(LitmusStop) -> LitmusStepReport {
    try forEachPage(range) { player, mm, page throws(LitmusStop) in
      let version = player.takeVersion()
      player.stored[mm, default: [:]][page] = version
      player.world.storeVersion = version
      return player.world.forcedStore(
        mm, VirtualPage(UInt64(page)), try player.facts(mm, page), isUprobe: isUprobe)
    }
  }

  /// A version for what is stored now; equal data has an equal version.
  mutating func takeVersion(data: String? = nil) -> UInt32 {
    let fresh = nextVersion
    nextVersion += 1
    guard let data else { return fresh }
    if let known = dataVersions[data] { return known }
    dataVersions[data] = fresh
    return fresh
  }
}
