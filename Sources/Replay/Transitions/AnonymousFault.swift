// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Faults on entries that are none (`do_anonymous_page`, `do_cow_fault`; docs/semantics.md, "Faults").
extension World {
  /// A read maps the zero page.
  package mutating func readFault(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) -> Outcome {
    if skips(.readFault) { return .nothing }
    let ref = ensure(mm, page)
    var entry = Entry(.zeroPage)
    entry.young = true
    switch tables.entry(ref).kind {
    case .none: break
    case .markerUffdWP: entry.uffdWP = true
    case .present, .zeroPage, .filePage, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate,
      .deviceExclusive, .hwpoison, .markerGuard, .markerPoison, .swap:
      return .noFault
    }
    place(entry, at: ref)
    return .zeroPageMapped
  }

  /// A fresh folio of `order`, aligned, covers the page. `write` without `VM_WRITE` is FOLL_FORCE. The
  /// zero page may be in the way at order 0. The folio is as large as asked only where all its entries are none.
  package mutating func anonymousFault(
    _ mm: MMID, _ page: VirtualPage, order: FolioOrder = .base, _ vma: VMAFacts
  ) -> Outcome {
    if skips(.anonymousFault) { return .failed(.fault) }
    let first = VirtualPage(page.rawValue & ~UInt64(order.pageCount &- 1))
    let folio = memory.newFolio(order: order)
    for index in 0..<order.pageCount {
      let ref = ensure(mm, first.advanced(by: index))
      let old = tables.entry(ref)
      guard !old.kind.refersToFolio, old.kind != .swap else { continue }
      var entry = Entry(.present, folio, page: index)
      entry.uffdWP = old.kind == .markerUffdWP
      entry.softDirty = true
      entry.young = true
      place(vma.grantingDirty(entry, if: !entry.uffdWP), at: ref)
      E.installedExclusive(&self, ref, vma.mayWrite && !vma.isWriteUnknown ? .anonymousFault : .forcedFault)
    }
    return .installed(folio)
  }

  /// A private file page is copied on write. Also what a write to a page of the page cache the model never
  /// saw mapped does.
  package mutating func filePageCopy(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) -> Outcome {
    if skips(.fileCopy) { return .failed(.fault) }
    let ref = ensure(mm, page)
    if tables.entry(ref).kind != .none { drop(ref) }
    return installCopy(at: ref, from: nil, vma, .fileCopy)
  }

  /// Fault-around mapped page-cache pages: they are never exclusive, but they are not missing any more.
  package mutating func filePageMapped(_ mm: MMID, _ page: VirtualPage) {
    let ref = ensure(mm, page)
    if tables.entry(ref).kind == .none { place(Entry(.filePage), at: ref) }
    tables.setUncounted(true, table: ref.table)
  }

  /// A small folio, mapped W D (or r D without `VM_WRITE`) where the old entry has just been cleared. For the
  /// unshare fault: r c, with the soft-dirty and uffd-wp bits of the old entry.
  mutating func installCopy(
    at ref: EntryRef, from old: Entry?, _ vma: VMAFacts, _ site: InstallSite, folio prepared: FolioID? = nil
  ) -> Outcome {
    let folio = prepared ?? memory.newFolio()
    var entry = Entry(.present, folio)
    entry.young = true
    switch site {
    case .unshareCopy:
      entry.softDirty = old?.softDirty ?? false
      entry.uffdWP = old?.uffdWP ?? false
    case .anonymousFault, .forcedFault, .fileCopy, .writeCopy, .swapIn, .swapOff, .forkCopy, .restore, .deviceInsert,
      .collapse, .userfaultCopy, .userfaultMove, .deviceExclusiveRestore, .hugetlbReadFault:
      entry.dirty = true
      entry.softDirty = true
      entry = vma.granting(entry)
    }
    place(vma.marking(entry), at: ref)
    E.installedExclusive(&self, ref, site)
    return .copied(from: nil, to: folio)
  }
}
