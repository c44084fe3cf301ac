// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// `dup_mmap` and `copy_page_range`: the parent's exclusive pages become shared, VMA by VMA
/// (docs/semantics.md, "Fork").
extension World {
  /// The child exists and is empty. Its entries come with `forkCopy`, in the order in which the kernel reaches the
  /// VMAs.
  package mutating func forkBegin(parent: MMID, child: MMID) {
    memory.createMM(child, .fork)
    guard let from = memory.slot(of: parent), let to = memory.slot(of: child) else { return }
    let isComplete = mms[Int(from)]?.isComplete ?? false
    let family = mms[Int(from)]?.family ?? parent
    mms[Int(to)]?.isComplete = isComplete
    mms[Int(to)]?.family = family
    let tablesUnknown = mms[Int(from)]?.tablesUnknown
    mms[Int(to)]?.tablesUnknown = tablesUnknown
    mms[Int(from)]?.writeProtectSequence &+= 1
    forksUnderWay += 1
  }

  /// One VMA's entries (`copy_page_range`). `failed(.noMemory)` when a bitmap could not be allocated and the design is
  /// to abort; what was visited stays shared.
  package mutating func forkCopy(parent: MMID, child: MMID, _ range: PageRange, _ vma: VMAFacts) -> Outcome {
    if !vma.flags.isDisjoint(with: [.dontCopy, .wipeOnFork]) || vma.backing == .shared { return .nothing }
    guard let slot = memory.slot(of: parent) else { return .done }
    let hasPinned = mms[Int(slot)]?.hasPinned ?? false
    if vma.flags.contains(.copiesTables), let child = memory.slot(of: child) {
      memory.upperTables?.copy(from: slot, to: child, range)
    }
    for (table, part) in memory.tableParts(parent, range) {
      guard copyTable(table, part, parent: parent, child: child, vma, hasPinned: hasPinned) else {
        return .failed(.noMemory)
      }
    }
    return .done
  }

  /// `copy_pte_range`, or the one entry of a PMD slot.
  private mutating func copyTable(
    _ table: TableID, _ part: PageRange, parent: MMID, child: MMID, _ vma: VMAFacts, hasPinned: Bool
  ) -> Bool {
    if tables[table].isHuge {
      let ref = EntryRef(table: table, slot: 0)
      // A trace may tell one VMA in pieces: the first of them has brought the huge page.
      if let there = memory.find(child, part.start), memory.isHuge(there), !tables.entry(there).isNone { return true }
      return tables.entry(ref).isNone || copyEntry(ref, parent: parent, child: child, vma, hasPinned: hasPinned)
    }
    let takesShortcut = translations.isEmpty && options.bitmapAllocationBudget == nil && !skips(.forkPresent)
    var changed = (parent: PageSpan(parent), child: PageSpan(child))
    defer {
      changed.parent.end(&touched)
      changed.child.end(&touched)
    }
    var childTable: TableID?
    if vma.flags.contains(.copiesTables) { childTable = copyEmptyTable(table, part.start, child) }
    var left = Int(tables[table].live)
    var page = part.start
    while page < part.end, left > 0 {
      defer { page = page.advanced(by: 1) }
      let ref = EntryRef(table: table, slot: Int(page.rawValue & 511))
      let entry = tables.entry(ref)
      if entry.isNone { continue }
      left -= 1
      if takesShortcut, entry.isPresent, folios.isPlain(entry.folio) {
        let inChild = childTable ?? ensure(child, page, relative: table).table
        childTable = inChild
        if copyPlain(ref, entry, EntryRef(table: inChild, slot: ref.slot), vma) {
          changed.parent.add(page, &touched)
        }
        changed.child.add(page, &touched)
        continue
      }
      guard copyEntry(ref, parent: parent, child: child, vma, hasPinned: hasPinned) else { return false }
    }
    return true
  }

