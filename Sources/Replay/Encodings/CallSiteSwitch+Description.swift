// SPDX-License-Identifier: GPL-2.0-only

extension CallSiteSwitch {
  /// What has to be done there, where that is in the kernel, and what follows from forgetting it.
  package var description: CallSiteDescription {
    switch self {
    case .bForkAlloc, .bForkSetParent, .bForkSetChild, .bForkNonpresent, .bSwapinAlloc, .bStable, .bRestoreAlloc,
      .bInstallClear, .bReuseClear, .bKSM, .bMove, .bMoveZero, .bMoveTable, .bMovePMD, .bSplitFill, .bDepositReset,
      .bFree, .bGUPFast, .bDevPriv, .bMulti:
      bitmapSite
    case .cFork, .cDirtyMove, .cUBC, .cForkMig, .cMprotect, .cBatch, .cContPTE, .cSwapin, .cUnshare, .cForce,
      .cHugetlb, .cMadvFree, .cDirtyRead, .cMig, .cSoftDirty, .cUffd, .cNUMA, .cZero, .cShadowStack, .cHardwareDirty,
      .cDevPriv, .cDevExcl:
      entrySite
    }
  }

  private var bitmapSite: CallSiteDescription {
    switch self {
    case .bForkAlloc:
      .init(
        "fork allocates the bitmaps of both page tables before it takes their locks",
        "Nowhere to set the bits: both processes go on claiming the page (UNSAFE).", "copy_present_ptes, copy_huge_pmd")
    case .bForkSetParent:
      .init(
        "fork sets the bit of the parent's entry", "The parent writes to a page its child maps (UNSAFE).",
        "copy_present_ptes")
    case .bForkSetChild:
      .init(
        "fork sets the bit of the child's entry", "The child writes to a page its parent maps (UNSAFE).",
        "copy_present_ptes")
    case .bForkNonpresent:
      .init(
        "fork allocates for migration entries too, although nothing present is shared yet",
        "The restore runs in reclaim, finds no bitmap and cannot allocate one (UNSAFE).", "copy_nonpresent_pte")
    case .bSwapinAlloc:
      .init(
        "swap-in of a non-exclusive entry, and swapoff, allocate and set the bit",
        "No bitmap says exclusive: a page others can still swap in is written to (UNSAFE).", "do_swap_page, unuse_pte")
    case .bStable:
      .init(
        "the same for an exclusive entry whose page is under writeback on a device that needs stable pages",
        "The page is modified while the device reads it (UNSAFE-io).", "do_swap_page")
    case .bRestoreAlloc:
      .init(
        "a read migration entry sets the bit when it becomes present",
        "The bit keeps its last value, or there is none (UNSAFE).", "remove_migration_pte, remove_migration_pmd")
    case .bInstallClear:
      .init(
        "whoever maps an exclusive page resets the bit of its slot",
        "A stale 1 of what was there before lies under a writable entry (I1-BREAK), later an extra fault.",
        "folio_add_new_anon_rmap and its callers")
    case .bReuseClear:
      .init(
        "a reuse check that passes resets the bit",
        "I1-BREAK after a write fault; an unshare fault repeats for ever (LIVELOCK).", "wp_can_reuse_anon_folio")
    case .bKSM:
      .init(
        "KSM allocates before the lock and sets the bit when it write-protects a page",
        "Until it replaces the page a pin is still granted on it (CONS-pin).", "write_protect_page")
    case .bMove:
      .init(
        "an entry that moves takes its bit along, with a bitmap at the destination; R migration entries too",
        "The destination claims exclusive (UNSAFE), or a stale 1 survives there (I1-BREAK).", "move_ptes")
    case .bMoveZero:
      .init(
        "half of b.move: a 0 is written at the destination too", "A stale 1 of the destination survives (I1-BREAK).",
        "move_ptes")
    case .bMoveTable:
      .init(
        "a bitmap linked by address moves with its page table; linked from the ptdesc it does so by itself",
        "The table at its new address claims exclusive (UNSAFE), the old address keeps stale bits.",
        "move_normal_pmd")
    case .bMovePMD:
      .init(
        "the bit of a PMD entry moves to the other PMD table", "The whole huge page is mapped writable (UNSAFE).",
        "move_huge_pmd, move_pages_huge_pmd")
    case .bSplitFill:
      .init(
        "the table withdrawn for the split of a shared PMD entry gets a bitmap of ones, without allocating",
        "512 entries claim exclusive (UNSAFE).", "__split_huge_pmd_locked")
    case .bDepositReset:
      .init(
        "a table that is deposited below a PMD entry loses its bitmap, the PMD entry its bit",
        "The split brings the stale ones back under writable entries (I1-BREAK).", "collapse_huge_page")
    case .bFree:
      .init(
        "the bitmap is freed with its table, after the grace period GUP-fast relies on",
        "A walker without a lock reads freed memory (UAF).", "pte_free_tlb")
    case .bGUPFast:
      .init(
        "the bitmap is published, with its bit, before the entry is back",
        "GUP-fast sees the restored entry but no bitmap, and pins a page KSM then replaces (CONS-pin).",
        "gup_fast_pte_range")
    case .bDevPriv:
      .init(
        "device-private and device-exclusive entries keep and set their bits",
        "After fork both claim the page on the device (UNSAFE).", "copy_nonpresent_pte, change_softleaf_pte")
    case .bMulti:
      .init(
        "where several page tables share a page, each has its own part of the bitmap",
        "Two tables read and write each other's bits (UNSAFE, I1-BREAK).", "s390 and powerpc pte_alloc_one")
    default: preconditionFailure("a call site of (C): \(rawValue)")
    }
  }

