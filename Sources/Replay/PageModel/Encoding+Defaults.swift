// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What today's kernel does where an encoding has nothing to say.
extension Encoding {
  package static var callSites: [CallSiteSwitch] { [] }
  package static var audit: EncodingAudit? { nil }
  package static var role: EncodingRole { .proposal }
  package static var keepsTableState: Bool { false }

  // — what a report says of it

  package static var definition: [RuleID] { [] }
  package static func rule(brokenBy verdict: Verdict) -> RuleID? { nil }
  /// Only who gives the dirty bit another meaning can drop data because of it.
  package static func canHold(_ verdict: Verdict) -> Bool { verdict != .dataLoss }
  package static var isSound: Bool { true }
  package static var allocates: Bool { false }

  // — setting

  @inline(__always)
  package static func prepareShared(
    _ world: inout World<Self>, _ ref: EntryRef, _ folio: FolioID, _ site: SharedSite
  ) -> SharedPreparation { .ready }

  @inline(__always)
  package static func installedShared(_ world: inout World<Self>, _ ref: EntryRef, _ site: SharedSite) {}

  // — clearing

  @inline(__always)
  package static func prepareFork(
    _ world: inout World<Self>, parent: EntryRef, child: EntryRef, entry: Entry
  ) -> Bool { true }

  @inline(__always)
  package static func waitsForMigrationAtFork(_ world: World<Self>, _ entry: Entry) -> Bool { false }

  /// Nothing to clear: what the new entry says is what was claimed.
  @inline(__always)
  package static func temporarilyUnmapped(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) -> Bool {
    claim(world, ref, entry) != .shared
  }

  @inline(__always)
  package static func prepareKSM(_ world: inout World<Self>, _ ref: EntryRef) -> Bool { true }

  @inline(__always)
  package static func sharedByKSM(_ world: inout World<Self>, _ ref: EntryRef) {}

  /// Zapping leaves the bit as it is: a stale bit on an unmapped page is real (I15).
  @inline(__always)
  package static func removed(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) {}

  // — entry bits

  @inline(__always)
  package static func wrprotected(
    _ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry, _ site: WrprotectSite
  ) -> Entry { entry.withoutWrite }

  @inline(__always)
  package static func madeWritable(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) -> Entry {
    entry.withWrite
  }

  @inline(__always)
  package static func isDataDirty(_ world: World<Self>, _ entry: Entry) -> Bool {
    entry.dirty || entry.hardwareDirty
  }

  @inline(__always)
  package static func restoredDirty(
    _ world: World<Self>, _ migration: Entry, folioIsDirty: Bool
  ) -> Bool { folioIsDirty && migration.dirty }

  @inline(__always)
  package static func mayBatch(_ world: World<Self>, _ first: Entry, _ next: Entry) -> Bool { true }

  package static func mayFold(_ world: World<Self>, _ first: Entry, _ next: Entry) -> Bool { true }

  package static func flushesBeforeIO(
    _ world: World<Self>, _ folio: FolioID, sawDirtyEntry: Bool
  ) -> Bool { sawDirtyEntry }

  @inline(__always)
  package static func freedLazily(_ world: World<Self>, _ entry: Entry) -> Entry { entry.cleaned }

  // — moving and splitting

  @inline(__always)
  package static func prepareMove(
    _ world: inout World<Self>, from: EntryRef, to: EntryRef, _ entry: Entry
  ) -> Bool { true }

  @inline(__always)
  package static func moved(_ world: inout World<Self>, from: EntryRef, to: EntryRef, wasExclusive: Bool) {}

  /// The 512 entries say what the PMD entry said.
  @inline(__always)
  package static func splitPMD(_ world: inout World<Self>, _ table: TableID, _ pmd: Entry) {}

  @inline(__always)
  package static func tableMoved(
    _ world: inout World<Self>, _ table: TableID, from base: UInt64, onto left: TableID?
  ) {}

  @inline(__always)
  package static func deposited(_ world: inout World<Self>, _ table: TableID) {}

  @inline(__always)
  package static func tableAllocated(_ world: inout World<Self>, _ table: TableID) {}

  @inline(__always)
  package static func tableFreed(_ world: inout World<Self>, _ table: TableID) {}

  @inline(__always)
  package static func keepsSlot(_ world: World<Self>, _ table: TableID) -> Bool { false }

  @inline(__always)
  package static func tablesExchanged(_ world: inout World<Self>, _ a: TableID, _ b: TableID) {}

  @inline(__always)
  package static func hasTableState(_ world: World<Self>, _ table: TableID) -> Bool { false }

  package static func hasStrayState(_ world: World<Self>, _ ref: EntryRef) -> Bool { false }

  @inline(__always)
  package static func exited(_ world: inout World<Self>, _ mm: MMID) {}

  // — rare

  @inline(__always)
  package static func mayMapWritable(
    _ world: World<Self>, _ ref: EntryRef, _ site: InstallSite
  ) -> Bool { true }

  package static func unpinCheck(_ world: World<Self>, _ folio: FolioID, page: Int) -> UnpinCheck { .passes }

  package static func fastClaim(_ world: World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim {
    claim(world, ref, entry)
  }

  package static func preparedTableGone(_ world: inout World<Self>) {}
}
