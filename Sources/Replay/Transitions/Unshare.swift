// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

extension World {
  /// What GUP does for a read-only FOLL_PIN of a page that may be shared: unshare faults until the page is exclusive.
  /// Where the second one changes nothing it asks for ever, and the entry is marked livelocked.
  package mutating func unshareForGUP(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) -> Outcome {
    let outcome = unshare(mm, page, vma)
    guard claim(mm, page) == .shared, outcome != .nothing else { return outcome }
    _ = unshare(mm, page, vma)
    if claim(mm, page) == .shared, let ref = memory.find(mm, page) {
      touch(ref, livelocked: true)
      return .failed(.livelock)
    }
    return outcome
  }

  /// One unshare fault (`FAULT_FLAG_UNSHARE`; docs/semantics.md, "Faults").
  package mutating func unshare(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) -> Outcome {
    if skips(.unshare) { return .nothing }
    guard var ref = memory.find(mm, page), tables.entry(ref).kind == .present else { return .nothing }
    let entry = tables.entry(ref)
    if entry.writable || E.claim(self, ref, entry) == .exclusive { return .noFault }
    let folio = entry.folio
    let outcome: Outcome
    if reuseCheck(ref) == .passes {
      if folios.flags(folio).contains(.swapCache), memory.canFreeSwapCache(folio) { memory.freeSwapCache(folio) }
      E.reused(&self, ref, .unshare)
      touch(ref)
      outcome = .reused(folio)
    } else if memory.isHuge(ref), folios.flags(folio).contains(.hugetlb) {
      outcome = unshareHugetlb(ref, vma)
    } else {
      if memory.isHuge(ref) {
        splitHugeEntry(ref.table)
        ref = EntryRef(table: ref.table, slot: Int(page.rawValue & 511))
      }
      outcome = copy(ref, vma, .unshareCopy)
    }
    return outcome
  }

  /// `hugetlb_wp` for unsharing: the copy is mapped read-only and clean.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  private mutating func unshareHugetlb(_ ref: EntryRef, _ vma: VMAFacts) -> Outcome {
    if skips(.unshareHugetlb) { return .nothing }
    var readOnly = vma
    readOnly.protection.remove([.write, .unknown])
    let outcome = copyHugetlb(ref, readOnly)
    var entry = tables.entry(ref)
    entry.dirty = false
    update(entry, at: ref)
    E.installedExclusive(&self, ref, .hugetlbReadFault)
    return outcome
  }
}