  private var entrySite: CallSiteDescription {
    switch self {
    case .cFork:
      .init(
        "fork takes the dirty bit off while it takes write off",
        "Read-only and dirty claims exclusive on both sides (UNSAFE at nearly every fork).",
        "__copy_present_ptes, copy_huge_pmd, copy_hugetlb_page_range")
    case .cDirtyMove:
      .init(
        "a dirty bit that stops meaning data marks the folio dirty first; so does whoever installs data read-only",
        "Reclaim or MADV_FREE drops what was stored (DATA-LOSS).", "every wrprotect of a writable dirty entry")
    case .cUBC:
      .init(
        "a deferred TLB flush is forced before the I/O also where only the folio is dirty",
        "A store through the stale translation lands after the page was read for the write-out (DATA-LOSS).",
        "set_tlb_ubc_flush_pending")
    case .cForkMig:
      .init(
        "fork drops the dirty bit of a migration entry",
        "Nothing while c.mig ignores the bit; without both the restore claims exclusive twice (UNSAFE).",
        "copy_nonpresent_pte")
    case .cMprotect:
      .init(
        "mprotect makes a writable clean entry read-only and dirty",
        "Exclusivity is LOST: one more fault, and a copy that detaches a pin (CONS-pin).", "change_pte_range")
    case .cBatch:
      .init(
        "a batch never spans read-only entries that differ in the dirty bit",
        "ORed over the batch, one entry's exclusivity becomes everybody's (UNSAFE).",
        "mprotect_folio_pte_batch, mremap_folio_pte_batch, folio_unmap_pte_batch")
    case .cContPTE:
      .init(
        "arm64 does not fold read-only entries that differ in the dirty bit",
        "The folded block has one dirty bit for all (UNSAFE).", "contpte_convert")
    case .cSwapin:
      .init(
        "an exclusive page that comes back read-only is mapped dirty", "Exclusivity is LOST.",
        "do_swap_page, unuse_pte")
    case .cUnshare:
      .init(
        "the unshare fault sets the dirty bit", "The page is still not claimed: GUP asks for ever (LIVELOCK).",
        "do_wp_page, wp_page_copy")
    case .cForce:
      .init(
        "whoever maps a new page read-only and clean sets the dirty bit", "One more fault (CONS-fault).",
        "map_anon_folio_pte_nopf, migrate_vma_insert_page")
    case .cHugetlb:
      .init(
        "hugetlb maps a private read fault dirty", "A read-only pin asks to unshare for ever (LIVELOCK).",
        "make_huge_pte")
    case .cMadvFree:
      .init(
        "MADV_FREE leaves the dirty bit of a read-only entry alone", "Exclusivity is LOST.",
        "madvise_free_pte_range")
    case .cDirtyRead:
      .init(
        "whoever asks for dirty data looks at the bit of writable entries only",
        "Clean pages are written out again, lazyfree pages kept (COST).",
        "try_to_unmap_one, try_to_migrate_one, walk_pte_range, smaps")
    case .cMig:
      .init(
        "a migration entry's type decides the dirty bit of what is restored, not its own dirty bit",
        "Exclusivity is LOST by a migration.", "remove_migration_pte")
    case .cSoftDirty:
      .init(
        "clearing soft-dirty makes a writable clean entry read-only and dirty, and does not set soft-dirty with it",
        "Exclusivity is LOST; a pin on a huge page is detached (CONS-pin).", "clear_soft_dirty, clear_soft_dirty_pmd")
    case .cUffd:
      .init(
        "userfaultfd write protection does the same", "Exclusivity is LOST.", "uffd_wp_range, make_uffd_wp_pte")
    case .cNUMA:
      .init("so does a NUMA hint", "Exclusivity is LOST at the scan.", "change_prot_numa")
    case .cZero:
      .init(
        "no bit of an entry makes a KSM page or the zero page exclusive",
        "The zero page becomes writable for everybody (UNSAFE).", "can_change_pte_writable, do_wp_page")
    case .cShadowStack:
      .init(
        "fork clears Dirty and SavedDirty of a shadow stack entry",
        "What remains claims exclusive on both sides (UNSAFE).", "x86 ptep_set_wrprotect")
    case .cHardwareDirty:
      .init(
        "Dirty that the CPU sets in a read-only entry is data, and never exclusivity",
        "A store through a stale translation makes a shared page exclusive (UNSAFE).", "arch_check_zapped_pte")
    case .cDevPriv:
      .init(
        "device-private entries get a read-exclusive type", "Exclusivity is LOST, or both claim it after fork.",
        "copy_nonpresent_pte, change_softleaf_pte")
    case .cDevExcl:
      .init(
        "a device-exclusive entry that comes back read-only is mapped dirty", "Exclusivity is LOST.",
        "restore_exclusive_pte")
    default: preconditionFailure("a call site of (B): \(rawValue)")
    }
  }
}

/// One call site in words.
package struct CallSiteDescription: Sendable {
  /// What has to be done.
  package var duty: String
  /// What happens where it is forgotten.
  package var omission: String
  /// Kernel functions.
  package var source: String

  init(_ duty: String, _ omission: String, _ source: String) {
    self.duty = duty
    self.omission = omission
    self.source = source
  }
}
