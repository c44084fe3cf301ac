// SPDX-License-Identifier: GPL-2.0-only

/// Today's kernel: `PG_anon_exclusive`, one flag per page (of the head page for PMD and hugetlb mappings); swap and
/// migration entries carry it while the page is not mapped.
package enum Baseline: PageFlag {
  package static let id = EncodingID.baseline
  package static let description = EncodingDescription(
    "today: PG_anon_exclusive, one flag per page",
    """
    One bit in every struct page of an anonymous folio. Set when a page is installed, unshared or reused; cleared by \
    fork, KSM and the temporary unmapping for swap and migration. The other encodings are judged against it. Costs: \
    one atomic and one struct-page cache line per page that changes.
    """, source: "include/linux/page-flags.h, PageAnonExclusive")
  package static let role = EncodingRole.today

  @inline(__always)
  package static func charge(_ world: inout World<Self>, _ folio: FolioID, page: Int) {
    world.costs[.pageFlagAtomics] += 1
    world.costs[.structPageLines] += 1
  }
}
