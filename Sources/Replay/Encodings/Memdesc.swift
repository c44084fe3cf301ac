// SPDX-License-Identifier: GPL-2.0-only

/// Encoding D: the page's own memory descriptor, a word with a type and a pointer to the folio, has a second type for
/// anonymous pages. The claims are today's; the word is a small part of a struct page.
package enum Memdesc: PageFlag {
  package static let id = EncodingID("D")
  package static let description = EncodingDescription(
    "(D) a type of the page's own 8-byte memory descriptor",
    """
    Where a struct page is no more than a memory descriptor, a type and a pointer to the folio in one word, anonymous \
    pages get two types, and the second one says exclusive. Claims what today's flag claims. Each change is still an \
    atomic operation, on the whole word (page_flag_atomics); but eight descriptors share a cache line, so that the pages \
    of a large folio cost an eighth of the lines (struct_page_lines). Replayed where it is named.
    """, source: "memory descriptors, linux-mm, December 2024")
  package static let role = EncodingRole.variant

  /// In a cache line of 64 bytes.
  private static let descriptorsPerLine = 8

  package static func charge(_ world: inout World<Self>, _ folio: FolioID, page: Int) {
    world.costs[.pageFlagAtomics] += 1
    // Folios are aligned to their size: the lines of a large one are its own, a small one's descriptor is charged alone.
    let line = UInt64(folio.raw) &<< 8 | UInt64(page / descriptorsPerLine) &+ 1
    guard line != world.descriptorLine else { return }
    world.descriptorLine = line
    world.costs[.structPageLines] += 1
  }
}
