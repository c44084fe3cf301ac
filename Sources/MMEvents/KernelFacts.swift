// SPDX-License-Identifier: GPL-2.0-only

/// What differs between kernels and matters to the model: looked up once per capture or litmus file, never asked
/// for by version at the place of use. Rows in words:
/// docs/semantics.md, "Kernel versions".
public struct KernelFacts: Sendable, Equatable {
  /// `major.minor` this row was chosen for, for messages only.
  public var name: String
  /// A PTE-mapped large folio can be reused on a write fault.
  public var largeFolioReuse: LargeFolioReuse
  /// Swap-in treats a folio with one reference as exclusive.
  public var swapInReusesSoleReference: Bool
  /// A read fault on an exclusive swap entry maps it writable at once.
  public var swapInMapsExclusiveWritable: Bool
  /// `mprotect` back to writable needs the PTE dirty bit to set write.
  public var upgradeNeedsDirty: Bool
  /// Resolving uffd-wp sets write again where the page is exclusive.
  public var userfaultResolveUpgrades: Bool
  /// A PMD split hands the dirty bit to the PTEs.
  public var splitCarriesDirty: Bool
  /// `mprotect` works on batches of PTEs of one folio.
  public var batchesProtection: Bool
  /// What reclaim takes of a lazyfree folio at once.
  public var lazyfreeRuns: LazyfreeRuns
  /// KSM unmerge breaks by a write fault; otherwise by an unshare fault.
  public var unmergeWrites: Bool
  /// `MADV_DONTNEED` over a whole table frees it when empty (`CONFIG_PT_RECLAIM`: x86 since 6.14, others since 7.0).
  public var reclaimsEmptyTables: Bool
  /// khugepaged collapses to orders below the PMD.
  public var collapsesToSmallOrders: Bool
  /// A task gathers the counters of its own mm and gives them up once in 64 faults (`SPLIT_RSS_COUNTING`, gone since
  /// 6.2): its `rss_stat` tell nothing of the fault they fall into.
  public var batchesCounters: Bool
  /// A fault of user space may take the lock of its VMA instead of mmap_lock (`CONFIG_PER_VMA_LOCK`, since 6.4).
  public var locksVMAs: Bool
  /// Swap types that stand for markers: `SWP_PTE_MARKER`, before 6.2 also `SWP_SWAPIN_ERROR`.
  public var markerSwapTypes: UInt64
  /// Swap types of device memory, where it is configured: private and exclusive, read and write; since 6.15 device-
  /// exclusive entries are of one type.
  public var deviceSwapTypes: UInt64
  /// arm64 keeps the swap type in bits 6 to 10, as since 6.10.
  public var movesARM64SwapType: Bool
  /// A range of read-only entries is not collapsed (`SCAN_PAGE_RO`).
  public var collapseNeedsWritable: Bool
  /// A NUMA hint keeps the write bit in the entry; otherwise write comes back where the page is exclusive.
  public var numaHintKeepsWrite: Bool
  /// MADV_GUARD_INSTALL exists.
  public var hasGuardRegions: Bool
  /// khugepaged (not MADV_COLLAPSE) leaves clean lazyfree pages alone (`SCAN_PAGE_LAZYFREE`).
  public var collapseSparesLazyfree: Bool
  /// A PMD may be device-private; otherwise the folio is split before it goes to the device.
  public var hasDevicePrivatePMDs: Bool
  /// `/proc/kpageflags` takes the flags from the head page for every page of a folio.
  public var pageFlagsShowHeadOnly: Bool

  /// The numbers of GUP's flags.
  public var gupFlags: GUPFlagNumbers

  public enum LargeFolioReuse: Sendable, Equatable {
    /// 6.1: only when the faulting PTE is the folio's sole reference.
    case soleReference
    /// 6.12: never.
    case never
    /// Since 6.15: the mm-id bookkeeping proves that one mm maps the folio.
    case singleMM
  }

  /// Where it fails, all of a run is put back from what its first entry was (`try_to_unmap_one`).
  public enum LazyfreeRuns: Sendable, Equatable {
    /// Before 6.15: entry by entry.
    case single
    /// CVE-2026-31398: whatever the entries' write and soft-dirty bits.
    case mixed
    /// Entries that are equal in both (`folio_unmap_pte_batch` respects them).
    case alike
  }

  public static let v6_1 = KernelFacts(
    name: "6.1", largeFolioReuse: .soleReference, swapInReusesSoleReference: true, swapInMapsExclusiveWritable: false,
    upgradeNeedsDirty: true, userfaultResolveUpgrades: false, splitCarriesDirty: false, batchesProtection: false,
    lazyfreeRuns: .single,
    unmergeWrites: true, reclaimsEmptyTables: false, collapsesToSmallOrders: false, batchesCounters: true,
    locksVMAs: false, markerSwapTypes: 2, deviceSwapTypes: 4, movesARM64SwapType: false,
    collapseNeedsWritable: true, numaHintKeepsWrite: true, hasGuardRegions: false, collapseSparesLazyfree: false,
    hasDevicePrivatePMDs: false, pageFlagsShowHeadOnly: false, gupFlags: .before6_3)

