// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Device-private pages (mapped by entries that are not present) and device-exclusive access
/// (docs/semantics.md, "Device memory").
extension World {
  /// `copy_nonpresent_pte`: write becomes read in both, and the page is shared (this cannot fail).
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func copyDevicePrivate(_ parentRef: EntryRef, _ childRef: EntryRef, _ vma: VMAFacts) -> Bool {
    if skips(.forkDevicePrivate) { return true }
    var entry = tables.entry(parentRef)
    guard E.prepareFork(&self, parent: parentRef, child: childRef, entry: entry) else {
      return options.forkWithoutBitmap == .copy
    }
    entry.writable = false
    entry.exclusiveMark = false
    update(entry, at: parentRef)
    entry.uffdWP = entry.uffdWP && vma.flags.contains(.uffdForkEvent)
    place(entry, at: childRef)
    E.sharedAtFork(&self, parent: parentRef, child: childRef)
    E.devicePrivateReadOnly(&self, childRef, exclusive: false)
    return true
  }

  /// `restore_exclusive_pte`: the CPU gets the page back.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  package mutating func restoreDeviceExclusive(_ ref: EntryRef, _ vma: VMAFacts) {
    if skips(.restoreDeviceExclusive) { return }
    var entry = tables.entry(ref)
    guard entry.kind == .deviceExclusive else { return }
    let folio = entry.folio
    let wasExclusive = E.claim(self, ref, entry).isExclusive
    entry.kind = .present
    entry.young = false
    entry.dirty = false
    entry = vma.granting(entry, if: wasExclusive && !entry.uffdWP && !vma.needsSoftDirtyWP(entry))
    if entry.writable { entry.dirty = folios.flags(folio).contains(.dirty) }
    update(entry, at: ref)
    if wasExclusive { E.installedExclusive(&self, ref, .deviceExclusiveRestore) }
  }
}

extension World {
  /// `migrate_vma_collect_pmd`: the page moves to device-private memory; the entry is not present but still names it.
  package mutating func moveToDevice(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.moveToDevice) { return .nothing }
    guard let ref = memory.find(mm, page), tables.entry(ref).kind == .present else { return .nothing }
    if memory.isHuge(ref), !facts.hasDevicePrivatePMDs {
      let outcome = splitFolio(tables.entry(ref).folio)
      return outcome == .done ? moveToDevice(mm, page) : outcome
    }
    let folio = tables.entry(ref).folio
    if folios.isHeld(folio) || isLocked(folio) { return .failed(.busy) }
    for other in memory.mappings(of: folio).reversed() {
      let outcome = setMigrationEntry(other)
      guard outcome == .done else { return outcome }
    }
    folios.insert(.devicePrivate, folio)
    for other in memory.mappings(of: folio).reversed() { restoreAsDevicePrivate(other) }
    return .done
  }

  private mutating func restoreAsDevicePrivate(_ ref: EntryRef) {
    var entry = tables.entry(ref)
    let type = entry.kind
    if type == .migrationRead { _ = E.prepareShared(&self, ref, entry.folio, .restore) }
    entry.kind = .devicePrivate
    entry.writable = type == .migrationWrite
    entry.dirty = false
    update(entry, at: ref)
    if type == .migrationRead {
      E.installedShared(&self, ref, .restore)
    } else {
      E.installedExclusive(&self, ref, .restore)
      if type == .migrationReadExclusive { E.devicePrivateReadOnly(&self, ref, exclusive: true) }
    }
  }

  /// The CPU touched the page: it comes back through migration entries.
  mutating func deviceReturn(_ ref: EntryRef) -> Outcome {
    if skips(.deviceReturn) { return .nothing }
    let folio = tables.entry(ref).folio
    if isLocked(folio) { return .failed(.busy) }
    for other in memory.mappings(of: folio).reversed() { _ = setMigrationEntry(other) }
    folios.remove(.devicePrivate, folio)
    for other in memory.mappings(of: folio).reversed() { restoreMigrationEntry(other) }
    return .done
  }

  package mutating func returnFromDevice(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    guard let ref = memory.find(mm, page) else { return .nothing }
    switch tables.entry(ref).kind {
    case .devicePrivate: return deviceReturn(ref)
    case .none, .zeroPage, .present, .filePage, .swap, .migrationRead, .migrationReadExclusive, .migrationWrite,
      .deviceExclusive, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
      return .nothing
    }
  }

  /// `migrate_vma_insert_page`: device memory (or a page of it the CPU keeps) goes into an empty or zero-page slot.
  package mutating func deviceInsert(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) -> Outcome {
    if skips(.deviceInsert) { return .nothing }
    let ref = ensure(mm, page)
    let old = tables.entry(ref)
    guard old.kind == .none || old.kind == .zeroPage else { return .failed(.busy) }
    if old.kind == .zeroPage { drop(ref) }
    let folio = memory.newFolio()
    var entry = Entry(.present, folio)
    entry.young = true
    place(vma.grantingDirty(entry), at: ref)
    E.installedExclusive(&self, ref, .deviceInsert)
    recordStore(ref, page)
    return .installed(folio)
  }

  /// `make_device_exclusive`: a writable entry becomes device-exclusive; the page keeps its flag.
  package mutating func makeDeviceExclusive(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.makeDeviceExclusive) { return .nothing }
    guard let ref = memory.find(mm, page), !memory.isHuge(ref) else { return .nothing }
    var entry = tables.entry(ref)
    guard entry.kind == .present, entry.writable, !isLocked(entry.folio) else { return .failed(.busy) }
    if E.isDataDirty(self, entry) { memory.markDirty(entry.folio) }
    entry.kind = .deviceExclusive
    entry.writable = false
    entry.dirty = false
    update(entry, at: ref)
    return .done
  }
}
