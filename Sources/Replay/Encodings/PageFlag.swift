// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// One bit per page of an anonymous folio (the head page's for PMD and hugetlb mappings), wherever it is kept; swap and
/// migration entries carry it while the page is not mapped. What its users differ in is what a change costs.
package protocol PageFlag: Encoding {
  /// The bit of the page was changed.
  static func charge(_ world: inout World<Self>, _ folio: FolioID, page: Int)
}

extension PageFlag {
  package static var definition: [RuleID] { [.i10, .i11] }

  @inline(__always)
  package static func claim(_ world: World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim {
    switch entry.kind {
    case .present, .devicePrivate, .deviceExclusive:
      let folio = entry.folio
      if world.folios.flags(folio).contains(.ksm) { return .shared }
      return world.memory.pageBit(folio, entry.page)
    case .swap: return Claim(entry.exclusiveMark)
    case .migrationReadExclusive, .migrationWrite: return .exclusive
    case .migrationRead, .none, .zeroPage, .filePage, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
      return .shared
    }
  }

  package static func installedExclusive(_ world: inout World<Self>, _ ref: EntryRef, _ site: InstallSite) {
    set(&world, ref, true)
  }

  package static func reused(_ world: inout World<Self>, _ ref: EntryRef, _ site: ReuseSite) { set(&world, ref, true) }

  package static func sharedAtFork(_ world: inout World<Self>, parent: EntryRef, child: EntryRef) {
    set(&world, parent, false)
  }

  package static func temporarilyUnmapped(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) -> Bool {
    let wasExclusive = claim(world, ref, entry) != .shared
    set(&world, ref, false)
    return wasExclusive
  }

  package static func sharedByKSM(_ world: inout World<Self>, _ ref: EntryRef) { set(&world, ref, false) }

  /// The head's bit is copied to all tails, set only (`__split_huge_pmd_locked`).
  package static func splitPMD(_ world: inout World<Self>, _ table: TableID, _ pmd: Entry) {
    let folio = pmd.folio
    switch world.memory.pageBit(folio, 0) {
    case .exclusive:
      let pages = world.folios.order(folio).pageCount
      for page in 0..<pages {
        world.memory.setPageBit(folio, page, true)
        charge(&world, folio, page: page)
      }
    case .shared, .unknown: break
    }
  }

  package static func devicePrivateReadOnly(_ world: inout World<Self>, _ ref: EntryRef, exclusive: Bool) {
    if !exclusive { set(&world, ref, false) }
  }

  /// Of a large folio the head's bit will do, as it does for a PMD mapping.
  package static func unpinCheck(_ world: World<Self>, _ folio: FolioID, page: Int) -> UnpinCheck {
    let isSet = world.memory.pageBit(folio, 0) != .shared || world.memory.pageBit(folio, page) != .shared
    return isSet ? .passes : .fires
  }

  @inline(__always)
  private static func set(_ world: inout World<Self>, _ ref: EntryRef, _ value: Bool) {
    let entry = world.tables.entry(ref)
    let folio = entry.folio
    guard world.memory.pageBit(folio, entry.page) != Claim(value) else { return }
    world.memory.setPageBit(folio, entry.page, value)
    charge(&world, folio, page: entry.page)
  }
}
