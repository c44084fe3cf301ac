// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What the replay of a trace asks of memory.
extension Memory {
  /// `exit_mmap` runs, or is about to.
  package func isDying(_ mm: MMID) -> Bool {
    guard let slot = slot(of: mm) else { return false }
    return mms[Int(slot)]?.tearingDown ?? false
  }

  /// The entry is of an mm that is being torn down.
  @inline(__always)
  func isDying(_ ref: EntryRef) -> Bool { mms[Int(tables[ref.table].mm)]?.tearingDown == true }

  /// More than one entry refers to the folio.
  package func isMappedElsewhere(_ folio: FolioID) -> Bool { folios.attached(folio) > 1 }

  /// Somebody else may see the page: what is asked before the others are looked for.
  func mayBeShared(_ mm: MMID, _ page: VirtualPage) -> Bool {
    guard let ref = find(mm, page) else { return false }
    let entry = tables.entry(ref)
    guard entry.kind.refersToFolio else { return entry.kind == .swap }
    let folio = entry.folio
    if folios.isPlain(folio) { return folios.attached(folio) > 1 }
    guard isLarge(folio) else { return true }
    return folios.look(at: folio) { side in
      side.mmIDs.mappedShared || side.migrations > 0 || side.slots.contains { $0 != nil }
    } ?? true
  }

  /// An entry that refers to any page of the folio.
  func anyMapper(of folio: FolioID) -> (mm: MMID, page: VirtualPage)? { mappings(of: folio).first.map { owner($0) } }

  /// KSM's stable page.
  package func isKSM(_ folio: FolioID) -> Bool { folios.flags(folio).contains(.ksm) }

  /// A huge page from hugetlb's pool.
  package func isHugetlb(_ folio: FolioID) -> Bool { folios.flags(folio).contains(.hugetlb) }

  /// Kept where `takesPageCensus`.
  package var pageCensus: PageCensus { folios.census }

  package var takesPageCensus: Bool {
    get { folios.takesCensus }
    set { folios.takesCensus = newValue }
  }

  /// Pages that are in a swap slot and not in the swapcache.
  package var swappedPages: UInt64 { UInt64(slots.liveCount - slots.cachedCount) }

  /// Anonymous and not swapbacked: `MADV_FREE` gave it up.
  package func isLazyfree(_ folio: FolioID) -> Bool { !folios.flags(folio).contains(.swapBacked) }

  /// More than one page.
  package func isLarge(_ folio: FolioID) -> Bool { folios.flags(folio).contains(.large) }

  package func pageCount(of folio: FolioID) -> Int { folios.order(folio).pageCount }

  /// The folio a page is mapped to, and which of its pages; by a PTE or by the PMD above it.
  func mappedPage(_ mm: MMID, _ page: VirtualPage) -> (folio: FolioID, index: Int)? {
    guard let ref = find(mm, page) else { return nil }
    let entry = tables.entry(ref)
    guard entry.kind.refersToFolio else { return nil }
    return (entry.folio, isHuge(ref) ? Int(page.rawValue & 511) : entry.page)
  }

  /// The frame that an entry maps, where the model knows it.
  func mappedFrame(_ mm: MMID, _ page: VirtualPage) -> PFN? {
    mappedPage(mm, page).flatMap { frame(of: $0.folio, $0.index) }
  }

  /// The frame of one page of a folio.
  func frame(of folio: FolioID, _ index: Int) -> PFN? { pfn(of: folio)?.advanced(by: index) }

  /// The entries that refer to the page in a frame; none when the model has no folio there.
  func mappers(of pfn: PFN) -> [(mm: MMID, page: VirtualPage)] {
    guard let folio = folio(at: pfn) else { return [] }
    let head = self.pfn(of: folio) ?? pfn
    return mappers(of: folio, page: Int(pfn.rawValue &- head.rawValue))
  }

  /// The entries that refer to the page in a frame, of mms that are not being torn down.
  func forEachMapperNotDying(of pfn: PFN, _ body: ((mm: MMID, page: VirtualPage)) -> Void) {
    guard let folio = folio(at: pfn) else { return }
    let page = folios.isPlain(folio) ? 0 : Int(pfn.rawValue &- (self.pfn(of: folio) ?? pfn).rawValue)
    forEachMapping(of: folio, page: page) { ref in
      if !isDying(ref) { body(owner(ref)) }
    }
  }

  /// Whether any entry refers to the folio in a frame.
  func isMapped(_ pfn: PFN) -> Bool { folio(at: pfn).map { isMapped($0) } ?? false }

  /// Whether any entry refers to the folio.
  @inline(__always)
  func isMapped(_ folio: FolioID) -> Bool { folios.attached(folio) > 0 }

  /// The entries that refer to the first page of the folio in a frame.
  func mappersOfFolio(at pfn: PFN) -> [(mm: MMID, page: VirtualPage)] {
    guard let folio = folio(at: pfn) else { return [] }
    return mappers(of: folio)
  }

  /// The entries that refer to the first page of the folio that any does.
  func mappersOfAnyPage(of folio: FolioID) -> [(mm: MMID, page: VirtualPage)] {
    for page in 0..<pageCount(of: folio) {
      let mappers = mappers(of: folio, page: page)
      if !mappers.isEmpty { return mappers }
    }
    return []
  }

  func isAnyDying(_ owners: [(mm: MMID, page: VirtualPage)]) -> Bool { owners.contains { isDying($0.mm) } }

  /// What the model has of the mm is not all there is.
  mutating func markIncomplete(_ mm: MMID) {
    if let slot = slot(of: mm) { mms[Int(slot)]?.isComplete = false }
  }

  /// Everything mapped in the mm since it came into being is known.
  package func isComplete(_ mm: MMID) -> Bool {
    guard let slot = slot(of: mm) else { return false }
    return mms[Int(slot)]?.isComplete ?? false
  }
}
