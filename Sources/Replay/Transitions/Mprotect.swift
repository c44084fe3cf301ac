// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// `mprotect` (`change_pte_range`): write goes, or comes back where the page is exclusive. Exclusivity itself never
/// changes here (I16; docs/semantics.md, "mprotect").
extension World {
  /// `vma` has the new protection.
  package mutating func protect(_ mm: MMID, _ range: PageRange, _ vma: VMAFacts) {
    if skips(.mprotect) { return }
    splitAtBorders(mm, range)
    let refs = memory.liveRefs(mm, range)
    var position = 0
    while position < refs.count {
      let entry = tables.entry(refs[position])
      guard entry.kind == .present, !memory.isHuge(refs[position]) else {
        changeOther(refs[position], entry, vma)
        position += 1
        continue
      }
      let end = batchEnd(refs, from: position)
      changeBatch(refs[position..<end], vma, .mprotect)
      position = end
    }
  }

  /// The end of the run of entries the kernel handles at once (`mprotect_folio_pte_batch`): consecutive pages of
  /// one large folio, equal in W and soft-dirty. Before 6.17 there are no batches.
  func batchEnd(_ refs: [EntryRef], from start: Int) -> Int {
    guard facts.batchesProtection else { return start + 1 }
    return batchEnd(refs, from: start) { first, next in
      next.writable == first.writable && next.softDirty == first.softDirty && E.mayBatch(self, first, next)
    }
  }

  /// `modify_prot_start_ptes` ORs young and dirty over the batch; all of it gets the result. Then write comes back
  /// per page (`commit_anon_folio_batch`).
  mutating func changeBatch(_ batch: ArraySlice<EntryRef>, _ vma: VMAFacts, _ site: WrprotectSite) {
    let dirty = batch.contains { tables.entry($0).dirty }
    let young = batch.contains { tables.entry($0).young }
    for (index, ref) in batch.enumerated() {
      let old = tables.entry(ref)
      var entry = old
      entry.dirty = dirty
      entry.young = young
      if old.writable || old.writableUnknown { entry = E.wrprotected(&self, ref, entry, site) }
      entry.protnone = vma.protection.isDisjoint(with: [.read, .write, .execute, .unknown])
      update(entry, at: ref)
      if canBecomeWritable(ref, entry, vma, inBatch: index) {
        update(vma.marking(E.madeWritable(&self, ref, entry)), at: ref)
      } else if vma.protection.contains(.unknown),
        old.writable || old.writableUnknown || isUpgradable(ref, entry, vma, inBatch: index)
      {
        entry.writableUnknown = true
        update(entry, at: ref)
      }
    }
  }

  /// `can_change_pte_writable` for private anonymous pages; 6.1 asks for the dirty bit too.
  func canBecomeWritable(_ ref: EntryRef, _ entry: Entry, _ vma: VMAFacts, inBatch index: Int? = nil) -> Bool {
    vma.protection.contains(.write) && isUpgradable(ref, entry, vma, inBatch: index)
  }

  /// What it asks of the entry and its page.
  private func isUpgradable(_ ref: EntryRef, _ entry: Entry, _ vma: VMAFacts, inBatch index: Int?) -> Bool {
    guard !entry.protnone, !entry.uffdWP, !vma.needsSoftDirtyWP(entry) else {
      return false
    }
    // `hugetlb_change_protection` gives the entry the VMA's protection, which is without write for private memory.
    if folios.flags(entry.folio).contains(.hugetlb) { return false }
    if facts.upgradeNeedsDirty, !entry.dirty { return false }
    if options.protectsByWrongPage, let index, folios.flags(entry.folio).contains(.large) {
      return memory.pageBit(entry.folio, index).isExclusive
    }
    return E.claim(self, ref, entry).isExclusive
  }

  /// PMDs (`change_huge_pmd`) and entries that are not present.
  private mutating func changeOther(_ ref: EntryRef, _ entry: Entry, _ vma: VMAFacts) {
    var entry = entry
    switch entry.kind {
    case .present: changeBatch([ref], vma, .mprotect)
    case .migrationWrite, .devicePrivate: degrade(ref)
    case .zeroPage:
      if E.claim(self, ref, entry).isExclusive, vma.protection.contains(.write) {
        // Encoding C without its gate: the KSM zero page carries the dirty bit.
        entry.writable = true
        update(entry, at: ref)
      }
    case .none, .filePage, .swap, .migrationRead, .migrationReadExclusive, .deviceExclusive, .hwpoison, .markerUffdWP,
      .markerGuard, .markerPoison:
      break
    }
  }

  /// `change_softleaf_pte` (6.12: in `change_pte_range`): whatever change it is (uffd-wp resolve and NUMA hints too),
  /// an entry that is not present and says write says it no more.
  mutating func degrade(_ ref: EntryRef) {
    var entry = tables.entry(ref)
    switch entry.kind {
    case .migrationWrite:
      entry.kind = .migrationReadExclusive
      entry.shadowStack = false
      update(entry, at: ref)
    case .devicePrivate where entry.writable:
      update(entry.withoutWrite, at: ref)
      E.devicePrivateReadOnly(&self, ref, exclusive: true)
    case .none, .present, .zeroPage, .filePage, .swap, .migrationRead, .migrationReadExclusive, .devicePrivate,
      .deviceExclusive, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
      break
    }
  }
}

/// Runs of entries that one kernel function handles at once (`folio_pte_batch`).
extension World {
  /// Where the run that begins at `start` ends: consecutive slots of one table, consecutive pages of one folio. uffd-wp
  /// and protnone are never ignored; `agree` says what else has to be equal.
  func batchEnd(_ refs: [EntryRef], from start: Int, where agree: (Entry, Entry) -> Bool) -> Int {
    let first = tables.entry(refs[start])
    guard first.kind == .present, !memory.isHuge(refs[start]), folios.flags(first.folio).contains(.large) else {
      return start + 1
    }
    var end = start + 1
    while end < refs.count, refs[end].table == refs[start].table, refs[end].slot == refs[start].slot + end - start {
      let next = tables.entry(refs[end])
      guard next.kind == .present, next.folio == first.folio, next.page == first.page + end - start,
        next.uffdWP == first.uffdWP, next.protnone == first.protnone, agree(first, next)
      else { break }
      end += 1
    }
    return end
  }
}
