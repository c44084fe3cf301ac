// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// PMD-mapped folios: mapping one, forking it, and replacing the PMD by 512 PTEs
/// (docs/semantics.md, "Huge pages").
extension World {
  /// `do_huge_pmd_anonymous_page`: a PMD fault, or (`hugetlb`) a hugetlb page; the table below is deposited.
  package mutating func hugeFault(
    _ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts, write: Bool = true, isHugetlb: Bool = false
  ) -> Outcome {
    if skips(.hugeFault) { return .nothing }
    let start = VirtualPage(page.rawValue & ~511)
    let ref = ensure(mm, start)
    guard tables[ref.table].live == 0 else { return .failed(.busy) }
    E.deposited(&self, ref.table)
    makeHuge(ref.table)
    let head = EntryRef(table: ref.table, slot: 0)
    let folio = memory.newFolio(order: FolioOrder(9), flags: isHugetlb ? .hugetlb : [])
    var entry = Entry(.present, folio)
    // hugetlb_no_page maps a read fault read-only and clean; a THP is always dirty.
    entry.dirty = write || !isHugetlb
    entry.softDirty = true
    entry.young = true
    place(vma.granting(entry, if: write || !isHugetlb), at: head)
    E.installedExclusive(&self, head, isHugetlb && !write ? .hugetlbReadFault : .anonymousFault)
    return .installed(folio)
  }

  /// `__split_huge_pmd_locked` without freeze: the folio stays, 512 PTEs say what the PMD said. Also splits a
  /// PMD migration entry.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  package mutating func splitHugeEntry(_ table: TableID) {
    guard tables[table].isHuge else { return }
    let head = EntryRef(table: table, slot: 0)
    let pmd = tables.entry(head)
    guard pmd.kind.refersToFolio else {
      if pmd.kind != .none { drop(head) }
      makeTable(table)
      return
    }
    let folio = pmd.folio
    if E.isDataDirty(self, pmd) { memory.markDirty(folio) }
    // The PTE mappings are counted before the PMD's goes, so the folio is never seen unmapped.
    let detached = pmd
    folios.withSide(folio) { $0.extraReferences += 1 }
    let verdict = (pmd.verdict, pmd.verdictIsPossible)
    unmapForSplit(head, detached)
    makeTable(table)
    for slot in 0..<512 {
      var entry = pmd
      entry.page = slot
      entry.protnone = false
      if pmd.kind == .present, !facts.splitCarriesDirty { entry.dirty = false }
      let ref = EntryRef(table: table, slot: slot)
      place(entry, at: ref)
      tables.setVerdict(verdict.0, possible: verdict.1, at: ref)
    }
    if !skips(.pmdSplit) { E.splitPMD(&self, table, pmd) }
    folios.withSide(folio) { $0.extraReferences -= 1 }
  }

  private mutating func unmapForSplit(_ head: EntryRef, _ pmd: Entry) {
    // Not `drop`: nothing is given up here, so an encoding must not see a removal.
    tables.write(.none, at: head)
    memory.detach(head, from: pmd.folio, page: 0)
    unmapped(head, pmd)
  }

  /// `copy_huge_pmd` and `copy_hugetlb_page_range` (docs/semantics.md, "Fork").
  mutating func copyHuge(
    _ parentRef: EntryRef, _ child: MMID, _ page: VirtualPage, _ vma: VMAFacts, hasPinned: Bool
  ) -> Bool {
    if skips(.forkHuge) { return true }
    let entry = tables.entry(parentRef)
    let folio = entry.folio
    let isHugetlb = folios.flags(folio).contains(.hugetlb)
    if hasPinned, memory.isPinned(folio), E.claim(self, parentRef, entry) != .shared {
      if isHugetlb {
        let childRef = ensureLike(parentRef, child, page)
        return copyHugetlbInto(childRef, from: entry, vma)
      }
      splitHugeEntry(parentRef.table)
      let range = PageRange(start: page, count: 512)
      return forkCopy(parent: ownerID(parentRef), child: child, range, vma) == .done
    }
    let childRef = ensureLike(parentRef, child, page)
    guard E.prepareFork(&self, parent: parentRef, child: childRef, entry: entry) else {
      makeTable(childRef.table)
      return options.forkWithoutBitmap == .copy
    }
    let shared = E.wrprotected(&self, parentRef, entry, .fork)
    update(shared, at: parentRef)
    place(shared.forChild(vma), at: childRef)
    E.sharedAtFork(&self, parent: parentRef, child: childRef)
    return true
  }

  func ownerID(_ ref: EntryRef) -> MMID { memory.owner(ref).mm }
}
