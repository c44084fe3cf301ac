// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// From a folio to the entries that refer to it, as `rmap_walk` finds them: fork put a page at the same place in all
/// tables of a family, so the place and the tables are enough.
extension Memory {
  /// The entry at `ref` refers to a page of the folio from here on.
  @inline(__always)
  mutating func attach(_ ref: EntryRef, to folio: FolioID, page: Int) {
    let place = tables.familySlot(ref)
    if folios.attach(ref, at: place, to: folio, page: page, huge: isHuge(ref)) { return }
    settlePlace(place, of: folio)
    let isAttached = folios.attach(ref, at: place, to: folio, page: page, huge: isHuge(ref))
    precondition(isAttached, "a folio without a place")
  }

  mutating func detach(_ ref: EntryRef, from folio: FolioID, page: Int) {
    folios.detach(ref, from: folio, page: page, huge: isHuge(ref))
  }

  /// A mapping beside the one there is: at the same place in another table, as after fork, or anywhere.
  private mutating func settlePlace(_ place: FamilySlot, of folio: FolioID) {
    switch folios.mappings(of: folio, page: 0) {
    case .one(let only) where tables.familySlot(only) == place: folios.keepPlace(place, of: folio)
    case .one, .familySlot: folios.scatter(folio, mappings(of: folio))
    case .none, .list: break
    }
  }

  /// The entries that refer to a page, newest first. For a PMD mapping the page is 0.
  func forEachMapping(of folio: FolioID, page: Int, _ body: (EntryRef) -> Void) {
    switch folios.mappings(of: folio, page: page) {
    case .none: break
    case .one(let ref): body(ref)
    case .familySlot(let place):
      tables.forEachEntry(at: place) { ref, entry in
        if entry.refersToFolio, entry.folio == folio { body(ref) }
      }
    case .list(let first): folios.forEachListed(from: first, body)
    }
  }

  /// The newest entry that refers to the folio's first page and belongs to `mm`, or to anybody. A page of KSM's may
  /// have very many.
  package func firstMapper(of folio: FolioID, in mm: MMID? = nil) -> (mm: MMID, page: VirtualPage)? {
    switch folios.mappings(of: folio, page: 0) {
    case .none: return nil
    case .one(let ref):
      let owner = owner(ref)
      return mm == nil || owner.mm == mm ? owner : nil
    case .list(let first):
      guard let ref = folios.firstListed(from: first, where: { mm == nil || owner($0).mm == mm }) else { return nil }
      return owner(ref)
    case .familySlot: return mappers(of: folio).first { mm == nil || $0.mm == mm }
    }
  }

  /// Every entry that refers to any page of the folio.
  func mappings(of folio: FolioID) -> [EntryRef] {
    var all: [EntryRef] = []
    for page in 0..<folios.order(folio).pageCount { forEachMapping(of: folio, page: page) { all.append($0) } }
    return all
  }

  /// The entries that refer to the page of a folio, with their owners.
  package func mappers(of folio: FolioID, page: Int = 0) -> [(mm: MMID, page: VirtualPage)] {
    var all: [(mm: MMID, page: VirtualPage)] = []
    forEachMapping(of: folio, page: page) { all.append(owner($0)) }
    return all
  }
}
