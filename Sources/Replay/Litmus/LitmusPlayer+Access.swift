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
          mm, VirtualPage(UInt64(page)), try player.facts(mm, page), write: pin.writes, force: pin.force)
        if outcome == .failed(.livelock) { player.markLivelocked(mm, page) }
        return outcome
      }
    case .unpin(let range):
      var checks: [UnpinCheck] = []
      var report = try forEachPage(of: try latestMM(range.process), range.pages) {
        player, mm, page throws(LitmusStop) in
        checks += player.world.unpinCheck(mm, VirtualPage(UInt64(page))).map { [$0] } ?? []
        return player.world.unpin(mm, VirtualPage(UInt64(page)))
      }
      if checks.contains(.isGivenUp) { report.labels.insert(.noCheck) }
      if checks.contains(.fires) { report.labels.insert(.warning) }
      return report
    case .getReference(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in
        player.world.takeReference(mm, VirtualPage(UInt64(page)))
      }
    case .putReference(let range):
      return try forEachPage(of: try latestMM(range.process), range.pages) {
        player, mm, page throws(LitmusStop) in
        player.world.dropReference(mm, VirtualPage(UInt64(page)))
      }
    default: preconditionFailure("no access: \(operation)")
    }
  }

  private mutating func markLivelocked(_ mm: MMID, _ page: Int) {
    let isHuge = world.memory.isPMDMapped(mm, VirtualPage(UInt64(page)))
    let first = isHuge ? page & ~511 : page
    for one in first..<first + (isHuge ? 512 : 1) { livelocked.insert(LitmusPage(mm: mm, page: one)) }
  }

  /// Where nothing is mapped yet the VMA decides; all else is the model's.
  mutating func load(_ mm: MMID, _ page: Int) throws(LitmusStop) -> Outcome {
    let vma = try vma(mm, page)
    let facts = try facts(mm, page)
    let virtual = VirtualPage(UInt64(page))
    if entry(mm, page).kind == .none, vma.protection != .none {
      switch vma.backing {
      case .hugetlb, .hugetlbFile, .gigantic: return world.hugeFault(mm, virtual, facts, write: false, isHugetlb: true)
      case .privateFile, .shared, .loader:
        world.filePageMapped(mm, virtual)
        return .done
      case .anonymous, .unknown: break
      }
    }
    if choices.contains(.clearPinned) || choices.contains(.keepPinned) {
      return loadBesidePin(mm, page, facts)
    }
    return world.load(mm, virtual, facts)
  }

  /// A folio flag that is cleared, or kept, although the folio is pinned.
  private mutating func loadBesidePin(_ mm: MMID, _ page: Int, _ vma: VMAFacts) -> Outcome {
    let virtual = VirtualPage(UInt64(page))
    let swap = entry(mm, page)
    guard swap.kind == .swap, let folio = world.slots[swap.swapSlot].folio else { return world.load(mm, virtual, vma) }
    let pins = world.folios.side(folio)?.pins ?? 0
    guard pins > 0 else { return world.load(mm, virtual, vma) }
    let keepsFlag = choices.contains(.keepPinned)
    if keepsFlag { world.memory.setFolioBit(folio, false) }
    world.folios.withSide(folio) { $0.pins = 0 }
    let outcome = world.load(mm, virtual, vma)
    world.folios.withSide(folio) { $0.pins = pins }
    if keepsFlag { world.memory.setFolioBit(folio, true) }
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
    let facts = try facts(mm, page)
    let virtual = VirtualPage(UInt64(page))
    guard vma.protection.writable else { return .failed(.fault) }
    let version = takeVersion(data: write.data)
    world.storeVersion = version
    if entry(mm, page).kind == .none {
      switch vma.backing {
      case .hugetlb, .hugetlbFile, .gigantic: _ = world.hugeFault(mm, virtual, facts, write: true, isHugetlb: true)
      case .privateFile, .loader:
        let outcome = world.filePageCopy(mm, virtual, facts)
        if case .failed = outcome { return outcome }
      case .shared: throw .unsupported("a store to a shared mapping")
      case .anonymous, .unknown:
        if write.order > .base, fits(write.order, mm, page) {
          _ =
            write.order.rawValue >= 9
            ? world.hugeFault(mm, virtual, facts)
            : world.anonymousFault(mm, virtual, order: write.order, facts)
        }
      }
    }
    let outcome = world.store(mm, virtual, facts)
    if case .failed = outcome { return outcome }
    stored[mm, default: [:]][page] = version
    return outcome
  }

  /// `pte_range_none`, too: where the order asked for does not fit, the fault falls back to a small folio.
  private func fits(_ order: FolioOrder, _ mm: MMID, _ page: Int) -> Bool {
    let first = page & ~(order.pageCount - 1)
    guard isInOneVMA(order, mm, page) else { return false }
    // A page table, even an empty one, keeps a huge page away (`__handle_mm_fault`: pmd_none).
    if order.rawValue >= 9, let ref = find(mm, first), !world.memory.isHuge(ref) { return false }
    return (first..<first + order.pageCount).allSatisfy { entry(mm, $0).kind == .none }
  }

  private mutating func forcedWrite(
    _ range: LitmusEntryRange, isUprobe: Bool
  ) throws(LitmusStop) -> LitmusStepReport {
    try forEachPage(range) { player, mm, page throws(LitmusStop) in
      let version = player.takeVersion()
      player.world.storeVersion = version
      // `valid_vma` of uprobes: a file's text.
      let vma = try player.vma(mm, page)
      if isUprobe, vma.backing != .privateFile || vma.protection.writable { throw .failed }
      let outcome = player.world.forcedStore(
        mm, VirtualPage(UInt64(page)), try player.facts(mm, page), isUprobe: isUprobe)
      if case .failed = outcome { return outcome }
      player.stored[mm, default: [:]][page] = version
      return outcome
    }
  }

  /// A version for what is stored now. `data`: equal to all that was stored under this name; `zeros` is zeros.
  mutating func takeVersion(data: String? = nil) -> UInt32 {
    let fresh = nextVersion
    nextVersion += 1
    guard let data else { return fresh }
    if let known = data == "zeros" ? 0 : dataVersions[data] {
      world.equalData[fresh] = known
    } else {
      dataVersions[data] = fresh
    }
    return fresh
  }
}
