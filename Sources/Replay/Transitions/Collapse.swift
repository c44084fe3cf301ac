// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// khugepaged and MADV_COLLAPSE: small pages are copied into one larger folio, whoever shares them
/// (docs/semantics.md, "Huge pages").
extension World {
  /// `collapse_huge_page`. Order 9: the table is emptied, deposited, and a PMD takes its place. Smaller orders (7.2):
  /// the entries of the range are rewritten in the same table.
  /// `asKhugepaged`: within its limits, which MADV_COLLAPSE has not (nor what a trace shows to have happened).
  package mutating func collapse(
    _ mm: MMID, _ page: VirtualPage, order: FolioOrder, _ vma: VMAFacts, asKhugepaged: Bool = false
  ) -> Outcome {
    guard order.rawValue <= 9, order > .base else { return .nothing }
    let start = VirtualPage(page.rawValue & ~UInt64(order.pageCount &- 1))
    let range = PageRange(start: start, count: order.pageCount)
    if asKhugepaged, !isWithinLimits(mm, range) { return .failed(.busy) }
    if order.rawValue == 9 { readInForCollapse(mm, range, vma) }
    guard let first = memory.find(mm, start), !memory.isHuge(first), mayCollapse(mm, range) else {
      return .failed(.busy)
    }
    let folio = memory.newFolio(order: order)
    folios.withSide(folio) { $0.extraReferences += 1 }
    for ref in memory.liveRefs(mm, range) {
      let entry = tables.entry(ref)
      if options.followsContent, entry.kind.refersToFolio {
        let inTarget = Int(memory.owner(ref).page.rawValue &- start.rawValue)
        folios.setContent(folios.content(entry.folio, page: entry.page), of: folio, page: inTarget)
      }
      drop(ref)
    }
    if order.rawValue == 9 { mapCollapsedPMD(first.table, folio, vma) } else { mapCollapsed(mm, start, folio, vma) }
    folios.withSide(folio) { $0.extraReferences -= 1 }
    return .installed(folio)
  }

  /// `hpage_collapse_scan_pmd` with the defaults of max_ptes_swap and max_ptes_shared; max_ptes_none is no limit.
  private func isWithinLimits(_ mm: MMID, _ range: PageRange) -> Bool {
    var (swapped, shared) = (0, 0)
    for ref in memory.liveRefs(mm, range) {
      let entry = tables.entry(ref)
      if entry.kind == .swap { swapped += 1 }
      guard entry.kind == .present else { continue }
      let folio = entry.folio
      if isMaybeMappedShared(folio, from: ref) { shared += 1 }
      let isLazyfree = !folios.flags(folio).contains(.swapBacked)
      if facts.collapseSparesLazyfree, isLazyfree, !E.isDataDirty(self, entry), !folios.flags(folio).contains(.dirty) {
        return false
      }
    }
    return swapped <= PageTables.entriesPerTable / 8 && shared <= PageTables.entriesPerTable / 2
  }

  /// `__collapse_huge_page_swapin`; smaller orders are not worth it.
  private mutating func readInForCollapse(_ mm: MMID, _ range: PageRange, _ vma: VMAFacts) {
    for ref in memory.liveRefs(mm, range) where tables.entry(ref).kind == .swap {
      _ = swapIn(mm, memory.owner(ref).page, vma, write: false)
    }
  }

  /// `__collapse_huge_page_isolate`: only normal anonymous pages without references beyond their mappings.
  private func mayCollapse(_ mm: MMID, _ range: PageRange) -> Bool {
    var isWritable = !facts.collapseNeedsWritable
    for ref in memory.liveRefs(mm, range) {
      let entry = tables.entry(ref)
      switch entry.kind {
      case .zeroPage: continue
      case .present:
        if entry.writable { isWritable = true }
        let folio = entry.folio
        if entry.uffdWP || folios.flags(folio).contains(.ksm) { return false }
        if folios.isHeld(folio) || folios.migrations(folio) > 0 {
          return false
        }
      case .none, .filePage, .swap, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate,
        .deviceExclusive, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
        return false
      }
    }
    return isWritable
  }

  private mutating func mapCollapsedPMD(_ table: TableID, _ folio: FolioID, _ vma: VMAFacts) {
    if skips(.collapsePMD) { return }
    E.deposited(&self, table)
    makeHuge(table)
    let ref = EntryRef(table: table, slot: 0)
    var entry = Entry(.present, folio)
    entry.dirty = true
    entry.softDirty = true
    place(vma.granting(entry), at: ref)
    E.installedExclusive(&self, ref, .collapse)
  }

  private mutating func mapCollapsed(_ mm: MMID, _ start: VirtualPage, _ folio: FolioID, _ vma: VMAFacts) {
    if skips(.collapseMTHP) { return }
    for index in 0..<folios.order(folio).pageCount {
      let ref = ensure(mm, start.advanced(by: index))
      let entry = Entry(.present, folio, page: index)
      place(vma.grantingDirty(entry), at: ref)
      E.installedExclusive(&self, ref, .collapse)
    }
  }
}
