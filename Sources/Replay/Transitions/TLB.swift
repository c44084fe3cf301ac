// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Translations that CPUs hold beyond the change of an entry: what deferred flushes leave behind.
extension World {
  package mutating func tlbFill(_ cpu: CPUNumber, _ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.tlbFill) { return .nothing }
    translations.removeAll { $0.cpu == cpu }
    guard let ref = memory.find(mm, page), tables.entry(ref).kind == .present else { return .nothing }
    translations.append(CPUTranslation(cpu: cpu, mm: mm, page: page, entry: tables.entry(ref)))
    return .done
  }

  /// A store by a CPU that still has the translation. Without one it would fault, and wait for whoever holds the
  /// locks: `nothing`.
  package mutating func tlbStore(_ cpu: CPUNumber, _ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.tlbStore) { return .nothing }
    guard let index = translations.firstIndex(where: { $0.cpu == cpu && $0.mm == mm && $0.page == page }),
      translations[index].entry.writable
    else { return .nothing }
    let held = translations[index].entry
    if !held.dirty {
      // The CPU walks the table again to set Dirty.
      guard let ref = memory.find(mm, page), setHardwareDirty(ref) else {
        translations.removeAll { $0.cpu == cpu }
        return .nothing
      }
      if let kept = translations.firstIndex(where: { $0.cpu == cpu }) { translations[kept].entry.dirty = true }
    }
    folios.setContent(takeVersion(), of: held.folio, page: held.page)
    return .done
  }

  package mutating func tlbFlush() { translations.removeAll() }

  /// False: the entry is read-only and this CPU faults.
  private mutating func setHardwareDirty(_ ref: EntryRef) -> Bool {
    var entry = tables.entry(ref)
    guard entry.kind == .present else { return false }
    if entry.writable {
      entry.dirty = true
      entry.givenUp = false
    } else {
      guard options.hardwareDirtiesReadOnly else { return false }
      if options.discardsHardwareDirty { return true }
      entry.hardwareDirty = true
    }
    tables.write(entry, at: ref)
    return true
  }

  /// An entry changed: whoever changes it flushes before it returns, but for fork and reclaim.
  @inline(__always)
  mutating func flush(_ mm: MMID, _ page: VirtualPage) {
    guard !translations.isEmpty, forksUnderWay == 0, !isReclaiming else { return }
    translations.removeAll { $0.mm == mm && $0.page == page }
  }

  /// `try_to_unmap_flush_dirty`: a flush that reclaim deferred is done before the I/O where the entry (or whatever
  /// else an encoding looks at) says that it may have been written through.
  mutating func flushBeforeIO(_ folio: FolioID, sawDirtyEntry: Bool) {
    guard !translations.isEmpty, E.flushesBeforeIO(self, folio, sawDirtyEntry: sawDirtyEntry) else { return }
    translations.removeAll { $0.entry.folio == folio }
  }
}
