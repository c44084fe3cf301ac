// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Page contents as version numbers (oracle mode).
extension Memory {
  /// What a load from the page would give.
  package func content(_ mm: MMID, _ page: VirtualPage) -> UInt32 {
    guard let ref = find(mm, page) else { return 0 }
    let entry = tables.entry(ref)
    if entry.kind == .swap {
      let slot = slots[entry.swapSlot]
      return slot.folio.map { folios.content($0, page: Int(slot.page)) } ?? slot.content
    }
    guard entry.kind.refersToFolio else { return 0 }
    return folios.content(entry.folio, page: contentPage(ref, entry, page))
  }

  func contentPage(_ ref: EntryRef, _ entry: Entry, _ page: VirtualPage) -> Int {
    isHuge(ref) && !folios.flags(entry.folio).contains(.hugetlb) ? Int(page.rawValue & 511) : entry.page
  }
}
