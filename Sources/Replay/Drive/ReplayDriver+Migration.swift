// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Pages behind migration entries, which a snapshot shows as none.
struct Migrating {
  let mm: MMID
  let range: PageRange
  /// Where the page was.
  let frame: PFN
  /// Pages that are not present again.
  var left: Int
}

/// `set_migration_pte` and `remove_migration_pte`, also those of a folio split.
extension ReplayDriver {
  /// The entry's type is the kernel's own word on exclusivity: checked, then followed.
  mutating func migrationSet(_ page: VirtualPage, _ pfn: PFN, _ type: MigrationEntryType) {
    if hugetlb.isSeen { bindMigratedHugetlb(page, pfn) }
    guard let (mm, entry) = mapped(page, pfn) else {
      count(.migratedUnknown)
      return
    }
    let isHuge = lockstep.baseline.memory.isPMDMapped(mm, page)
    let range = isHuge ? PageRange(around: page, FolioOrder(9)) : PageRange(start: page, count: 1)
    noteTouched(mm, range)
    if !directIO.isEmpty || !seenPins.isEmpty { areNotPinned(mm, range) }
    migrating[range.start, default: []].append(Migrating(mm: mm, range: range, frame: pfn, left: range.count))
    let claim = lockstep.baseline.claim(mm, page)
    let isExclusive = type != .read
    switch claim {
    case .unknown:
      unknown(.entry, mm, page, .entryNotSeen)
      correct(mm, page, from: .unknown, exclusive: isExclusive)
    case .exclusive, .shared:
      if (claim == .exclusive) == isExclusive, entry.writable == (type == .write) || entry.writableUnknown {
        verifier.agree(.entry)
      } else if claim == .exclusive, type == .read, isBeingCopied(mm, page) {
        // fork has been there already; how far it is in the VMA is not told.
        verifier.agree(.entry)
      } else if claim == .shared, isExclusive, let cause = accessCause(mm, page) {
        unknown(.entry, mm, page, cause)
        correct(mm, page, from: claim, exclusive: true)
      } else {
        disagree(
          mm, page, "\(claim), \(entry.writable ? "writable" : "read-only")", "\(type)", .migrationType,
          evidence: .entry)
        if (claim == .exclusive) != isExclusive { correct(mm, page, from: claim, exclusive: isExclusive) }
      }
    }
  }

  /// `remove_migration_pte`: the frame changed, entry and exclusivity come back as they were. A PMD entry that became a
  /// migration entry comes back as PTEs when its folio is split meanwhile.
  mutating func migrationRemoved(_ page: VirtualPage, _ pfn: PFN, _ order: FolioOrder) {
    if !pendingMerges.isEmpty { endMerge() }
    // The target of a migration is allocated under the lock of the mm that it is for (`move_pages`).
    if unseen.placed(pfn) { uncount(.placelessPages) }
    let start = migrating[page] == nil ? PageRange(around: page, FolioOrder(9)).start : page
    // Two mms may have pages of their own there. One that could not be moved comes back where it was; the others come
    // in the order in which they went (`migrate_pages_batch`).
    guard let waiting = migrating[start],
      let index = waiting.firstIndex(where: { $0.frame == pfn }) ?? waiting.indices.first
    else {
      if !splitOfPMD(page, pfn) { count(.migrationNotFollowed) }
      return
    }
    let found = waiting[index]
    noteTouched(found.mm, found.range)
    if found.left > order.pageCount {
      migrating[start]?[index].left -= order.pageCount
    } else {
      migrating[start]?.remove(at: index)
      if waiting.count == 1 { migrating[start] = nil }
    }
    if found.frame == pfn { splitInPlace(found.mm, page, pfn, order) }
    guard let (folio, offset) = lockstep.baseline.memory.mappedPage(found.mm, page), pfn.rawValue >= UInt64(offset)
    else {
      return
    }
    lockstep.baseline.memory.bind(pfn.advanced(by: -offset), to: folio)
  }

  /// The first page of a large folio came back where it was, as a small one: the folio was split. Of any other page the
  /// event's order says nothing (`compound_order` of a tail).
  private mutating func splitInPlace(_ mm: MMID, _ page: VirtualPage, _ pfn: PFN, _ order: FolioOrder) {
    guard order == .base, let folio = lockstep.baseline.memory.folio(at: pfn), lockstep.baseline.memory.isLarge(folio),
      lockstep.baseline.memory.pfn(of: folio) == pfn
    else { return }
    noteSplit(of: folio, at: pfn)
    run(.splitFolio(mm, page))
  }

  /// A folio mapped by a PMD is split with no migration entry told (`__split_huge_pmd_locked` with `freeze`): its pages
  /// come back all the same. `false`: the frame is of no such folio.
  private mutating func splitOfPMD(_ page: VirtualPage, _ pfn: PFN) -> Bool {
    if lastSplit.contains(pfn), lockstep.baseline.memory.mappers(of: pfn).contains(where: { $0.page == page }) {
      return true
    }
    let head = PageRange(around: page, FolioOrder(9)).start
    guard let folio = lockstep.baseline.memory.folio(at: pfn), lockstep.baseline.memory.isLarge(folio),
      let owner = lockstep.baseline.memory.mappersOfFolio(at: pfn).first(where: { $0.page == head }),
      lockstep.baseline.memory.isPMDMapped(owner.mm, head)
    else { return false }
    noteTouched(owner.mm, PageRange(around: page, FolioOrder(9)))
    noteSplit(of: folio, at: pfn)
    run(.splitFolio(owner.mm, head))
    return true
  }

  /// A page from hugetlb's pool has no frame in the model until something shows it, a migration for one. The event does
  /// not tell the mm: where pages of two are without a frame here, it is open whose goes.
  private mutating func bindMigratedHugetlb(_ page: VirtualPage, _ pfn: PFN) {
    guard page == PageRange(around: page, FolioOrder(9)).start, lockstep.baseline.memory.mappers(of: pfn).isEmpty else {
      return
    }
    let owners = layouts.keys.filter { facts($0, page).backing.isHugetlb }
    let unbound = owners.compactMap { mm -> (mm: MMID, folio: FolioID)? in
      guard let (folio, _) = lockstep.baseline.memory.mappedPage(mm, page),
        lockstep.baseline.memory.pfn(of: folio) == nil
      else {
        return nil
      }
      return (mm, folio)
    }
    if let first = unbound.first, unbound.allSatisfy({ $0.folio == first.folio }) {
      lockstep.baseline.memory.bind(pfn, to: first.folio)
    } else {
      for one in unbound { noteTouched(one.mm, PageRange(around: page, FolioOrder(9))) }
    }
  }

  /// The mapping of a frame at this page: parent and child may both have one, with the same type, and lose it in turn.
  private func mapped(_ page: VirtualPage, _ pfn: PFN) -> (MMID, Entry)? {
    let gone = (migrating[page] ?? []).filter { $0.frame == pfn }.map(\.mm)
    let mapper = lockstep.baseline.memory.mappers(of: pfn).first { $0.page == page && !gone.contains($0.mm) }
    return mapper.map { ($0.mm, lockstep.baseline.memory.entry($0.mm, page)) }
  }
}
