// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// How a per-folio flag copes with pages of one folio that differ.
package protocol FolioFlagPolicy: Sendable {
  static var id: EncodingID { get }
  /// Other entries of the folio are write-protected before the flag is cleared.
  static var writeProtectsOthers: Bool { get }
  /// The flag goes only with the last exclusive page. The bits per page that this needs are kept beside the flag;
  /// no claim ever reads one of them alone.
  static var isUnion: Bool { get }
}

package enum AndLazy: FolioFlagPolicy {
  package static let id = EncodingID.aAndLazy
  package static let writeProtectsOthers = false
  package static let isUnion = false
}

package enum AndEager: FolioFlagPolicy {
  package static let id = EncodingID.aAndEager
  package static let writeProtectsOthers = true
  package static let isUnion = false
}

package enum Or: FolioFlagPolicy {
  package static let id = EncodingID.aOr
  package static let writeProtectsOthers = false
  package static let isUnion = true
}

/// Encoding A: one flag per folio. Small folios, hugetlb and PMD mappings behave as today; all difference is in
/// large folios mapped by PTEs.
package enum FolioFlag<Policy: FolioFlagPolicy>: Encoding {
  package static var id: EncodingID { Policy.id }

  @inline(__always)
  package static func claim(_ world: borrowing World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim {
    switch entry.kind {
    case .present, .devicePrivate, .deviceExclusive:
      return world.folios[FolioID(entry.index)].flags.contains(.ksm) ? .shared : flag(world, FolioID(entry.index))
    case .swap: return Claim(entry.exclusiveMark)
    case .migrationReadExclusive, .migrationWrite: return .exclusive
    case .migrationRead, .none, .zeroPage, .filePage, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
      return .shared
    }
  }

  /// A folio in which this is the only page present, or all others are exclusive too, gets the flag; in any other
  /// the flag cannot speak for this page.
  package static func installedExclusive(_ world: inout World<Self>, _ ref: EntryRef, _ site: InstallSite) {
    let entry = world.tables.entry(ref)
    let folio = FolioID(entry.index)
    guard world.folios[folio].flags.contains(.large), !Policy.isUnion else {
      set(&world, folio, entry.page, true)
      return
    }
    switch site {
    case .anonymousFault, .forcedFault, .collapse, .userfaultCopy, .deviceInsert, .hugetlbReadFault, .fileCopy,
      .writeCopy, .unshareCopy, .forkCopy, .userfaultMove, .deviceExclusiveRestore:
      set(&world, folio, entry.page, true)
    case .swapIn, .swapOff:
      if world.mapcount(folio) == 1 { set(&world, folio, entry.page, true) }
    case .restore:
      if world.mapcount(folio) == 1, !hasSharedMigrationEntry(world, folio) { set(&world, folio, entry.page, true) }
    }
  }

  /// Clearing the flag of a pinned folio is impossible: the page has to be copied to a folio of its own.
  package static func prepareShared(
    _ world: inout World<Self>, _ ref: EntryRef, _ folio: FolioID, _ site: SharedSite
  ) -> SharedPreparation {
    guard world.folios[folio].flags.contains(.large), flag(world, folio) == .exclusive, !Policy.isUnion else {
      return .ready
    }
    return Policy.writeProtectsOthers && world.isPinned(folio) ? .copyInstead : .ready
  }

  package static func installedShared(_ world: inout World<Self>, _ ref: EntryRef, _ site: SharedSite) {
    let entry = world.tables.entry(ref)
    clear(&world, FolioID(entry.index), entry.page, except: [ref])
  }

  package static func reused(_ world: inout World<Self>, _ ref: EntryRef, _ site: ReuseSite) {
    let entry = world.tables.entry(ref)
    set(&world, FolioID(entry.index), entry.page, true)
  }

  package static func prepareFork(
    _ world: inout World<Self>, parent: EntryRef, child: EntryRef, entry: Entry
  ) -> Bool { true }

  package static func sharedAtFork(_ world: inout World<Self>, parent: EntryRef, child: EntryRef) {
    let entry = world.tables.entry(parent)
    clear(&world, FolioID(entry.index), entry.page, except: [parent, child])
  }

  /// The flag stays until the last present entry goes; until then the entries carry what it said.
  package static func temporarilyUnmapped(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) -> Bool {
    let folio = FolioID(entry.index)
    let wasExclusive = flag(world, folio) != .shared
    if Policy.isUnion || world.mapcount(folio) == 1 { set(&world, folio, entry.page, false) }
    return wasExclusive
  }

  package static func prepareKSM(_ world: inout World<Self>, _ ref: EntryRef) -> Bool { true }

  package static func sharedByKSM(_ world: inout World<Self>, _ ref: EntryRef) {
    let entry = world.tables.entry(ref)
    set(&world, FolioID(entry.index), entry.page, false)
  }

  package static func removed(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) {
    guard Policy.isUnion, world.folios[FolioID(entry.index)].flags.contains(.large) else { return }
    world.setPageBit(FolioID(entry.index), entry.page, false)
  }

  package static func wrprotected(
    _ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry, _ site: WrprotectSite
  ) -> Entry { entry.withoutWrite }

  package static func madeWritable(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) -> Entry {
    entry.withWrite
  }

  @inline(__always)
  package static func isDataDirty(_ world: borrowing World<Self>, _ entry: Entry) -> Bool {
    entry.dirty || entry.hardwareDirty
  }

  @inline(__always)
  package static func restoredDirty(
    _ world: borrowing World<Self>, _ migration: Entry, folioIsDirty: Bool
  ) -> Bool { folioIsDirty && migration.dirty }

  @inline(__always)
  package static func mayBatch(_ world: borrowing World<Self>, _ first: Entry, _ next: Entry) -> Bool { true }

  @inline(__always)
  package static func freedLazily(_ world: borrowing World<Self>, _ entry: Entry) -> Entry { entry.cleaned }

  package static func prepareMove(
    _ world: inout World<Self>, from: EntryRef, to: EntryRef, _ entry: Entry
  ) -> Bool { true }

  package static func moved(_ world: inout World<Self>, from: EntryRef, to: EntryRef, wasExclusive: Bool) {}

  /// The flag says the same of 512 entries as of one: nothing to do, unless bits per page are kept.
  package static func splitPMD(_ world: inout World<Self>, _ region: UInt32, _ pmd: Entry) {
    let folio = FolioID(pmd.index)
    guard Policy.isUnion, flag(world, folio) == .exclusive else { return }
    for page in 0..<world.folios.order(folio).pageCount { world.setPageBit(folio, page, true) }
  }

  package static func tableMoved(_ world: inout World<Self>, _ region: UInt32, from base: UInt64) {}
  package static func deposited(_ world: inout World<Self>, _ region: UInt32) {}
  package static func tableFreed(_ world: inout World<Self>, _ region: UInt32) {}
  package static func folioSplit(_ world: inout World<Self>, _ folio: FolioID) {}

  /// Write under a clear flag would break I1: map read-only instead. Swap-in looks at the flag anyway; the lazy
  /// variant does not where a migration entry says write.
  @inline(__always)
  package static func mayMapWritable(
    _ world: borrowing World<Self>, _ ref: EntryRef, _ site: InstallSite
  ) -> Bool {
    if Policy.isUnion || (site == .restore && !Policy.writeProtectsOthers) { return true }
    return claim(world, ref, world.tables.entry(ref)) != .shared
  }

  package static func devicePrivateReadOnly(_ world: inout World<Self>, _ ref: EntryRef, exclusive: Bool) {
    guard !exclusive else { return }
    let entry = world.tables.entry(ref)
    clear(&world, FolioID(entry.index), entry.page, except: [ref])
  }

  // — the flag

  @inline(__always)
  private static func flag(_ world: borrowing World<Self>, _ folio: FolioID) -> Claim {
    let flags = world.folios[folio].flags
    if flags.contains(.exclusiveUnknown) { return .unknown }
    guard Policy.isUnion, flags.contains(.large), let side = world.folios.side(folio) else {
      return Claim(flags.contains(.exclusive))
    }
    return Claim(side.exclusive.contains { $0 != 0 })
  }

  private static func set(_ world: inout World<Self>, _ folio: FolioID, _ page: Int, _ value: Bool) {
    let before = flag(world, folio)
    if Policy.isUnion { world.setPageBit(folio, page, value) } else { world.setFolioBit(folio, value) }
    guard flag(world, folio) != before else { return }
    world.costs[.pageFlagAtomics] += 1
    world.costs[.structPageLines] += 1
    touchAll(&world, folio)
  }

  /// Clears the flag because one page becomes shared. The other entries of the folio are in every table of every mm.
  private static func clear(_ world: inout World<Self>, _ folio: FolioID, _ page: Int, except: [EntryRef]) {
    if Policy.writeProtectsOthers, world.folios[folio].flags.contains(.large), flag(world, folio) != .shared {
      for ref in world.folios.mappings(of: folio) where !except.contains(ref) {
        world.costs[.foreignEntryWalks] += 1
        var entry = world.tables.entry(ref)
        guard entry.kind == .present, entry.writable || entry.writableUnknown else { continue }
        entry = entry.withoutWrite
        world.update(entry, at: ref)
        world.costs[.foreignWriteProtects] += 1
      }
    }
    set(&world, folio, page, false)
  }

  /// A flag change is a change of every entry of a large folio.
  private static func touchAll(_ world: inout World<Self>, _ folio: FolioID) {
    guard world.folios[folio].flags.contains(.large) else { return }
    for ref in world.folios.mappings(of: folio) { world.touch(ref) }
  }

  @inline(__always)
  private static func hasSharedMigrationEntry(_ world: borrowing World<Self>, _ folio: FolioID) -> Bool {
    world.folios.mappings(of: folio).contains { world.tables.entry($0).kind == .migrationRead }
  }
}
