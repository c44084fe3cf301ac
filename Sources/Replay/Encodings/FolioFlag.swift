// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// How a per-folio flag copes with pages of one folio that differ.
package protocol FolioFlagPolicy: Sendable {
  static var id: EncodingID { get }
  static var description: EncodingDescription { get }
  /// Other entries of the folio are write-protected before the flag is cleared.
  static var writeProtectsOthers: Bool { get }
  /// The flag goes only with the last exclusive page. The bits per page that this needs are kept beside the flag;
  /// no claim ever reads one of them alone.
  static var isUnion: Bool { get }
}

package enum AndLazy: FolioFlagPolicy {
  package static let id = EncodingID.aAndLazy
  package static let description = EncodingDescription(
    "(A) one flag per folio, set iff every mapped page is exclusive; other PTEs left alone",
    """
    The first page of the folio that becomes shared clears the flag for all. Lazy: the folio's other PTEs keep their \
    write bit, which leaves writable entries under a clear flag (I1-BREAK). Small folios behave as today; everything \
    that differs is in PTE-mapped large folios.
    """, source: "approach (A)")
  package static let writeProtectsOthers = false
  package static let isUnion = false
}

package enum AndEager: FolioFlagPolicy {
  package static let id = EncodingID.aAndEager
  package static let description = EncodingDescription(
    "(A) one flag per folio; other PTEs are write-protected before it is cleared",
    """
    As A-and-lazy, but before the flag is cleared every other PTE of the folio is write-protected, in every page \
    table that maps it. Safe; costs a walk of foreign PTEs and later faults (CONS-fault, CONS-copy). A pinned folio \
    cannot be cleared at all.
    """, source: "approach (A)")
  package static let writeProtectsOthers = true
  package static let isUnion = false
}

package enum Or: FolioFlagPolicy {
  package static let id = EncodingID.aOr
  package static let description = EncodingDescription(
    "(A) one flag per folio, cleared only when the last exclusive page goes",
    """
    Claims exclusive for pages that are shared as soon as one page of the folio is not. Unsafe by construction; it is \
    there to show how often a workload would notice.
    """, source: "approach (A)")
  package static let writeProtectsOthers = false
  package static let isUnion = true
}

