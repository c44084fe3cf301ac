// SPDX-License-Identifier: GPL-2.0-only

/// Names and values used for text traces. Text has names only; the values are those of kernel 6.18, so that readers of
/// text and of binary captures can ask the same questions of a `SymbolTable`.
extension CanonicalEvent {
  static let gfpFlags = SymbolTable(
    meaning: .flags,
    entries: [
      ("GFP_TRANSHUGE", 0x001c_24ca),
      ("GFP_TRANSHUGE_LIGHT", 0x001c_20ca),
      ("GFP_HIGHUSER_MOVABLE", 0x0010_0cca),
      ("GFP_HIGHUSER", 0x0010_0cc2),
      ("GFP_USER", 0x0010_0cc0),
      ("GFP_KERNEL_ACCOUNT", 0x0040_0cc0),
      ("GFP_KERNEL", 0xcc0),
      ("GFP_NOFS", 0xc40),
      ("GFP_ATOMIC", 0x820),
      ("GFP_NOIO", 0xc00),
      ("GFP_NOWAIT", 0x2800),
      ("GFP_DMA", 0x1),
      ("GFP_DMA32", 0x4),
      ("__GFP_RECLAIM", 0xc00),
      ("__GFP_DMA", 0x1),
      ("__GFP_HIGHMEM", 0x2),
      ("__GFP_DMA32", 0x4),
      ("__GFP_MOVABLE", 0x8),
      ("__GFP_RECLAIMABLE", 0x10),
      ("__GFP_HIGH", 0x20),
      ("__GFP_IO", 0x40),
      ("__GFP_FS", 0x80),
      ("__GFP_ZERO", 0x100),
      ("__GFP_DIRECT_RECLAIM", 0x400),
      ("__GFP_KSWAPD_RECLAIM", 0x800),
      ("__GFP_WRITE", 0x1000),
      ("__GFP_NOWARN", 0x2000),
      ("__GFP_RETRY_MAYFAIL", 0x4000),
      ("__GFP_NOFAIL", 0x8000),
      ("__GFP_NORETRY", 0x0001_0000),
      ("__GFP_MEMALLOC", 0x0002_0000),
      ("__GFP_COMP", 0x0004_0000),
      ("__GFP_NOMEMALLOC", 0x0008_0000),
      ("__GFP_HARDWALL", 0x0010_0000),
      ("__GFP_THISNODE", 0x0020_0000),
      ("__GFP_ACCOUNT", 0x0040_0000),
      ("__GFP_ZEROTAGS", 0x0080_0000),
      ("__GFP_NO_OBJ_EXT", 0x0100_0000),
    ].map { SymbolTable.Entry(value: $0.1, name: $0.0) })

  static let rssMembers = values(["MM_FILEPAGES", "MM_ANONPAGES", "MM_SWAPENTS", "MM_SHMEMPAGES"])

  static let flushReasons = values([
    "flush on task switch", "remote shootdown", "local shootdown", "local MM shootdown", "remote IPI send",
    "remote wrong CPU",
  ])

  static let collapseResults = values([
    "failed", "succeeded", "pmd_null", "pmd_none",
    "page_pmd_mapped", "exceed_none_pte", "exceed_swap_pte", "exceed_shared_pte",
    "pte_non_present", "pte_uffd_wp", "pte_mapped_hugepage", "lack_referenced_page",
    "page_null", "scan_aborted", "not_suitable_page_count", "page_not_in_lru",
    "page_locked", "page_not_anon", "page_compound", "no_process_for_page",
    "vma_null", "vma_check_failed", "not_suitable_address_range", "could_not_delete_page_from_lru",
    "alloc_huge_page_failed", "ccgroup_charge_failed", "truncated", "page_has_private",
    "store_failed", "copy_poisoned_page", "page_filled",
    // Of other kernels; the numbers are our own.
    "no_writable_page", "no_pte_table", "page_lazyfree", "page_dirty_or_writeback",
  ])

  private static func values(_ names: [String]) -> SymbolTable {
    SymbolTable(
      meaning: .values,
      entries: names.enumerated().map { SymbolTable.Entry(value: UInt64($0.offset), name: $0.element) })
  }
}
