// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Today's kernel: `PG_anon_exclusive`, one flag per page (of the head page for PMD and hugetlb mappings); swap and
/// migration entries carry it while the page is not mapped.
package enum Baseline: Encoding {
  package static let id = EncodingID.baseline

  @inline(__always)
  package static func claim(_ world: borrowing World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim {
    switch entry.kind {
    case .present, .devicePrivate, .deviceExclusive:
      let folio = FolioID(entry.index)
      if world.folios[folio].flags.contains(.ksm) { return .shared }
      return world.pageBit(folio, entry.page)
    case .swap: return Claim(entry.exclusiveMark)
    case .migrationReadExclusive, .migrationWrite: return .exclusive
    case .migrationRead, .none, .zeroPage, .filePage, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
      return .shared
    }
  }

  package static func installedExclusive(_ world: inout World<Self>, _ ref: EntryRef, _ site: InstallSite) {
    set(&world, ref, true)
  }

  package static func prepareShared(
    _ world: inout World<Self>, _ ref: EntryRef, _ folio: FolioID, _ site: SharedSite
  ) -> SharedPreparation { .ready }

  package static func installedShared(_ world: inout World<Self>, _ ref: EntryRef, _ site: SharedSite) {}

  package static func reused(_ world: inout World<Self>, _ ref: EntryRef, _ site: ReuseSite) { set(&world, ref, true) }

  package static func prepareFork(
    _ world: inout World<Self>, parent: EntryRef, child: EntryRef, entry: Entry
  ) -> Bool { true }

  package static func sharedAtFork(_ world: inout World<Self>, parent: EntryRef, child: EntryRef) {
    set(&world, parent, false)
  }

  package static func temporarilyUnmapped(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) -> Bool {
    let wasExclusive = claim(world, ref, entry) != .shared
    set(&world, ref, false)
    return wasExclusive
  }

  package static func prepareKSM(_ world: inout World<Self>, _ ref: EntryRef) -> Bool { true }

  package static func sharedByKSM(_ world: inout World<Self>, _ ref: EntryRef) { set(&world, ref, false) }

  /// Zapping leaves the bit as it is: a stale bit on an unmapped page is real (I15).
  package static func removed(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) {}

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

  /// The head's bit is copied to all tails, set only (`__split_huge_pmd_locked`).
  package static func splitPMD(_ world: inout World<Self>, _ region: UInt32, _ pmd: Entry) {
    let folio = FolioID(pmd.index)
    switch world.pageBit(folio, 0) {
    case .exclusive:
      let pages = world.folios.order(folio).pageCount
      for page in 0..<pages { world.setPageBit(folio, page, true) }
      world.costs[.pageFlagAtomics] += UInt64(pages)
      world.costs[.structPageLines] += UInt64(pages)
    case .shared, .unknown: break
    }
  }

  package static func tableMoved(_ world: inout World<Self>, _ region: UInt32, from base: UInt64) {}
  package static func deposited(_ world: inout World<Self>, _ region: UInt32) {}
  package static func tableFreed(_ world: inout World<Self>, _ region: UInt32) {}
  package static func folioSplit(_ world: inout World<Self>, _ folio: FolioID) {}

  @inline(__always)
  package static func mayMapWritable(
    _ world: borrowing World<Self>, _ ref: EntryRef, _ site: InstallSite
  ) -> Bool { true }

  package static func devicePrivateReadOnly(_ world: inout World<Self>, _ ref: EntryRef, exclusive: Bool) {
    if !exclusive { set(&world, ref, false) }
  }

  private static func set(_ world: inout World<Self>, _ ref: EntryRef, _ value: Bool) {
    let entry = world.tables.entry(ref)
    let folio = FolioID(entry.index)
    guard world.pageBit(folio, entry.page) != Claim(value) else { return }
    world.setPageBit(folio, entry.page, value)
    world.costs[.pageFlagAtomics] += 1
    world.costs[.structPageLines] += 1
  }
}
