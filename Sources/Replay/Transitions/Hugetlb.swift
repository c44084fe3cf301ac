// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// hugetlb: one entry, one folio, the head's flag (`hugetlb_wp`; docs/semantics.md, "hugetlb").
extension World {
  /// When the reuse check failed: a whole huge page is copied.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func copyHugetlb(_ ref: EntryRef, _ vma: VMAFacts) -> Outcome {
    if skips(.hugetlbCopy) { return .nothing }
    let old = tables.entry(ref)
    let source = old.folio
    // The copy exists before the old page may go, so that the two are never the same.
    folios.withSide(source) { $0.extraReferences += 1 }
    drop(ref)
    _ = copyHugetlbInto(ref, from: old, vma)
    folios.withSide(source) { $0.extraReferences -= 1 }
    memory.release(source)
    return .copied(from: source, to: tables.entry(ref).folio)
  }

  mutating func copyHugetlbInto(_ ref: EntryRef, from old: Entry, _ vma: VMAFacts) -> Bool {
    let content = folios.content(old.folio, page: 0)
    let folio = memory.newFolio(order: FolioOrder(9), flags: .hugetlb)
    var entry = Entry(.present, folio)
    entry.dirty = true
    entry.softDirty = true
    entry.young = true
    place(vma.granting(entry), at: ref)
    E.installedExclusive(&self, ref, .writeCopy)
    if options.followsContent { folios.setContent(content, of: folio, page: 0) }
    return true
  }
}
