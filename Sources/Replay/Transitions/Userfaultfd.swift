// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Pages placed or moved by a userfaultfd handler (docs/semantics.md, "userfaultfd and tracking").
extension World {
  /// `mfill_atomic_install_pte`: a fresh page, W D, or r D with U (`writeProtected`), or r D without VM_WRITE.
  package mutating func uffdCopy(
    _ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts, writeProtected: Bool
  ) -> Outcome {
    if skips(.uffdCopy) { return .nothing }
    let ref = ensure(mm, page)
    let old = tables.entry(ref)
    guard old.kind == .none || old.kind == .markerUffdWP else { return .failed(.busy) }
    let folio = memory.newFolio()
    var entry = Entry(.present, folio)
    entry.dirty = true
    entry.softDirty = true
    entry.young = true
    entry.uffdWP = writeProtected
    place(vma.granting(entry, if: !writeProtected), at: ref)
    E.installedExclusive(&self, ref, .userfaultCopy)
    recordStore(ref, page)
    return .installed(folio)
  }

  /// UFFDIO_POISON: whoever touches the page gets SIGBUS.
  package mutating func uffdPoison(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.uffdPoison) { return .nothing }
    let ref = ensure(mm, page)
    guard tables.entry(ref).kind == .none else { return .failed(.busy) }
    place(Entry(.markerPoison), at: ref)
    return .done
  }

  /// UFFD_FEATURE_WP_UNPOPULATED: markers say where nothing is that the next page is to be write-protected.
  package mutating func uffdMarkUnpopulated(_ mm: MMID, _ range: PageRange) {
    var page = range.start
    while page < range.end {
      let ref = ensure(mm, page)
      if tables.entry(ref).kind == .none { place(Entry(.markerUffdWP), at: ref) }
      page = page.advanced(by: 1)
    }
  }

  /// `UFFDIO_MOVE`: needs an exclusive, unpinned page (or exclusive swap entry); a large folio is split first, and a
  /// whole PMD moves at once.
  package mutating func uffdMove(_ mm: MMID, from source: VirtualPage, to destination: VirtualPage) -> Outcome {
    if skips(.uffdMove) { return .nothing }
    guard var from = memory.find(mm, source) else { return .nothing }
    var entry = tables.entry(from)
    if entry.kind == .swap {
      guard entry.exclusiveMark else { return .failed(.busy) }
      let to = ensure(mm, destination)
      guard tables.entry(to).kind == .none else { return .failed(.busy) }
      moveOne(from: from, to: to, setsSoftDirty: true)
      return .done
    }
    guard entry.kind == .present, E.claim(self, from, entry) == .exclusive else { return .failed(.busy) }
    let folio = entry.folio
    if memory.isPinned(folio) || isLocked(folio) { return .failed(.busy) }
    // A page table at the destination, even an empty one, is in the way of a PMD.
    let movesPMD =
      memory.isHuge(from) && source.rawValue & 511 == 0 && destination.rawValue & 511 == 0 && !hasTable(mm, destination)
    if folios.flags(folio).contains(.large), !movesPMD {
      guard splitFolio(folio) == .done, let small = memory.find(mm, source) else { return .failed(.busy) }
      from = small
      entry = tables.entry(from)
      guard entry.kind == .present, E.claim(self, from, entry) == .exclusive else { return .failed(.busy) }
    }
    let to = ensure(mm, destination)
    guard tables.entry(to).kind == .none else { return .failed(.busy) }
    if movesPMD { return movePMD(from, to) }
    // `move_present_pte` builds the entry from vm_page_prot: of the old one only dirty is taken over. An entry that was
    // writable says by it what it said.
    var moved = entry.writable ? entry : E.madeWritable(&self, from, entry)
    moved.writable = true
    moved.softDirty = true
    moved.uffdWP = false
    moved.protnone = false
    relocate(moved, from: from, to: to)
    E.installedExclusive(&self, to, .userfaultMove)
    return .reused(entry.folio)
  }

  private func hasTable(_ mm: MMID, _ page: VirtualPage) -> Bool {
    memory.find(mm, page).map { !tables[$0.table].isHuge } ?? false
  }

  private mutating func movePMD(_ from: EntryRef, _ to: EntryRef) -> Outcome {
    guard tables[to.table].live == 0 else { return .failed(.busy) }
    makeHuge(to.table)
    let target = EntryRef(table: to.table, slot: 0)
    var entry = tables.entry(from)
    entry.writable = true
    entry.dirty = true
    entry.softDirty = true
    entry.uffdWP = false
    entry.protnone = false
    relocate(entry, from: from, to: target)
    makeTable(from.table)
    E.installedExclusive(&self, target, .userfaultMove)
    return .reused(entry.folio)
  }
}
