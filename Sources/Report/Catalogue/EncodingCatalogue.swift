// SPDX-License-Identifier: GPL-2.0-only

package import Replay

extension EncodingID {
  /// Where the encoding keeps the bit, what it saves and what it cannot say.
  package var catalogueEntry: CatalogueEntry {
    switch self {
    case .baseline:
      CatalogueEntry(
        name: rawValue, summary: "today: PG_anon_exclusive, one flag per page",
        text: """
          One bit in every struct page of an anonymous folio. Set when a page is installed, unshared or reused; \
          cleared by fork, KSM and the temporary unmapping for swap and migration. The other encodings are judged \
          against it. Costs: one atomic and one struct-page cache line per page that changes.
          """, source: "include/linux/page-flags.h, PageAnonExclusive")
    case .aAndLazy:
      CatalogueEntry(
        name: rawValue,
        summary: "(A) one flag per folio, set iff every mapped page is exclusive; other PTEs left alone",
        text: """
          The first page of the folio that becomes shared clears the flag for all. Lazy: the folio's other PTEs keep \
          their write bit, which leaves writable entries under a clear flag (I1-BREAK). Small folios behave as today; \
          everything that differs is in PTE-mapped large folios.
          """, source: "approach (A)")
    case .aAndEager:
      CatalogueEntry(
        name: rawValue, summary: "(A) one flag per folio; other PTEs are write-protected before it is cleared",
        text: """
          As A-and-lazy, but before the flag is cleared every other PTE of the folio is write-protected, in every page \
          table that maps it. Safe; costs a walk of foreign PTEs and later faults (CONS-fault, CONS-copy). A pinned \
          folio cannot be cleared at all.
          """, source: "approach (A)")
    case .aOr:
      CatalogueEntry(
        name: rawValue, summary: "(A) one flag per folio, cleared only when the last exclusive page goes",
        text: """
          Claims exclusive for pages that are shared as soon as one page of the folio is not. Unsafe by construction; \
          it is there to show how often a workload would notice.
          """, source: "approach (A)")
    case .b:
      CatalogueEntry(
        name: rawValue, summary: "(B) a lazily allocated 64-byte bitmap per page table, under its lock",
        text: """
          Bit 1 means not exclusive; a page table without a bitmap maps only exclusive pages. fork allocates for \
          parent and child before it takes the page-table locks. One cache line per table instead of one per page and \
          no atomics; in return allocations, and call sites that have to write the bit whenever an entry becomes \
          present.
          """, source: "approach (B)")
    case .cRaw:
      CatalogueEntry(
        name: rawValue, summary: "(C) read off the PTE bits that today's kernel produces",
        text: """
          Writable means exclusive; read-only and dirty means exclusive; read-only and clean means not. Applied to \
          the PTEs as they are, without changing the kernel: every point where it differs from today's bit is a call \
          site that a patch has to touch. An audit, not a proposal.
          """, source: "approach (C)")
    case .cStrict:
      CatalogueEntry(
        name: rawValue, summary: "(C) in the PTE bits, with every call site changed",
        text: """
          On every transition from writable to read-only the dirty bit moves to the folio first and is then rewritten \
          as pure exclusivity; back to writable it is set iff the folio is dirty. On a read-only entry dirty never \
          means dirty data. No flag, no bitmap, no atomics; extra folio_mark_dirty calls and, where a reader takes \
          the bit for data-dirty, extra writeback.
          """, source: "approach (C)")
    }
  }
}
