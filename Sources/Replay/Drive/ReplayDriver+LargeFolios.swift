// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Folios of more than one page coming and going: first touch of a huge page, splits, which have no event of their own
/// and show by what is freed, and collapses.
extension ReplayDriver {
  /// A PMD-sized folio on first touch (`do_huge_pmd_anonymous_page`): nothing was there but the huge zero page, which
  /// the model holds as one zero page per read.
  mutating func hugeTouch(_ mm: MMID, _ page: VirtualPage, _ pfn: PFN, _ vma: VMAFacts, isWrite: Bool) {
    let range = PageRange(around: page, FolioOrder(9))
    noteTouched(mm, range)
    if lockstep.baseline.memory.countAnonymous(mm, in: range).present > 0 { count(.firstTouchOfPresent) }
    run(.zap(mm, range), .thpFault)
    bind(run(.hugeFault(mm, range.start, vma, write: isWrite, isHugetlb: false)), pfn)
  }

  /// A page of a large folio is freed alone while it is mapped: the folio was split, and a page that held nothing but
  /// zeros gave way to the zero page (`try_to_map_unused_to_zeropage`). `false`: the frame is no such page.
  mutating func splitFreed(_ pfn: PFN, _ order: FolioOrder) -> Bool {
    guard order == .base, let folio = lockstep.baseline.memory.folio(at: pfn),
      lockstep.baseline.memory.isLarge(folio) || lastSplit.contains(pfn)
    else { return false }
    // Mapped by a PMD, it is the first page that is; the freed one may be mapped nowhere.
    let mappers = lockstep.baseline.memory.mappers(of: pfn)
    let all = mappers.isEmpty ? lockstep.baseline.memory.mappersOfAnyPage(of: folio) : mappers
    guard let first = all.first, !lockstep.baseline.memory.isAnyDying(all) else { return false }
    if lockstep.baseline.memory.isLarge(folio) {
      noteSplit(of: folio, at: pfn)
      run(.splitFolio(first.mm, first.page))
    }
    for owner in lockstep.baseline.memory.mappers(of: pfn) {
      let page = PageRange(start: owner.page, count: 1)
      noteTouched(owner.mm, page)
      run(.zap(owner.mm, page), .folioSplit)
      run(.readFault(owner.mm, owner.page, facts(owner.mm, owner.page)), .folioSplit)
    }
    _ = lockstep.baseline.memory.pfnFreed(pfn)
    return true
  }

  mutating func noteSplit(of folio: FolioID, at pfn: PFN) {
    let head = lockstep.baseline.memory.pfn(of: folio) ?? pfn
    lastSplit = head..<PFN(head.rawValue + UInt64(lockstep.baseline.memory.pageCount(of: folio)))
  }

  /// The small pages are freed before the collapse is told to have succeeded: where they are is asked now.
  mutating func isolatedForCollapse(_ member: PFN) {
    let mappers = lockstep.baseline.memory.mappers(of: member)
    collapsing[current.task] = mappers
    noteCollapsing(mappers)
  }

  /// `collapse_huge_page`: the range of what was isolated is one large folio now. Swap entries were read in before.
  mutating func collapsed(_ mm: MMID, _ new: PFN?, _ order: FolioOrder) {
    guard let page = collapsing.removeValue(forKey: current.task)?.first(where: { $0.mm == mm })?.page else {
      count(.collapseNotFollowed)
      lockstep.markIncomplete(mm)
      return
    }
    collapsedInCall.insert(current.task)
    let range = PageRange(around: page, order)
    noteTouched(mm, range)
    let vma = facts(mm, page)
    var outcome = run(.collapse(mm, range.start, order, vma))
    if outcome.folio == nil {
      run(.zap(mm, range), .collapse)
      outcome =
        order == FolioOrder(9)
        ? run(.hugeFault(mm, range.start, vma, write: true, isHugetlb: false), .collapse)
        : run(.anonymousFault(mm, range.start, order, vma), .collapse)
    }
    if let new { bind(outcome, new) }
  }
}