  /// `copyPresent` for a small folio that nothing is known of but its mappings: nearly all there is to fork. `false`:
  /// it was shared and read-only already, so nothing about the parent's entry changes, and nobody need look at it.
  @inline(__always)
  private mutating func copyPlain(
    _ ref: EntryRef, _ entry: Entry, _ childRef: EntryRef, _ vma: VMAFacts
  ) -> Bool {
    precondition(tables.entry(childRef).isNone, "a page is copied twice")
    let isReady = E.prepareFork(&self, parent: ref, child: childRef, entry: entry)
    precondition(isReady, "a bitmap that cannot be allocated without a budget")
    let wasShared = E.claim(self, ref, entry) == .shared && folios.attached(entry.folio) > 1
    let shared = E.wrprotected(&self, ref, entry, .fork)
    if shared != entry { tables.write(settled(shared), at: ref) }
    tables.write(settled(shared.forChild(vma)), at: childRef)
    memory.attach(childRef, to: entry.folio, page: 0)
    E.sharedAtFork(&self, parent: ref, child: childRef)
    return shared != entry || !wasShared
  }

  /// The sequence count is even again, and the parent's TLB is flushed.
  package mutating func forkEnd(parent: MMID, child: MMID) {
    forksUnderWay -= 1
    guard let slot = memory.slot(of: parent) else { return }
    mms[Int(slot)]?.writeProtectSequence &+= 1
    if !translations.isEmpty { translations.removeAll { $0.mm == parent } }
  }

  /// `dup_mmap` fails: the child is torn down; entries of the parent already visited keep what fork made of them.
  package mutating func forkAbort(parent: MMID, child: MMID) {
    if skips(.forkAbort) { return }
    forkEnd(parent: parent, child: child)
    exitBegin(child)
    exitEnd(child)
  }

  private mutating func copyEntry(
    _ parentRef: EntryRef, parent: MMID, child: MMID, _ vma: VMAFacts, hasPinned: Bool
  ) -> Bool {
    let entry = tables.entry(parentRef)
    let page = memory.owner(parentRef).page
    switch entry.kind {
    case .none, .filePage: return true
    case .hwpoison:
      place(entry, at: ensure(child, page, relative: parentRef.table))
      return true
    case .markerUffdWP:
      if vma.flags.contains(.uffdForkEvent) { place(entry, at: ensure(child, page, relative: parentRef.table)) }
      return true
    case .markerGuard, .markerPoison, .zeroPage:
      var copy = entry
      copy.writable = false
      place(copy, at: ensure(child, page, relative: parentRef.table))
      return true
    case .swap:
      copySwapEntry(parentRef, entry, ensure(child, page, relative: parentRef.table), vma)
      return true
    case .migrationRead, .migrationReadExclusive, .migrationWrite:
      if E.waitsForMigrationAtFork(self, entry) {
        // Whatever else holds the folio makes the migration fail: the page comes back where it was.
        restoreMigrationEntry(parentRef)
        if tables.entry(parentRef).isPresent {
          return copyEntry(parentRef, parent: parent, child: child, vma, hasPinned: hasPinned)
        }
      }
      return copyMigrationEntry(parentRef, entry, ensureLike(parentRef, child, page), vma)
    case .deviceExclusive:
      restoreDeviceExclusive(parentRef, vma)
      return copyPresent(parentRef, ensure(child, page, relative: parentRef.table), vma, hasPinned: hasPinned)
    case .devicePrivate:
      return copyDevicePrivate(parentRef, ensureLike(parentRef, child, page), vma)
    case .present:
      if memory.isHuge(parentRef) { return copyHuge(parentRef, child, page, vma, hasPinned: hasPinned) }
      return copyPresent(parentRef, ensure(child, page, relative: parentRef.table), vma, hasPinned: hasPinned)
    }
  }

  /// The child's slot for the page, at the level of the parent's.
  mutating func ensureLike(_ parentRef: EntryRef, _ child: MMID, _ page: VirtualPage) -> EntryRef {
    let ref = ensure(child, page, relative: parentRef.table)
    guard memory.isHuge(parentRef), !memory.isHuge(ref) else { return ref }
    makeHuge(ref.table)
    return EntryRef(table: ref.table, slot: 0)
  }

