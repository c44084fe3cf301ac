// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What a snapshot or an oracle says about an entry the model did not see come about.
package struct LearnedEntry: Sendable, BitwiseCopyable {
  /// `PG_anon_exclusive`, where it could be read.
  package var exclusive: Claim
  /// `.exclusive` stands for "writable"; pagemap does not show it.
  package var writable: Claim
  package var dirty: Claim
  package var softDirty: Bool
  package var uffdWP: Bool
  /// All mappers of the page are known to the model.
  package var sharersKnown: Bool
  /// Another page of the model known to map the same folio.
  package var sameAs: Location?
  /// Which page of that folio it is; `nil`: the same one.
  package var pageInFolio: Int?
  /// A whole huge page of hugetlb's, which the page is the first of.
  package var isHugetlb = false

  package struct Location: Sendable, BitwiseCopyable {
    package var mm: MMID
    package var page: VirtualPage
    package init(mm: MMID, page: VirtualPage) {
      self.mm = mm
      self.page = page
    }
  }

  package init(
    exclusive: Claim = .unknown, writable: Claim = .unknown, dirty: Claim = .unknown, softDirty: Bool = true,
    uffdWP: Bool = false, sharersKnown: Bool = false, sameAs: Location? = nil
  ) {
    self.exclusive = exclusive
    self.writable = writable
    self.dirty = dirty
    self.softDirty = softDirty
    self.uffdWP = uffdWP
    self.sharersKnown = sharersKnown
    self.sameAs = sameAs
  }
}

extension World {
  /// A present anonymous page comes into view, with what is known of it. An encoding's own bits are then what a
  /// kernel of that encoding would hold; what is unknown of the baseline is unknown there too.
  package mutating func learn(_ mm: MMID, _ page: VirtualPage, _ facts: LearnedEntry) -> Outcome {
    let ref = ensure(mm, page)
    if facts.isHugetlb, !memory.isHuge(ref) {
      guard tables[ref.table].live == 0, ref.slot == 0 else { return .nothing }
      makeHuge(ref.table)
    }
    guard memory.isHuge(ref) == facts.isHugetlb else { return .nothing }
    if tables.entry(ref).kind != .none { drop(ref) }
    var target: (folio: FolioID, page: Int)?
    if let same = facts.sameAs, let other = memory.find(same.mm, same.page), tables.entry(other).kind == .present {
      let entry = tables.entry(other)
      let folio = entry.folio
      let page = facts.pageInFolio ?? entry.page
      if page < folios.order(folio).pageCount { target = (folio, page) }
    }
    let folio =
      target?.folio ?? (facts.isHugetlb ? memory.newFolio(order: FolioOrder(9), flags: .hugetlb) : memory.newFolio())
    var entry = Entry(.present, folio, page: target?.page ?? 0)
    entry.young = true
    entry.softDirty = facts.softDirty
    entry.uffdWP = facts.uffdWP
    entry.dirty = facts.dirty == .exclusive
    entry.dirtyUnknown = facts.dirty == .unknown
    // Where the flag is set nobody else maps the page: what the model has of it elsewhere is out of date.
    let mayBeWritable = facts.exclusive == .exclusive || (facts.exclusive == .unknown && target == nil)
    entry.writable = facts.writable == .exclusive && mayBeWritable
    entry.writableUnknown = facts.writable == .unknown && mayBeWritable
    place(entry, at: ref)
    if !facts.sharersKnown { folios.insert(.sharersUnknown, folio) }
    settleClaim(ref, facts.exclusive, isFirst: target == nil)
    return .installed(folio)
  }

  private mutating func settleClaim(_ ref: EntryRef, _ exclusive: Claim, isFirst: Bool) {
    let folio = tables.entry(ref).folio
    switch exclusive {
    case .unknown:
      if isFirst { folios.insert(.exclusiveUnknown, folio) }
    case .exclusive: E.installedExclusive(&self, ref, .swapIn)
    case .shared:
      _ = E.prepareShared(&self, ref, folio, .swapIn)
      var entry = tables.entry(ref)
      entry = E.wrprotected(&self, ref, entry, .fork)
      update(entry, at: ref)
      E.installedShared(&self, ref, .swapIn)
    }
  }

  /// An oracle (`set_migration_pte`, `/proc/kpageflags`) settles the flag of a page: of one that was unknown, or taken
  /// for something else. An encoding that had decided otherwise goes on with its own.
  package mutating func resolve(_ mm: MMID, _ page: VirtualPage, was: Claim, exclusive: Bool) -> Outcome {
    guard let ref = memory.find(mm, page), E.claim(self, ref, tables.entry(ref)) == was else { return .nothing }
    let entry = tables.entry(ref)
    guard entry.kind == .present else { return .nothing }
    if was == .exclusive { folios.insert(.sharersUnknown, entry.folio) }
    settleClaim(ref, exclusive ? .exclusive : .shared, isFirst: true)
    if was == .exclusive, !exclusive { E.sharedAtFork(&self, parent: ref, child: ref) }
    return .done
  }

  /// Knowledge of an mm is lost (dropped records): its flags, write and dirty bits are unknown from here on.
  package mutating func forget(_ mm: MMID) {
    guard let slot = memory.slot(of: mm) else { return }
    mms[Int(slot)]?.isComplete = false
    for ref in memory.liveRefs(mm, .everything) {
      var entry = tables.entry(ref)
      guard entry.kind == .present else { continue }
      folios.insert([.exclusiveUnknown, .sharersUnknown], entry.folio)
      entry.writableUnknown = true
      entry.writable = false
      entry.dirtyUnknown = true
      update(entry, at: ref)
    }
  }
}
