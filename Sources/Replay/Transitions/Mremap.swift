// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// `mremap`, and the stack of a new program finding its place (`move_page_tables`; docs/semantics.md, "mremap").
extension World {
  /// Moves every entry of `source` to the pages from `destination` on: whole tables and PMDs where both sides are
  /// aligned (`move_normal_pmd`, `move_huge_pmd`), else entry by entry (`move_ptes`). Whatever was at the destination
  /// is gone already.
  package mutating func move(_ mm: MMID, from source: PageRange, to destination: VirtualPage) -> Outcome {
    let shift = destination.rawValue &- source.start.rawValue
    var page = source.start
    while page < source.end {
      let block = VirtualPage(page.rawValue | 511).advanced(by: 1)
      let end = min(block, source.end)
      let isWhole = page.rawValue & 511 == 0 && shift & 511 == 0 && end == block
      let target = VirtualPage(page.rawValue &+ shift)
      let part = PageRange(start: page, end: end)
      if !(isWhole && moveTable(mm, page, to: target)) {
        guard moveEntries(mm, part, to: target) else { return .failed(.noMemory) }
      }
      page = end
    }
    return .done
  }

  /// `move_ptes`. False when the encoding could not prepare the destination; entries moved so far are moved back.
  private mutating func moveEntries(_ mm: MMID, _ source: PageRange, to destination: VirtualPage) -> Bool {
    if skips(.mremapEntries) { return true }
    splitAtBorders(mm, source)
    for ref in memory.liveRefs(mm, source) {
      if memory.isHuge(ref) { splitHugeEntry(ref.table) }
    }
    makeDestinationTables(mm, source, destination)
    if options.hasContPTE { batchForMove(memory.liveRefs(mm, source)) }
    var done: [(from: EntryRef, to: EntryRef)] = []
    for from in memory.liveRefs(mm, source) {
      let offset = memory.owner(from).page.rawValue &- source.start.rawValue
      let to = ensure(mm, VirtualPage(destination.rawValue &+ offset))
      guard E.prepareMove(&self, from: from, to: to, tables.entry(from)) else {
        for step in done.reversed() { moveOne(from: step.to, to: step.from, setsSoftDirty: false) }
        return false
      }
      moveOne(from: from, to: to, setsSoftDirty: true)
      done.append((from, to))
    }
    return true
  }

  /// `move_page_tables`: wherever the source has a table the destination gets one, entries or not.
  private mutating func makeDestinationTables(_ mm: MMID, _ source: PageRange, _ destination: VirtualPage) {
    for (table, part) in memory.tableParts(mm, source) where !tables[table].isHuge {
      let isUncounted = tables[table].isUncounted
      for page in [part.start, part.end.advanced(by: -1)] {
        let target = ensure(mm, VirtualPage(destination.rawValue &+ page.rawValue &- source.start.rawValue))
        if isUncounted { tables.setUncounted(true, table: target.table) }
      }
    }
  }

  /// The entry changes its place and nothing else; soft-dirty is set (`move_soft_dirty_pte`).
  mutating func moveOne(from: EntryRef, to: EntryRef, setsSoftDirty: Bool) {
    var entry = tables.entry(from)
    let wasExclusive = E.claim(self, from, entry) != .shared
    let verdict = (entry.verdict, entry.verdictIsPossible)
    if setsSoftDirty { entry.softDirty = true }
    relocate(entry, from: from, to: to)
    tables.setVerdict(verdict.0, possible: verdict.1, at: to)
    tables.setVerdict(.ok, possible: false, at: from)
    if entry.kind.refersToFolio { E.moved(&self, from: from, to: to, wasExclusive: wasExclusive) }
  }

  /// The same reference under another address: no count changes, except which mm maps it (UFFDIO_MOVE stays in
  /// one mm too).
  mutating func relocate(_ entry: Entry, from: EntryRef, to: EntryRef) {
    let folio = entry.folio
    if entry.kind.refersToFolio {
      memory.attach(to, to: folio, page: entry.page)
      memory.detach(from, from: folio, page: entry.page)
    }
    if !pins.isEmpty {
      let source = memory.owner(from)
      movePins(
        source.mm, PageRange(start: source.page, count: memory.isHuge(from) ? 512 : 1), to: memory.owner(to).page)
    }
    tables.write(.none, at: from)
    tables.write(entry, at: to)
    touch(from)
    touch(to)
  }

  /// `move_normal_pmd`, `move_huge_pmd`: the PMD slot moves with everything below it. False when the destination has a
  /// table.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  private mutating func moveTable(_ mm: MMID, _ page: VirtualPage, to destination: VirtualPage) -> Bool {
    if skips(.mremapTable) { return true }
    guard let slot = memory.slot(of: mm), let table = mms[Int(slot)]?.peekTable(base: page.rawValue &>> 9) else {
      return true
    }
    let target = destination.rawValue &>> 9
    var left: TableID?
    if let occupied = mms[Int(slot)]?.peekTable(base: target) {
      guard tables[occupied].live == 0 else { return false }
      freeTable(occupied)
      left = mms[Int(slot)]?.peekTable(base: target)
      if left != nil { mms[Int(slot)]?.remove(base: target) }
    }
    let isHugeEntry = tables[table].isHuge
    let wasExclusive = isHugeEntry && E.claim(self, EntryRef(table: table, slot: 0), tables[table].pmd) != .shared
    if isHugeEntry {
      let ref = EntryRef(table: table, slot: 0)
      touch(ref)
      guard prepareHugeMove(table, toBase: target, ref) else { return false }
    }
    touchTable(table)
    movePins(mm, PageRange(start: page, count: 512), to: destination)
    mms[Int(slot)]?.remove(base: page.rawValue &>> 9)
    tables[table].base = target
    mms[Int(slot)]?.insert(table: table, base: target)
    memory.upperTables?.insert(above: target, slot)
    if isHugeEntry {
      depositMoved(table, from: page.rawValue &>> 9)
      let ref = EntryRef(table: table, slot: 0)
      var entry = tables.entry(ref)
      entry.softDirty = true
      tables.write(entry, at: ref)
      E.moved(&self, from: ref, to: ref, wasExclusive: wasExclusive)
    } else {
      E.tableMoved(&self, table, from: page.rawValue &>> 9, onto: left)
    }
    if let left { tables.free(left) }
    touchTable(table)
    return true
  }

  /// Encoding B keeps the PMD-level bit in the PMD table of the address: it does not travel by itself.
  private mutating func prepareHugeMove(_ table: TableID, toBase: UInt64, _ ref: EntryRef) -> Bool {
    let oldBase = tables[table].base
    let entry = tables.entry(ref)
    // The slot at the destination holds whatever bit it last had: none was modelled, so it reads 0.
    tables[table].base = toBase
    let ready = E.prepareMove(&self, from: ref, to: ref, entry)
    tables[table].base = oldBase
    return ready
  }

  private mutating func touchTable(_ table: TableID) {
    if tables[table].isHuge {
      touch(EntryRef(table: table, slot: 0))
      return
    }
    for slot in 0..<512 where tables.entry(EntryRef(table: table, slot: slot)).kind != .none {
      touch(EntryRef(table: table, slot: slot))
    }
  }
}
