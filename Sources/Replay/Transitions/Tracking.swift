// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Write protection that only wants to see the next write: userfaultfd-wp, PAGEMAP_SCAN, soft-dirty, NUMA hints
/// (docs/semantics.md, "userfaultfd and tracking").
extension World {
  /// `uffd_wp_range`: U is set and write goes; entries that are not present get U too. `batched`: as `change_pte_range`
  /// does it; PAGEMAP_SCAN (`make_uffd_wp_pte`) goes entry by entry.
  package mutating func uffdWriteProtect(_ mm: MMID, _ range: PageRange, _ vma: VMAFacts, batched: Bool = true) {
    if skips(.uffdWriteProtect) { return }
    splitAtBorders(mm, range)
    let refs = memory.liveRefs(mm, range)
    var position = 0
    while position < refs.count {
      guard tables.entry(refs[position]).kind == .present else {
        if batched { degrade(refs[position]) }
        setUserfaultWP(refs[position], true)
        position += 1
        continue
      }
      let end = batched ? batchEnd(refs, from: position) : position + 1
      let dirty = refs[position..<end].contains { tables.entry($0).dirty }
      for ref in refs[position..<end] {
        var one = tables.entry(ref)
        one.dirty = dirty
        if one.writable || one.writableUnknown { one = E.wrprotected(&self, ref, one, .userfault) }
        one.uffdWP = true
        update(one, at: ref)
      }
      position = end
    }
  }

  /// U of an entry that is not present (or the zero page).
  private mutating func setUserfaultWP(_ ref: EntryRef, _ value: Bool) {
    var entry = tables.entry(ref)
    guard entry.kind != .none, entry.kind != .hwpoison, !entry.kind.isMarker, entry.uffdWP != value else { return }
    entry.uffdWP = value
    update(entry, at: ref)
  }

  /// `UFFDIO_WRITEPROTECT` resolves: U goes, write comes back where the page is exclusive (since 6.12).
  package mutating func uffdResolve(_ mm: MMID, _ range: PageRange, _ vma: VMAFacts) {
    if skips(.uffdResolve) { return }
    splitAtBorders(mm, range)
    for ref in memory.liveRefs(mm, range) {
      switch tables.entry(ref).kind {
      case .markerUffdWP: drop(ref)
      case .present, .none: break
      case .zeroPage, .filePage, .swap, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate,
        .deviceExclusive, .hwpoison, .markerGuard, .markerPoison:
        degrade(ref)
        setUserfaultWP(ref, false)
      }
    }
    let refs = memory.liveRefs(mm, range)
    var position = 0
    while position < refs.count {
      guard tables.entry(refs[position]).kind == .present else {
        position += 1
        continue
      }
      let end = batchEnd(refs, from: position)
      for ref in refs[position..<end] where tables.entry(ref).uffdWP {
        var entry = tables.entry(ref)
        entry.uffdWP = false
        update(entry, at: ref)
      }
      if facts.userfaultResolveUpgrades { changeBatch(refs[position..<end], vma, .userfault) }
      position = end
    }
  }

  /// `clear_refs_write`: the soft-dirty bits of an mm are cleared, and with them write, so that the next write is seen.
  /// A pinned writable PTE is skipped; the PMD form has no such test.
  package mutating func clearSoftDirty(_ mm: MMID, _ range: PageRange) {
    if skips(.clearSoftDirty) { return }
    for ref in memory.liveRefs(mm, range) {
      var entry = tables.entry(ref)
      if entry.kind == .present {
        if entry.writable, !memory.isHuge(ref), memory.isPinned(entry.folio) { continue }
        if entry.writable || entry.writableUnknown { entry = E.wrprotected(&self, ref, entry, .softDirty) }
      }
      entry.softDirty = false
      update(entry, at: ref)
    }
  }

  /// `change_prot_numa`: a hint for NUMA balancing, by the same `change_pte_range` as mprotect: a PMD covered in part
  /// is split (`change_pmd_range`), batches OR their dirty bits, entries that are not present lose write. KSM, pinned
  /// and shared pages are left alone.
  package mutating func numaScan(_ mm: MMID, _ range: PageRange) {
    if skips(.numaScan) { return }
    splitAtBorders(mm, range)
    let refs = memory.liveRefs(mm, range)
    var position = 0
    while position < refs.count {
      let ref = refs[position]
      let entry = tables.entry(ref)
      guard entry.kind == .present else {
        degrade(ref)
        position += 1
        continue
      }
      let folio = entry.folio
      let isSpared =
        folios.flags(folio).contains(.ksm) || memory.isPinned(folio) || isMaybeMappedShared(folio, from: ref)
      if entry.protnone || isSpared {
        position += 1
        continue
      }
      let end = batchEnd(refs, from: position)
      hint(refs[position..<end])
      position = end
    }
  }

  private mutating func hint(_ batch: ArraySlice<EntryRef>) {
    let dirty = batch.contains { tables.entry($0).dirty }
    let young = batch.contains { tables.entry($0).young }
    for ref in batch {
      var entry = tables.entry(ref)
      entry.dirty = dirty
      entry.young = young
      if !facts.numaHintKeepsWrite, entry.writable || entry.writableUnknown {
        entry = E.wrprotected(&self, ref, entry, .numa)
      }
      entry.protnone = true
      update(entry, at: ref)
    }
  }

  /// `do_numa_page`: the hint is taken back, for the whole large folio at once as far as VMA and table go
  /// (`numa_rebuild_large_mapping`); write comes back where the page is exclusive,
  /// unless the fault tried to migrate the folio. 6.1 never took it away (`pte_savedwrite`).
  package mutating func numaFault(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts, migrates: Bool) -> Outcome {
    if skips(.numaFault) { return .nothing }
    guard let ref = memory.find(mm, page), tables.entry(ref).protnone else { return .nothing }
    let folio = tables.entry(ref).folio
    for other in memory.mappings(of: folio)
    where other.table == ref.table && vma.extent.contains(memory.owner(other).page) {
      var entry = tables.entry(other)
      guard entry.kind == .present, entry.protnone else { continue }
      entry.protnone = false
      entry.young = true
      update(entry, at: other)
      guard !facts.numaHintKeepsWrite, !migrates, canBecomeWritable(other, entry, vma) else { continue }
      update(vma.marking(E.madeWritable(&self, other, entry)), at: other)
    }
    return .done
  }

  /// The MGLRU aging walk: a dirty entry dirties its folio (`walk_pte_range`), for lazyfree or cached folios.
  package mutating func age(_ mm: MMID, _ range: PageRange) {
    if skips(.age) { return }
    for ref in memory.liveRefs(mm, range) {
      var entry = tables.entry(ref)
      guard entry.kind == .present else { continue }
      let folio = entry.folio
      let flags = folios.flags(folio)
      let isSkipped = flags.contains(.swapBacked) && !flags.contains(.swapCache)
      if !isSkipped, E.isDataDirty(self, entry), !flags.contains(.dirty) { memory.markDirty(folio) }
      entry.young = false
      update(entry, at: ref)
    }
  }
}
