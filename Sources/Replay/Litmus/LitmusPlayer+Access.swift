// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Loads, stores and pins.
extension LitmusPlayer {
  mutating func access(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .read(let range):
      return try forEachPage(range) { player, mm, page throws(LitmusStop) in try player.read(mm, page) }
    case .write(let range, let write): return try self.write(range, write)
    default: throw .unsupported("not modelled yet")
    }
  }

  // — loads

  /// Brings the page in as a read fault would.
  mutating func read(_ mm: MMID, _ page: Int) throws(LitmusStop) -> Outcome {
    let vma = try vma(mm, page)
    let virtual = VirtualPage(UInt64(page))
    switch entry(mm, page).kind {
    case .none:
      switch vma.backing {
      case .hugetlb: return world.hugeFault(mm, virtual, vma.facts, write: false, isHugetlb: true)
      case .privateFile, .shared, .loader:
        world.filePageMapped(mm, virtual)
        return .done
      case .anonymous, .unknown: return world.readFault(mm, virtual, vma.facts)
      }
    default: throw .unsupported("not modelled yet")
    }
  }

  // — stores

  private mutating func write(_ range: LitmusEntryRange, _ write: LitmusWrite) throws(LitmusStop) -> LitmusStepReport {
    let report = try forEachPage(range, by: write.stride) { player, mm, page throws(LitmusStop) in
      guard try player.vma(mm, page).protection.writable else { return .failed(.fault) }
      let outcome = try player.store(mm, page, order: write.order)
      if case .failed = outcome { return outcome }
      player.record(mm, page, data: write.data)
      return outcome
    }
    if let name = write.folio, !report.failed {
      let target = try folio(try mm(range.process), range.pages.lowerBound)
      if names.bind(name, to: target) != nil { throw .unsupported("\(name) is another folio already") }
    }
    return report
  }

  mutating func store(_ mm: MMID, _ page: Int, order: FolioOrder = .base) throws(LitmusStop) -> Outcome {
    let vma = try vma(mm, page)
    let virtual = VirtualPage(UInt64(page))
    switch entry(mm, page).kind {
    case .none:
      switch vma.backing {
      case .hugetlb: return world.hugeFault(mm, virtual, vma.facts, write: true, isHugetlb: true)
      case .privateFile, .loader: return world.filePageCopy(mm, virtual, vma.facts)
      case .shared: throw .unsupported("a store to a shared mapping")
      case .anonymous, .unknown:
        if order.rawValue >= 9 { return world.hugeFault(mm, virtual, vma.facts) }
        return world.anonymousFault(mm, virtual, order: order, vma.facts)
      }
    case .present, .zeroPage, .filePage: return world.writeFault(mm, virtual, vma.facts)
    default: throw .unsupported("not modelled yet")
    }
  }

  /// The page holds something new, or the data its label stands for.
  mutating func record(_ mm: MMID, _ page: Int, data: String? = nil) {
    var version = nextVersion
    if let data {
      version = dataVersions[data] ?? nextVersion
      dataVersions[data] = version
    }
    nextVersion += 1
    stored[mm, default: [:]][page] = version
    guard let target = mapped(mm, page) else { return }
    let isHugetlb = world.folios[target.folio].flags.contains(.hugetlb)
    world.folios.setContent(version, of: target.folio, page: isHugetlb ? 0 : target.page)
  }
}