  public static let v6_12 = KernelFacts(
    name: "6.12", largeFolioReuse: .never, swapInReusesSoleReference: true, swapInMapsExclusiveWritable: true,
    upgradeNeedsDirty: false, userfaultResolveUpgrades: true, splitCarriesDirty: true, batchesProtection: false,
    lazyfreeRuns: .single,
    unmergeWrites: false, reclaimsEmptyTables: false, collapsesToSmallOrders: false, batchesCounters: false,
    locksVMAs: true, markerSwapTypes: 1, deviceSwapTypes: 4, movesARM64SwapType: true,
    collapseNeedsWritable: true, numaHintKeepsWrite: false, hasGuardRegions: false, collapseSparesLazyfree: false,
    hasDevicePrivatePMDs: false, pageFlagsShowHeadOnly: true, gupFlags: .since6_3)

  public static let v6_18 = KernelFacts(
    name: "6.18", largeFolioReuse: .singleMM, swapInReusesSoleReference: true, swapInMapsExclusiveWritable: true,
    upgradeNeedsDirty: false, userfaultResolveUpgrades: true, splitCarriesDirty: true, batchesProtection: true,
    lazyfreeRuns: .alike,
    unmergeWrites: false, reclaimsEmptyTables: true, collapsesToSmallOrders: false, batchesCounters: false,
    locksVMAs: true, markerSwapTypes: 1, deviceSwapTypes: 3, movesARM64SwapType: true,
    collapseNeedsWritable: false, numaHintKeepsWrite: false, hasGuardRegions: true, collapseSparesLazyfree: false,
    hasDevicePrivatePMDs: false, pageFlagsShowHeadOnly: true, gupFlags: .since6_3)

  public static let v7_3 = KernelFacts(
    name: "7.3", largeFolioReuse: .singleMM, swapInReusesSoleReference: false, swapInMapsExclusiveWritable: true,
    upgradeNeedsDirty: false, userfaultResolveUpgrades: true, splitCarriesDirty: true, batchesProtection: true,
    lazyfreeRuns: .alike,
    unmergeWrites: false, reclaimsEmptyTables: true, collapsesToSmallOrders: true, batchesCounters: false,
    locksVMAs: true, markerSwapTypes: 1, deviceSwapTypes: 3, movesARM64SwapType: true,
    collapseNeedsWritable: false, numaHintKeepsWrite: false, hasGuardRegions: true, collapseSparesLazyfree: true,
    hasDevicePrivatePMDs: true, pageFlagsShowHeadOnly: true, gupFlags: .since6_3)

  public static let all = [v6_1, v6_12, v6_18, v7_3]
  public static let newest = v7_3

  /// What a release string says of the kernel.
  public enum Release: Sendable, Equatable {
    case known(KernelFacts)
    /// Before 5.19, which brought `PG_anon_exclusive`.
    case withoutAnonExclusive
    case notUnderstood
  }

  public static func release(_ text: String) -> Release {
    guard let version = KernelVersion(seriesOf: text) else { return .notUnderstood }
    return forRelease(text).map { .known($0) }
      ?? (version < KernelVersion(5, 19) ? .withoutAnonExclusive : .notUnderstood)
  }

  /// The row for a release string such as `6.12.117-amd64`: the newest row not newer than it, with what is known to
  /// have changed before the next one; 5.19 and 6.0 have the oldest. `nil` when the release is older than that or not
  /// understood.
  public static func forRelease(_ release: String) -> KernelFacts? {
    guard let version = KernelVersion(seriesOf: release), version >= KernelVersion(5, 19) else { return nil }
    var facts = all.last { row in KernelVersion(seriesOf: row.name).map { $0 <= version } ?? false } ?? v6_1
    facts.batchesCounters = version < KernelVersion(6, 2)
    facts.markerSwapTypes = version < KernelVersion(6, 2) ? 2 : 1
    facts.movesARM64SwapType = version >= KernelVersion(6, 10)
    facts.locksVMAs = version >= KernelVersion(6, 4)
    facts.numaHintKeepsWrite = version < KernelVersion(6, 2)
    facts.hasGuardRegions = version >= KernelVersion(6, 13)
    facts.reclaimsEmptyTables = version >= KernelVersion(6, 14)
    facts.pageFlagsShowHeadOnly = version >= KernelVersion(6, 10)
    facts.gupFlags = version < KernelVersion(6, 3) ? .before6_3 : .since6_3
    facts.lazyfreeRuns = .single
    if version >= KernelVersion(6, 15) {
      facts.lazyfreeRuns = KernelDefect.lazyfreeRun.presence(in: release) == .present ? .mixed : .alike
      facts.largeFolioReuse = .singleMM
      facts.deviceSwapTypes = 3
    }
    return facts
  }
}