/// Encoding A: one flag per folio. Small folios, hugetlb and PMD mappings behave as today; all difference is in
/// large folios mapped by PTEs.
package enum FolioFlag<Policy: FolioFlagPolicy>: Encoding {
  package static var id: EncodingID { Policy.id }
  package static var description: EncodingDescription { Policy.description }
  /// The union claims pages that are shared.
  package static var role: EncodingRole { Policy.isUnion ? .counterexample : .proposal }
  package static var definition: [RuleID] { [.a1] }
  package static var isSound: Bool { Policy.writeProtectsOthers }

  package static func rule(brokenBy verdict: Verdict) -> RuleID? {
    switch verdict {
    case .unsafe, .unsafeIO: .a1
    case .dataLoss, .conservativePin, .livelock, .invariantBreak, .conservativeCopy, .conservativeFault, .lost,
      .better, .ok:
      nil
    }
  }

  @inline(__always)
  package static func claim(_ world: World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim {
    switch entry.kind {
    case .present, .devicePrivate, .deviceExclusive:
      return world.folios.flags(entry.folio).contains(.ksm) ? .shared : flag(world, entry.folio)
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
    let folio = entry.folio
    guard world.folios.flags(folio).contains(.large), !Policy.isUnion else {
      set(&world, folio, entry.page, true)
      return
    }
    switch site {
    case .anonymousFault, .forcedFault, .collapse, .userfaultCopy, .deviceInsert, .hugetlbReadFault, .fileCopy,
      .writeCopy, .unshareCopy, .forkCopy, .userfaultMove, .deviceExclusiveRestore:
      set(&world, folio, entry.page, true)
    case .swapIn, .swapOff:
      if world.memory.mapcount(folio) == 1 { set(&world, folio, entry.page, true) }
    case .restore:
      if world.memory.mapcount(folio) == 1, !hasSharedMigrationEntry(world, folio) {
        set(&world, folio, entry.page, true)
      }
    }
  }

  /// Clearing the flag of a pinned folio is impossible: the page has to be copied to a folio of its own.
  package static func prepareShared(
    _ world: inout World<Self>, _ ref: EntryRef, _ folio: FolioID, _ site: SharedSite
  ) -> SharedPreparation {
    guard world.folios.flags(folio).contains(.large), flag(world, folio) == .exclusive, !Policy.isUnion else {
      return .ready
    }
    return Policy.writeProtectsOthers && world.memory.isPinned(folio) ? .copyInstead : .ready
  }

  package static func installedShared(_ world: inout World<Self>, _ ref: EntryRef, _ site: SharedSite) {
    let entry = world.tables.entry(ref)
    clear(&world, entry.folio, entry.page, except: [ref])
  }

  package static func reused(_ world: inout World<Self>, _ ref: EntryRef, _ site: ReuseSite) {
    let entry = world.tables.entry(ref)
    set(&world, entry.folio, entry.page, true)
  }

  /// To share the page behind a migration entry the flag would have to be cleared, which a pin on another page of the
  /// folio forbids: fork waits for the migration and copies the page.
  package static func waitsForMigrationAtFork(_ world: World<Self>, _ entry: Entry) -> Bool {
    let folio = entry.folio
    return Policy.writeProtectsOthers && world.folios.flags(folio).contains(.large) && world.memory.isPinned(folio)
      && flag(world, folio) == .exclusive
  }

  package static func sharedAtFork(_ world: inout World<Self>, parent: EntryRef, child: EntryRef) {
    let entry = world.tables.entry(parent)
    clear(&world, entry.folio, entry.page, except: [parent, child])
  }

  /// The flag stays until the last present entry goes; until then the entries carry what it said.
  package static func temporarilyUnmapped(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) -> Bool {
    let folio = entry.folio
    let wasExclusive = flag(world, folio) != .shared
    if Policy.isUnion || world.memory.mapcount(folio) == 1 { set(&world, folio, entry.page, false) }
    return wasExclusive
  }

  package static func sharedByKSM(_ world: inout World<Self>, _ ref: EntryRef) {
    let entry = world.tables.entry(ref)
    set(&world, entry.folio, entry.page, false)
  }

  package static func removed(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) {
    let folio = entry.folio
    guard Policy.isUnion, world.folios.flags(folio).contains(.large) else { return }
    let before = flag(world, folio)
    world.memory.setPageBit(folio, entry.page, false)
    // With the last exclusive page the claim of all others goes.
    if flag(world, folio) != before { touchAll(&world, folio) }
  }

  /// The flag says the same of 512 entries as of one: nothing to do, unless bits per page are kept.
  package static func splitPMD(_ world: inout World<Self>, _ table: TableID, _ pmd: Entry) {
    let folio = pmd.folio
    guard Policy.isUnion, flag(world, folio) == .exclusive else { return }
    for page in 0..<world.folios.order(folio).pageCount { world.memory.setPageBit(folio, page, true) }
  }

  /// Write under a clear flag would break I1: map read-only instead. Swap-in looks at the flag anyway; the lazy
  /// variant does not where a migration entry says write.
  @inline(__always)
  package static func mayMapWritable(
    _ world: World<Self>, _ ref: EntryRef, _ site: InstallSite
  ) -> Bool {
    if Policy.isUnion || (site == .restore && !Policy.writeProtectsOthers) { return true }
    return claim(world, ref, world.tables.entry(ref)) != .shared
  }

  package static func devicePrivateReadOnly(_ world: inout World<Self>, _ ref: EntryRef, exclusive: Bool) {
    guard !exclusive else { return }
    let entry = world.tables.entry(ref)
    clear(&world, entry.folio, entry.page, except: [ref])
  }

  package static func unpinCheck(_ world: World<Self>, _ folio: FolioID, page: Int) -> UnpinCheck {
    flag(world, folio) == .shared ? .fires : .passes
  }

  // — the flag

  @inline(__always)
  private static func flag(_ world: World<Self>, _ folio: FolioID) -> Claim {
    let flags = world.folios.flags(folio)
    if flags.contains(.exclusiveUnknown) { return .unknown }
    guard Policy.isUnion, flags.contains(.large) else { return Claim(flags.contains(.exclusive)) }
    return Claim(
      world.folios.look(at: folio) { side in side.exclusive.contains { $0 != 0 } } ?? flags.contains(.exclusive))
  }

  private static func set(_ world: inout World<Self>, _ folio: FolioID, _ page: Int, _ value: Bool) {
    let before = flag(world, folio)
    if Policy.isUnion { world.memory.setPageBit(folio, page, value) } else { world.memory.setFolioBit(folio, value) }
    guard flag(world, folio) != before else { return }
    world.costs[.pageFlagAtomics] += 1
    world.costs[.structPageLines] += 1
    touchAll(&world, folio)
  }

  /// Clears the flag because one page becomes shared. The other entries of the folio are in every table of every mm.
  private static func clear(_ world: inout World<Self>, _ folio: FolioID, _ page: Int, except: [EntryRef]) {
    if Policy.writeProtectsOthers, world.folios.flags(folio).contains(.large), flag(world, folio) != .shared {
      var flushed = except.map(\.table)
      for ref in world.memory.mappings(of: folio) where !except.contains(ref) {
        world.costs[.foreignEntryWalks] += 1
        guard let protected = writeProtected(world.tables.entry(ref)) else { continue }
        world.update(protected, at: ref)
        world.costs[.foreignWriteProtects] += 1
        guard !flushed.contains(ref.table) else { continue }
        flushed.append(ref.table)
        world.costs[.extraTLBFlushes] += 1
      }
    }
    set(&world, folio, page, false)
  }

  /// A device-exclusive entry stands for a writable one: the CPU gets the page back, as `restore_exclusive_pte` does
  /// for a page that is not exclusive. Migration entries keep what they say; their restore looks at the flag.
  private static func writeProtected(_ entry: Entry) -> Entry? {
    switch entry.kind {
    case .present, .devicePrivate:
      return entry.writable || entry.writableUnknown ? entry.withoutWrite : nil
    case .deviceExclusive:
      var restored = entry
      restored.kind = .present
      restored.young = false
      return restored
    case .none, .zeroPage, .filePage, .swap, .migrationRead, .migrationReadExclusive, .migrationWrite, .hwpoison,
      .markerUffdWP, .markerGuard, .markerPoison:
      return nil
    }
  }

  /// A flag change is a change of every entry of a large folio.
  private static func touchAll(_ world: inout World<Self>, _ folio: FolioID) {
    guard world.folios.flags(folio).contains(.large) else { return }
    world.touchMappings(of: folio)
  }

  @inline(__always)
  private static func hasSharedMigrationEntry(_ world: World<Self>, _ folio: FolioID) -> Bool {
    world.memory.mappings(of: folio).contains { world.tables.entry($0).kind == .migrationRead }
  }
}
