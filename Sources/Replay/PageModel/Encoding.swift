// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// How exclusivity of an anonymous page is stored: the decision points of the kernel where that matters.
///
/// The transitions (`Transitions/`) are written once and call these functions where today's kernel reads, sets or
/// clears PageAnonExclusive, or changes a write or dirty bit. One encoding = one file with these functions in this
/// order. The world passed in is the encoding's own: it holds what the kernel has (page bits, a folio flag, entry bits)
/// and, in `World.own`, what only this encoding would add.
package protocol Encoding: Sendable {
  /// What it keeps beside that.
  associatedtype State: EncodingState = NoState

  static var id: EncodingID { get }
  static var description: EncodingDescription { get }
  /// The call sites that can be switched off one by one.
  static var callSites: [CallSiteSwitch] { get }
  static var audit: EncodingAudit? { get }
  static var role: EncodingRole { get }

  // — what a report says of it

  /// The rules that are about encodings of its kind alone.
  static var definition: [RuleID] { get }
  /// The rule of its definition that a verdict breaks; `nil` where that is the kernel's own.
  static func rule(brokenBy verdict: Verdict) -> RuleID?
  /// Can it come to hold the verdict at all?
  static func canHold(_ verdict: Verdict) -> Bool
  /// Done fully it claims no page that others can observe, and keeps I1: what random stories hold it to.
  static var isSound: Bool { get }
  /// Does it allocate memory where today's kernel does not?
  static var allocates: Bool { get }

  // — reading

  /// e: is what this entry maps (or, for swap and migration entries, names) claimed to be exclusive?
  static func claim(_ world: World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim

  // — setting

  /// A page that is exclusive by construction was mapped at `ref` (entry already written).
  static func installedExclusive(_ world: inout World<Self>, _ ref: EntryRef, _ site: InstallSite)
  /// Before a possibly shared page of `folio` is made present at `ref`.
  static func prepareShared(
    _ world: inout World<Self>, _ ref: EntryRef, _ folio: FolioID, _ site: SharedSite
  ) -> SharedPreparation
  /// A possibly shared page was mapped read-only at `ref`.
  static func installedShared(_ world: inout World<Self>, _ ref: EntryRef, _ site: SharedSite)
  /// The reuse check passed: the page at `ref` is exclusive from now on. The entry is written afterwards.
  static func reused(_ world: inout World<Self>, _ ref: EntryRef, _ site: ReuseSite)

  // — clearing

  /// Asked for a migration entry that fork finds: `true` when the page cannot be shared while it is not present, so
  /// that fork has to wait (`migration_entry_wait`).
  static func waitsForMigrationAtFork(_ world: World<Self>, _ entry: Entry) -> Bool
  /// Before fork shares the entries of one pair of tables; `false` when memory for that is missing.
  static func prepareFork(
    _ world: inout World<Self>, parent: EntryRef, child: EntryRef, entry: Entry
  ) -> Bool
  /// fork maps the page in the child too (`__folio_try_dup_anon_rmap`). Both entries are written already.
  static func sharedAtFork(_ world: inout World<Self>, parent: EntryRef, child: EntryRef)
  /// Before the page at `ref` is represented by a swap or migration entry (`folio_try_share_anon_rmap`), the pin
  /// test is behind us. Returns what the new entry says.
  static func temporarilyUnmapped(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) -> Bool
  /// KSM write-protected the page and is about to replace it; `false` when memory for that is missing.
  static func prepareKSM(_ world: inout World<Self>, _ ref: EntryRef) -> Bool
  static func sharedByKSM(_ world: inout World<Self>, _ ref: EntryRef)
  /// The entry at `ref` is about to become none for good (zap, or moved away).
  static func removed(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry)

  // — entry bits

  /// The bits of a writable (at fork: any present) entry after write protection.
  static func wrprotected(
    _ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry, _ site: WrprotectSite
  ) -> Entry
  /// The bits of a read-only entry after it was made writable without a write.
  static func madeWritable(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) -> Entry
  /// Does the dirty bit of this entry say that the page holds data not yet on disk?
  static func isDataDirty(_ world: World<Self>, _ entry: Entry) -> Bool
  /// The dirty bit of an entry restored from a migration entry.
  static func restoredDirty(
    _ world: World<Self>, _ migration: Entry, folioIsDirty: Bool
  ) -> Bool
  /// May a batch that ORs dirty bits cover both entries?
  static func mayBatch(_ world: World<Self>, _ first: Entry, _ next: Entry) -> Bool
  /// May arm64 fold both into one contpte block, whose dirty bits are ORed?
  static func mayFold(_ world: World<Self>, _ first: Entry, _ next: Entry) -> Bool
  /// Is a deferred TLB flush done before the folio is written out (`set_tlb_ubc_flush_pending`)?
  static func flushesBeforeIO(_ world: World<Self>, _ folio: FolioID, sawDirtyEntry: Bool) -> Bool
  /// The entry after MADV_FREE cleaned it.
  static func freedLazily(_ world: World<Self>, _ entry: Entry) -> Entry

  // — moving and splitting

  /// Before an entry moves between tables; `false` when memory for that is missing.
  static func prepareMove(_ world: inout World<Self>, from: EntryRef, to: EntryRef, _ entry: Entry) -> Bool
  /// The entry was written at `to`; its slot at `from` is none.
  static func moved(_ world: inout World<Self>, from: EntryRef, to: EntryRef, wasExclusive: Bool)
  /// A PMD entry was replaced by 512 entries of the table below it.
  static func splitPMD(_ world: inout World<Self>, _ table: TableID, _ pmd: Entry)
  /// A whole table moved here from the PMD slot of `base` (`move_normal_pmd`). `left`: the table that stood here, freed,
  /// of whose slot something was kept.
  static func tableMoved(_ world: inout World<Self>, _ table: TableID, from base: UInt64, onto left: TableID?)
  /// A table with 512 none entries is deposited below a new PMD entry.
  static func deposited(_ world: inout World<Self>, _ table: TableID)
  /// The number names a new table.
  static func tableAllocated(_ world: inout World<Self>, _ table: TableID)
  /// The table is freed.
  static func tableFreed(_ world: inout World<Self>, _ table: TableID)
  /// Is there something of the PMD slot's own, one level up, that outlives its table?
  static func keepsSlot(_ world: World<Self>, _ table: TableID) -> Bool
  /// The tables below two PMD entries change places (`pgtable_trans_huge_withdraw`).
  static func tablesExchanged(_ world: inout World<Self>, _ a: TableID, _ b: TableID)
  /// Does something hang off the table that a walker without a lock reads?
  static func hasTableState(_ world: World<Self>, _ table: TableID) -> Bool
  /// Does state of its own stand for the entry, although nothing is there that it could hang off?
  static func hasStrayState(_ world: World<Self>, _ ref: EntryRef) -> Bool
  /// All of the mm is gone.
  static func exited(_ world: inout World<Self>, _ mm: MMID)
  /// Does state of its own hang off page tables, so that it matters which of the deposited tables a split withdraws?
  static var keepsTableState: Bool { get }

  // — rare

  /// May this writable request really be mapped writable? A folio flag cannot say "this page only".
  static func mayMapWritable(_ world: World<Self>, _ ref: EntryRef, _ site: InstallSite) -> Bool
  /// `sanity_check_pinned_pages` at unpin, which has the page and nothing else.
  static func unpinCheck(_ world: World<Self>, _ folio: FolioID, page: Int) -> UnpinCheck
  /// What GUP-fast sees of the claim, without a lock.
  static func fastClaim(_ world: World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim
  /// The page table KSM prepared for was reclaimed before it took the PTL.
  static func preparedTableGone(_ world: inout World<Self>)
  /// A device-private entry at `ref` lost write (`mprotect`), or became shared.
  static func devicePrivateReadOnly(_ world: inout World<Self>, _ ref: EntryRef, exclusive: Bool)
}

/// What the check at unpin says, in kernels with CONFIG_DEBUG_VM.
package enum UnpinCheck: Sendable, BitwiseCopyable {
  case passes
  /// The page is pinned and not exclusive: a warning.
  case fires
  /// The page alone does not know, and GUP knows no page table.
  case isGivenUp
}

/// Where a fresh exclusive page is mapped (docs/semantics.md, "The flag").
package enum InstallSite: Sendable, BitwiseCopyable {
  /// `do_anonymous_page`, `do_huge_pmd_anonymous_page`.
  case anonymousFault
  /// `do_anonymous_page` for a FOLL_FORCE write into a read-only VMA.
  case forcedFault
  /// `do_cow_fault`, or `wp_page_copy` of a file page.
  case fileCopy
  /// `wp_page_copy`.
  case writeCopy
  /// `wp_page_copy` for an unshare fault.
  case unshareCopy
  /// `do_swap_page`.
  case swapIn
  /// `unuse_pte`.
  case swapOff
  /// `copy_present_page`.
  case forkCopy
  /// `remove_migration_pte`, `remove_migration_pmd`: W or R-exclusive migration entry.
  case restore
  /// `migrate_vma_insert_page`.
  case deviceInsert
  /// `collapse_huge_page`, to a PMD or (since 7.2) to PTEs.
  case collapse
  /// `mfill_atomic_install_pte`.
  case userfaultCopy
  /// `move_present_pte`, `move_pages_huge_pmd`.
  case userfaultMove
  /// `restore_exclusive_pte`.
  case deviceExclusiveRestore
  /// `hugetlb_no_page`.
  case hugetlbReadFault
}

/// Whether a possibly shared page can be mapped.
package enum SharedPreparation: Sendable, BitwiseCopyable {
  case ready
  /// An allocation failed: `VM_FAULT_OOM`.
  case noMemory
  /// The encoding cannot express it here (folio flag with a pinned folio): map a copy.
  case copyInstead
}

/// Where a possibly shared page becomes present.
package enum SharedSite: Sendable, BitwiseCopyable {
  /// `do_swap_page`.
  case swapIn
  /// `do_swap_page`: exclusive entry under writeback on a stable-writes device.
  case stableWrites
  /// `unuse_pte`.
  case swapOff
  /// `remove_migration_pte`, `remove_migration_pmd`: R migration entry.
  case restore
}

/// Which fault found the page to be reusable.
package enum ReuseSite: Sendable, BitwiseCopyable {
  /// `wp_page_reuse`, `do_huge_pmd_wp_page`, `hugetlb_wp`: the write fault goes on to map it writable.
  case write
  /// `do_wp_page` with `FAULT_FLAG_UNSHARE`: the entry stays as it is.
  case unshare
}

/// Why an entry loses write.
package enum WrprotectSite: Sendable, BitwiseCopyable {
  case fork, mprotect, numa, userfault, softDirty, ksm
}