  /// `copy_present_ptes`: a page that may be pinned and is exclusive is copied (`copy_present_page`), any other shared.
  private mutating func copyPresent(
    _ parentRef: EntryRef, _ childRef: EntryRef, _ vma: VMAFacts, hasPinned: Bool
  ) -> Bool {
    if skips(.forkPresent) { return true }
    let entry = tables.entry(parentRef)
    let folio = entry.folio
    if hasPinned, memory.isPinned(folio), E.claim(self, parentRef, entry) != .shared {
      copyForChild(entry, childRef, vma)
      return true
    }
    guard E.prepareFork(&self, parent: parentRef, child: childRef, entry: entry) else {
      switch options.forkWithoutBitmap {
      case .abort: return false
      case .copy:
        copyForChild(entry, childRef, vma)
        costs[.extraCopies] += 1
        return true
      }
    }
    let before = memory.folioStanding(folio)
    let shared = E.wrprotected(&self, parentRef, entry, .fork)
    update(shared, at: parentRef)
    place(shared.forChild(vma), at: childRef)
    E.sharedAtFork(&self, parent: parentRef, child: childRef)
    touchDiverged(folio, standing: before)
    return true
  }

  /// `copy_present_page`: the child gets its own page at once, the parent keeps everything.
  private mutating func copyForChild(_ entry: Entry, _ childRef: EntryRef, _ vma: VMAFacts) {
    let content = folios.content(entry.folio, page: entry.page)
    guard case .copied(_, let target) = installCopy(at: childRef, from: entry, vma, .forkCopy) else { return }
    if options.followsContent { folios.setContent(content, of: target, page: 0) }
  }

  /// `copy_nonpresent_pte`: both swap entries lose the exclusive mark.
  private mutating func copySwapEntry(_ parentRef: EntryRef, _ entry: Entry, _ childRef: EntryRef, _ vma: VMAFacts) {
    if skips(.forkSwap) { return }
    var shared = entry
    shared.exclusiveMark = false
    update(shared, at: parentRef)
    shared.uffdWP = shared.uffdWP && vma.flags.contains(.uffdForkEvent)
    place(shared, at: childRef)
  }

  /// `copy_nonpresent_pte`: W and R-exclusive become R in both; young and dirty stay.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  private mutating func copyMigrationEntry(
    _ parentRef: EntryRef, _ entry: Entry, _ childRef: EntryRef, _ vma: VMAFacts
  ) -> Bool {
    if skips(.forkMigration) { return true }
    guard E.prepareFork(&self, parent: parentRef, child: childRef, entry: entry) else {
      return options.forkWithoutBitmap == .copy
    }
    var shared = entry
    shared.kind = .migrationRead
    update(shared, at: parentRef)
    shared.uffdWP = shared.uffdWP && vma.flags.contains(.uffdForkEvent)
    place(shared, at: childRef)
    E.sharedAtFork(&self, parent: parentRef, child: childRef)
    return true
  }
}

extension Entry {
  /// What fork writes for the child: it has not accessed the page, and uffd-wp is its own only with a userfaultfd that
  /// follows forks.
  @inline(__always)
  func forChild(_ vma: VMAFacts) -> Entry {
    var copy = self
    copy.young = false
    copy.uffdWP = uffdWP && vma.flags.contains(.uffdForkEvent)
    return copy
  }
}

/// Touched pages of one mm that follow each other, told as one.
private struct PageSpan {
  private let mm: MMID
  private var range = PageRange(start: VirtualPage(0), count: 0)

  init(_ mm: MMID) { self.mm = mm }

  @inline(__always)
  mutating func add(_ page: VirtualPage, _ touched: inout TouchedPages) {
    if range.end != page {
      end(&touched)
      range.start = page
    }
    range.end = page.advanced(by: 1)
  }

  mutating func end(_ touched: inout TouchedPages) {
    touched.add(mm, range)
    range = PageRange(start: VirtualPage(0), count: 0)
  }
}
