// SPDX-License-Identifier: GPL-2.0-only

package import Replay

extension Verdict {
  /// What the verdict means and what follows from it.
  package var catalogueEntry: CatalogueEntry {
    switch self {
    case .unsafe:
      CatalogueEntry(
        name: rawValue, summary: "the encoding claims exclusive although another mm can observe the page",
        text: """
          A write fault would reuse the page, or a pin would be granted, where the kernel has to copy. The write \
          becomes visible to another process. This is the worst verdict.
          """, source: "wp_can_reuse_anon_folio, gup_must_unshare")
    case .unsafeIO:
      CatalogueEntry(
        name: rawValue, summary: "the encoding claims exclusive where today's bit is kept clear on purpose",
        text: """
          A page read back from swap while its slot is still under writeback, on a device that needs stable pages, \
          is mapped without the bit although nobody else maps it. With the bit set it would be written to while the \
          device reads it.
          """, source: "do_swap_page (SWP_STABLE_WRITES)")
    case .dataLoss:
      CatalogueEntry(
        name: rawValue, summary: "data would be discarded because a dirty mark was dropped",
        text: """
          Where the PTE's dirty bit is used as the exclusivity bit, the fact that the page holds data nobody has \
          written out has to move to the folio first. Where it does not, reclaim or MADV_FREE drops the page as clean.
          """, source: "try_to_unmap_one, folio_mark_dirty")
    case .conservativePin:
      CatalogueEntry(
        name: rawValue, summary: "a pinned page lost its exclusivity: the next write detaches the pin",
        text: """
          The page is pinned with FOLL_PIN and today's bit is set; the encoding claims it may be shared. The next \
          write fault copies, the page table gets the copy, the device keeps the old page. DMA and process no longer \
          see the same memory. As bad as UNSAFE.
          """, source: "do_wp_page, sanity_check_pinned_pages")
    case .livelock:
      CatalogueEntry(
        name: rawValue, summary: "the claim stays 0 after the fault that was to make it 1",
        text: """
          A read-only pin needs an exclusive page; GUP asks for an unshare fault and tries again. If the fault cannot \
          make the encoding claim exclusive, the loop never ends.
          """, source: "gup_must_unshare, FAULT_FLAG_UNSHARE")
    case .invariantBreak:
      CatalogueEntry(
        name: rawValue, summary: "a writable entry whose page is not claimed exclusive",
        text: """
          Invariant I1 says that a writable PTE of an anonymous page implies exclusivity. No fault follows, so it is \
          not an extra fault; but a pin taken through this entry has no proof that the page is exclusive.
          """, source: "folio_try_dup_anon_rmap_pte, do_swap_page warnings")
    case .conservativeCopy:
      CatalogueEntry(
        name: rawValue, summary: "an extra page copy",
        text: """
          Today's bit is set, the encoding's is not, and the check by reference count would fail at this moment: the \
          next write copies where today it reuses.
          """, source: "wp_can_reuse_anon_folio")
    case .conservativeFault:
      CatalogueEntry(
        name: rawValue, summary: "an extra fault, no copy",
        text: """
          Today's bit is set, the encoding's is not, but the check by reference count would succeed at this moment: \
          the next write takes a slower path, or a fault that today would not happen, and reuses the page.
          """, source: "wp_can_reuse_anon_folio, can_change_pte_writable")
    case .lost:
      CatalogueEntry(
        name: rawValue, summary: "this operation forgot that the page was exclusive",
        text: """
          Before the operation the encoding said what today's bit says; right after it today's bit is set and the \
          encoding's is not. Counted in addition to the verdict of the entry, once per operation, because the site \
          needs an audit even when nobody writes to the page later.
          """)
    case .better:
      CatalogueEntry(
        name: rawValue, summary: "claimed exclusive, rightly, where today's bit is clear",
        text: "The page is exclusive in truth and today's bit has not been set again yet. Fewer faults; harmless.")
    case .ok:
      CatalogueEntry(
        name: rawValue, summary: "the encoding says what today's bit says", text: "Nothing follows from it.")
    }
  }
}
