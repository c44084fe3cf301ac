// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Who else can see the content of a page, or bring it back.
extension Memory {
  /// Every entry but `ref` that refers to the same page: present and migration entries, PMD entries over it, and swap
  /// entries of its slot. Of a PMD entry, those of all its pages.
  /// The same for any page of the folio where that is asked for, as the reuse of a large folio does
  /// (`__wp_can_reuse_large_anon_folio`).
  func forEachOtherObserver(_ ref: EntryRef, ofWholeFolio: Bool = false, _ body: (EntryRef) -> Void) {
    let entry = tables.entry(ref)
    if ofWholeFolio, entry.kind.refersToFolio { return forEachOtherObserver(of: entry.folio, ref, body) }
    if entry.kind == .swap {
      forEachSwapEntry(of: entry.swapSlot, near: ref, body)
      let slot = slots[entry.swapSlot]
      if let cached = slot.folio { forEachMapper(of: cached, page: Int(slot.page), but: ref, body) }
      return
    }
    guard entry.kind.refersToFolio else { return }
    let folio = entry.folio
    for page in isHuge(ref) ? 0..<folios.order(folio).pageCount : entry.page..<entry.page + 1 {
      forEachMapper(of: folio, page: page, but: ref, body)
      forEachSwapEntry(ofPage: page, of: folio, near: ref, body)
    }
  }

  private func forEachOtherObserver(of folio: FolioID, _ ref: EntryRef, _ body: (EntryRef) -> Void) {
    for page in 0..<folios.order(folio).pageCount {
      forEachMapping(of: folio, page: page) { if $0 != ref { body($0) } }
      forEachSwapEntry(ofPage: page, of: folio, near: ref, body)
    }
  }

  private func forEachMapper(of folio: FolioID, page: Int, but ref: EntryRef, _ body: (EntryRef) -> Void) {
    forEachMapping(of: folio, page: page) { if $0 != ref { body($0) } }
    // PMD entries stand in the list of the folio's first page.
    guard page > 0, !isHuge(ref), folios.side(folio)?.entire ?? 0 > 0 else { return }
    forEachMapping(of: folio, page: 0) { if $0 != ref, isHuge($0) { body($0) } }
  }

  private func forEachSwapEntry(ofPage page: Int, of folio: FolioID, near ref: EntryRef, _ body: (EntryRef) -> Void) {
    guard let slot = folios.side(folio)?.slot(of: page) else { return }
    forEachSwapEntry(of: slot, near: ref, body)
  }

  /// Fork left them at the same place of the family's tables. One that `mremap` took elsewhere is not found.
  private func forEachSwapEntry(of slot: SwapSlotID, near ref: EntryRef, _ body: (EntryRef) -> Void) {
    guard slots[slot].entries > 0, !isHuge(ref) else { return }
    tables.forEachEntry(at: tables.familySlot(ref)) { other, entry in
      if other != ref, entry.kind == .swap, entry.swapSlot == slot { body(other) }
    }
  }

  /// The entries of other mms that cannot be there when the kernel reuses the page, or shows it exclusive: any page of
  /// a large folio when it was reused.
  package func foreignObservers(
    _ mm: MMID, _ page: VirtualPage, ofWholeFolio: Bool
  ) -> [(mm: MMID, range: PageRange)] {
    guard let ref = find(mm, page) else { return [] }
    var found: [(mm: MMID, range: PageRange)] = []
    forEachOtherObserver(ref, ofWholeFolio: ofWholeFolio) { other in
      let owner = owner(other)
      if owner.mm != mm { found.append((owner.mm, PageRange(start: owner.page, count: isHuge(other) ? 512 : 1))) }
    }
    return found
  }

  /// t with what is in doubt: who is being torn down, or is perhaps not there, is no certain observer.
  func truth(_ ref: EntryRef, _ doubts: Doubts) -> Claim {
    let counted = isTrulyExclusive(ref)
    guard counted == .shared, dyingCount > 0 || !doubts.isEmpty else { return counted }
    let entry = tables.entry(ref)
    guard entry.kind == .swap || (entry.kind.refersToFolio && !folios.flags(entry.folio).contains(.ksm)) else {
      return counted
    }
    var found = 0
    var isCertain = false
    forEachOtherObserver(ref) { other in
      found += 1
      if isDying(other) { return }
      let owner = owner(other)
      if doubts.cause(owner.mm, owner.page) == nil { isCertain = true }
    }
    return isCertain || found == 0 ? .shared : .unknown
  }
}
