// SPDX-License-Identifier: GPL-2.0-only

extension KernelDefect {
  private typealias V = KernelVersion

  /// What `KernelFacts.lazyfreeRuns` is about.
  static let lazyfreeRun = KernelDefect(
    "CVE-2026-31398", "a batch of lazyfree pages that reclaim could not free comes back writable as a whole",
    """
    Reclaim clears the entries of several pages of one folio at once. When one of them turns out to be dirty, all are \
    put back with the write bit of the first. After a fork that left out half of the range (MADV_DONTFORK) the \
    entries differ: a page that two address spaces map becomes writable in one of them, and the next write there \
    reaches both without a fault. A trace shows MADV_FREE of such a range under memory pressure with no counter that \
    falls after it, and later a migration entry of type write for a page that two mms map (I1, I3). The audit `kernel` \
    looks for both: lazyfree_unsafe, entries that a failing reclaim would make writable, and unsafe_pages.
    """, source: "try_to_unmap_one, mm/rmap.c", in: [V(6, 15)..<V(6, 18, 20), V(6, 19)..<V(6, 19, 10)])

  /// Ranges are those of the CVE records.
  public static let known = [
    lazyfreeRun,
    KernelDefect(
      "CVE-2026-63950", "reclaim counts a device-exclusive entry as many pages as the batch before it",
      """
      The length of the previous batch is used again for an entry that has none. References and mapcounts of the folio \
      drift: rss_stat falls by more pages than the model has entries.
      """, source: "try_to_unmap_one, mm/rmap.c", in: [V(6, 15)..<V(6, 18, 35), V(6, 19)..<V(7, 0, 12)]),
    KernelDefect(
      "CVE-2025-38447", "reclaim of a lazyfree folio reads past the end of its page table",
      """
      The batch is not cut off where the table ends. It takes a large folio that lies across two tables, as mremap can \
      leave it.
      """, source: "try_to_unmap_one, mm/rmap.c", in: [V(6, 15)..<V(6, 15, 7)]),
    KernelDefect(
      "CVE-2026-74674", "freeing an empty page table flushes the wrong address",
      """
      After MADV_DONTNEED over a whole table another CPU may keep walking the table that was freed and is something \
      else by now: faults at addresses that are mapped, or stores without the fault that an empty entry takes.
      """, source: "zap_pte_range, mm/memory.c", in: [V(7, 0)..<V(7, 1, 9)]),
    KernelDefect(
      "CVE-2026-74632", "the huge zero page can be taken for a transparent huge page, and be split",
      """
      The shrinker overwrites the number of the huge zero page while others compare with it. A read fault that \
      allocates nothing is followed by migration entries, or by counters, for the page of zeros (I4). Kernels with \
      CONFIG_PERSISTENT_HUGE_ZERO_FOLIO never give the page up.
      """, source: "is_huge_zero_pfn, shrink_huge_zero_folio_scan, mm/huge_memory.c",
      in: [V(6, 18)..<V(6, 18, 45), V(6, 19)..<V(7, 1, 9)], undecided: [V(5, 19)..<V(6, 18)]),
    KernelDefect(
      "CVE-2026-31397", "UFFDIO_MOVE of the huge zero page maps an impossible frame",
      """
      The move takes the entry for one of a folio. pagemap shows a frame there that is none, and reference counts are \
      off from then on.
      """, source: "move_pages_huge_pmd, mm/huge_memory.c", in: [V(6, 16)..<V(6, 18, 20), V(6, 19)..<V(6, 19, 10)]),
    KernelDefect(
      "CVE-2026-23077", "mremap can merge VMAs in a way that hides mappings from the reverse map",
      """
      Where a VMA that was faulted merges with one that was not, the result may lack the anon_vma. Migration and reclaim \
      then miss entries: fewer migration entries than the model has mappings.
      """, source: "vma_merge_copied_range, mm/vma.c", in: [V(6, 16)..<V(6, 18, 8)]),
    KernelDefect(
      "CVE-2025-40040", "MADV_MERGEABLE and MADV_UNMERGEABLE drop the upper flags of a VMA",
      """
      Flags of userfaultfd are among them: faults that its handler should see are served by the kernel, and writes to \
      write-protected pages go unnoticed.
      """, source: "ksm_madvise, mm/ksm.c", in: [V(6, 17)..<V(6, 17, 3)], undecided: [V(5, 19)..<V(6, 17)]),
    KernelDefect(
      "CVE-2025-38085", "a page table that hugetlb unshares may still be walked by get_user_pages_fast",
      """
      GUP without locks can look at a table that another mm owns by then, and pin a page there. Calls of GUP leave no \
      event; a VMA that is split inside a shared range of 1 GiB is what a trace shows before.
      """, source: "huge_pmd_unshare, mm/hugetlb.c", in: [V(6, 12)..<V(6, 12, 35), V(6, 13)..<V(6, 15, 4)],
      undecided: [V(5, 19)..<V(6, 12)]),
  ]
}
