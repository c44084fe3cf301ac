// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Migration entries (`try_to_migrate_one`, `remove_migration_pte`): while one is there it carries exclusivity
/// (docs/semantics.md, "Migration").
extension World {
  /// One entry, PTE or PMD. `busy`: exclusive and pinned, the entry was put back.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  package mutating func setMigrationEntry(_ ref: EntryRef) -> Outcome {
    if skips(.migrationSet) { return .nothing }
    var entry = tables.entry(ref)
    guard entry.kind == .present || entry.kind == .devicePrivate || entry.kind == .deviceExclusive else {
      return .nothing
    }
    let folio = entry.folio
    let isExclusive = E.claim(self, ref, entry) != .shared
    if isExclusive, memory.isPinned(folio) { return .failed(.busy) }
    let isDirty = E.isDataDirty(self, entry)
    if isDirty { memory.markDirty(folio) }
    // Device-exclusive entries were made of writable ones only.
    let wasWritable = entry.writable || entry.shadowStack || entry.kind == .deviceExclusive
    let said = E.temporarilyUnmapped(&self, ref, entry)
    entry.kind = wasWritable ? .migrationWrite : said ? .migrationReadExclusive : .migrationRead
    entry.writable = false
    entry.writableUnknown = false
    entry.exclusiveMark = false
    entry.protnone = false
    update(entry, at: ref)
    return .done
  }

  /// All mappings of the folio, PMDs included; a pinned exclusive page stays mapped (and is the reason why a
  /// migration or split then fails).
  mutating func unmapForMigration(_ folio: FolioID) {
    for ref in memory.mappings(of: folio) where memory.isHuge(ref) {
      // `__split_huge_pmd_locked` with freeze: the PMD's one bit decides for all 512. Where it cannot be cleared,
      // without.
      _ = setMigrationEntry(ref)
      splitHugeEntry(ref.table)
    }
    for ref in memory.mappings(of: folio).reversed() { _ = setMigrationEntry(ref) }
  }

  /// Present again (`remove_migration_pte`, `remove_migration_pmd`), on the folio the entry names.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  package mutating func restoreMigrationEntry(_ ref: EntryRef) {
    if skips(.migrationRestore) { return }
    var entry = tables.entry(ref)
    guard entry.kind.isMigration else { return }
    let folio = entry.folio
    var type = entry.kind
    if type == .migrationWrite, entry.uffdWP {
      // Only PAGEMAP_SCAN leaves both: `remove_migration_pte` looks at one of them, `remove_migration_pmd` at both.
      if memory.isHuge(ref) { type = .migrationReadExclusive } else { entry.uffdWP = false }
      entry.kind = type
    }
    if type == .migrationRead {
      switch E.prepareShared(&self, ref, folio, .restore) {
      case .ready, .noMemory, .copyInstead: break
      }
    }
    entry.dirty = E.restoredDirty(self, entry, folioIsDirty: folios.flags(folio).contains(.dirty))
    entry.dirtyUnknown = false
    entry.kind = .present
    entry.writable = type == .migrationWrite
    if !entry.writable { entry.shadowStack = false }
    update(entry, at: ref)
    if type == .migrationRead {
      E.installedShared(&self, ref, .restore)
    } else {
      E.installedExclusive(&self, ref, .restore)
      if entry.writable, !E.mayMapWritable(self, ref, .restore) {
        update(tables.entry(ref).withoutWrite, at: ref)
      }
    }
  }
}

extension World {
  /// All mappings of the page's folio become migration entries. `busy`: pinned; entries that could not be replaced
  /// stay present.
  package mutating func migrationBegin(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    guard let ref = memory.find(mm, page), tables.entry(ref).kind == .present else { return .nothing }
    let folio = tables.entry(ref).folio
    var isBusy = false
    for other in memory.mappings(of: folio).reversed() where setMigrationEntry(other) != .done { isBusy = true }
    return isBusy ? .failed(.busy) : .done
  }

  /// All migration entries of the folio become present again, on the new folio when the migration succeeded: the
  /// model keeps the folio and its content, and drops what does not travel (stale bits of unmapped tail pages).
  package mutating func migrationEnd(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    guard let ref = memory.find(mm, page), tables.entry(ref).kind.refersToFolio else { return .nothing }
    let folio = tables.entry(ref).folio
    for other in memory.mappings(of: folio).reversed() { restoreMigrationEntry(other) }
    return .done
  }

  /// One entry, as `set_migration_pte` shows it.
  package mutating func migrationSet(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    guard let ref = memory.find(mm, page) else { return .nothing }
    return setMigrationEntry(ref)
  }

  package mutating func migrationRestore(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    guard let ref = memory.find(mm, page), tables.entry(ref).kind.isMigration else { return .nothing }
    restoreMigrationEntry(ref)
    return .done
  }

  /// The type a migration entry of this page would get: what `set_migration_pte` is checked against.
  package func expectedMigrationType(_ mm: MMID, _ page: VirtualPage) -> MigrationEntryType? {
    guard let ref = memory.find(mm, page) else { return nil }
    let entry = tables.entry(ref)
    guard entry.kind == .present, !entry.writableUnknown else { return nil }
    if entry.writable { return .write }
    switch E.claim(self, ref, entry) {
    case .exclusive: return .readExclusive
    case .shared: return .read
    case .unknown: return nil
    }
  }
}
