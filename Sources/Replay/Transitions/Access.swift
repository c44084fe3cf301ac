// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Loads and stores of a program, with whatever fault they need: the steps of a story. (A trace has the faults
/// themselves.)
extension World {
  package mutating func store(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) -> Outcome {
    guard vma.protection.contains(.write) else { return .failed(.fault) }
    var outcome = Outcome.noFault
    for _ in 0..<5 {
      if let ref = memory.find(mm, page) {
        var entry = tables.entry(ref)
        if entry.kind == .present, entry.writable, !entry.protnone {
          entry.dirty = true
          entry.givenUp = false
          entry.young = true
          entry.softDirty = true
          update(entry, at: ref)
          recordStore(ref, page)
          return outcome
        }
      }
      outcome = faultIn(mm, page, vma, write: true)
      if case .failed = outcome { return outcome }
    }
    return .failed(.livelock)
  }

  package mutating func load(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) -> Outcome {
    guard vma.isAccessible else { return .failed(.fault) }
    guard let ref = memory.find(mm, page) else { return faultIn(mm, page, vma, write: false) }
    let entry = tables.entry(ref)
    switch entry.kind {
    case .present, .zeroPage, .filePage:
      if entry.protnone { return numaFault(mm, page, vma, migrates: false) }
      return .noFault
    case .none, .swap, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate, .deviceExclusive,
      .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
      return faultIn(mm, page, vma, write: false)
    }
  }

  /// `handle_pte_fault`: one fault, by what the entry is.
  mutating func faultIn(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts, write: Bool) -> Outcome {
    guard let ref = memory.find(mm, page) else {
      return write ? anonymousFault(mm, page, vma) : readFault(mm, page, vma)
    }
    let entry = tables.entry(ref)
    switch entry.kind {
    case .none:
      if memory.isHuge(ref) { splitHugeEntry(ref.table) }
      return write ? anonymousFault(mm, page, vma) : readFault(mm, page, vma)
    case .markerUffdWP: return write ? anonymousFault(mm, page, vma) : readFault(mm, page, vma)
    case .present:
      if entry.protnone, vma.isAccessible { return numaFault(mm, page, vma, migrates: false) }
      return write ? writeFault(mm, page, vma) : .noFault
    case .zeroPage, .filePage: return write ? writeFault(mm, page, vma) : .noFault
    case .swap: return swapIn(mm, page, vma, write: write)
    case .migrationRead, .migrationReadExclusive, .migrationWrite: return .failed(.busy)
    case .devicePrivate: return deviceReturn(ref)
    case .deviceExclusive:
      if isLocked(entry.folio) { return .failed(.busy) }
      restoreDeviceExclusive(ref, vma)
      return .done
    case .hwpoison, .markerGuard, .markerPoison: return .failed(.fault)
    }
  }

  /// The page has a content never seen before.
  mutating func recordStore(_ ref: EntryRef, _ page: VirtualPage) {
    guard options.followsContent else { return }
    let entry = tables.entry(ref)
    guard entry.kind.refersToFolio else { return }
    folios.setContent(storeVersion, of: entry.folio, page: memory.contentPage(ref, entry, page))
  }

  mutating func takeVersion() -> UInt32 { storeVersion }
}
