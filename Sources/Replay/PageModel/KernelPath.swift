// SPDX-License-Identifier: GPL-2.0-only

/// A kernel path of the model that can be taken out, to see whether any story notices (`WorldOptions.skipped`).
package enum KernelPath: String, Sendable, CaseIterable, BitwiseCopyable {
  /// `do_anonymous_page` for a read.
  case readFault
  /// `do_anonymous_page` for a write.
  case anonymousFault
  /// `do_cow_fault`.
  case fileCopy
  /// `wp_page_reuse`.
  case writeFaultReuse
  /// The rest of a reuse.
  case commitReuse
  /// `do_huge_pmd_wp_page`.
  case hugeWriteFault
  /// `do_wp_page` with `FAULT_FLAG_UNSHARE`.
  case unshare
  /// `hugetlb_wp`, unshare.
  case unshareHugetlb
  /// `do_huge_pmd_anonymous_page`, `hugetlb_no_page`.
  case hugeFault
  /// `hugetlb_wp`.
  case hugetlbCopy
  /// `copy_present_ptes`.
  case forkPresent
  /// `copy_nonpresent_pte`, swap.
  case forkSwap
  /// `copy_nonpresent_pte`, migration.
  case forkMigration
  /// `copy_nonpresent_pte`, device-private.
  case forkDevicePrivate
  /// `copy_huge_pmd`.
  case forkHuge
  /// Dup_mmap, error path.
  case forkAbort
  /// `zap_pte_range`.
  case zap
  /// `free_pgtables`, `zap_empty_pte_table`.
  case freeTables
  /// `exit_mmap`.
  case exit
  /// `change_pte_range`.
  case mprotect
  /// `move_ptes`.
  case mremapEntries
  /// `move_normal_pmd`, `move_huge_pmd`.
  case mremapTable
  /// `madvise_free_pte_range`.
  case madviseFree
  /// `madvise_guard_install`.
  case guardInstall
  /// `madvise_guard_remove`.
  case guardRemove
  /// `try_to_unmap_one`, pageout.
  case swapOut
  /// `try_to_unmap_one`, one entry.
  case swapOutOne
  /// `end_swap_bio_write`.
  case endWriteback
  /// `do_swap_page`.
  case swapIn
  /// `ksm_might_need_to_copy`.
  case swapInCopy
  /// `unuse_pte`.
  case swapOff
  /// `ttu_anon_lazyfree_folio`.
  case lazyfreeDiscard
  /// `try_to_migrate_one`.
  case migrationSet
  /// `remove_migration_pte`.
  case migrationRestore
  /// `split_folio`.
  case folioSplit
  /// `try_to_map_unused_to_zeropage`.
  case folioSplitZeros
  /// `__split_huge_pmd`: the entries come, but not what they say.
  case pmdSplit
  /// `collapse_huge_page`.
  case collapsePMD
  /// `collapse_huge_page`, smaller orders.
  case collapseMTHP
  /// `write_protect_page`.
  case ksmWriteProtect
  /// `folio_set_stable_node`.
  case ksmStable
  /// `replace_page`.
  case ksmReplace
  /// `replace_page`, zero page.
  case ksmReplaceByZero
  /// `break_ksm`.
  case ksmUnmerge
  /// `try_grab_folio`.
  case pin
  /// `unpin_user_page`.
  case unpin
  /// `folio_get`.
  case takeReference
  /// `__access_remote_vm`, `uprobe_write`.
  case forcedStore
  /// `try_grab_folio_fast`.
  case fastPinGrab
  /// `gup_fast_pte_range`.
  case fastPinRead
  /// `mfill_atomic_install_pte`.
  case uffdCopy
  /// `move_pages_pte`.
  case uffdMove
  /// `mfill_atomic_pte_poison`.
  case uffdPoison
  /// `uffd_wp_range`.
  case uffdWriteProtect
  /// `uffd_wp_range`, resolve.
  case uffdResolve
  /// `clear_soft_dirty`.
  case clearSoftDirty
  /// `change_prot_numa`.
  case numaScan
  /// `do_numa_page`.
  case numaFault
  /// `walk_pte_range`.
  case age
  /// `migrate_vma_collect_pmd`.
  case moveToDevice
  /// `migrate_to_ram`.
  case deviceReturn
  /// `migrate_vma_insert_page`.
  case deviceInsert
  /// `make_device_exclusive`.
  case makeDeviceExclusive
  /// `restore_exclusive_pte`.
  case restoreDeviceExclusive
  /// `try_to_unmap_one`, hwpoison.
  case poison
  /// Page walk of a CPU.
  case tlbFill
  /// Store through a translation.
  case tlbStore
  /// `contpte_convert`.
  case contpteFold
}

extension World {
  /// The path is taken out of this world: its transition does nothing.
  @inline(__always)
  func skips(_ path: KernelPath) -> Bool { options.skipped == path }
}
