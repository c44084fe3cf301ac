// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

extension ReplayDriver {
  /// A PMD-sized folio on first touch (`do_huge_pmd_anonymous_page`): nothing was there but the huge zero page, which
  /// the model holds as one zero page per read.
  mutating func hugeTouch(_ mm: MMID, _ page: VirtualPage, _ pfn: PFN, _ vma: VMAFacts, isWrite: Bool) {
    let range = PageRange(start: VirtualPage(page.rawValue & ~511), count: 512)
    noteTouched(mm, range)
    if lockstep.baseline.countAnonymous(mm, in: range).present > 0 { count(\.entryWasThere) }
    run(.zap(mm, range), .thpFault)
    bind(run(.hugeFault(mm, range.start, vma, write: isWrite, isHugetlb: false)), pfn)
  }

  /// `collapse_huge_page`: the range of a small page that was isolated is one huge folio now. Swap entries were read in
  /// before.
  mutating func collapsed(_ mm: MMID, _ member: PFN, _ new: PFN?, _ order: FolioOrder) {
    guard let folio = lockstep.baseline.folio(at: member), let pfn = lockstep.baseline.pfn(of: folio),
      let page = lockstep.baseline.mappers(of: folio, page: Int(member.rawValue &- pfn.rawValue)).first(where: {
        $0.mm == mm
      })?.page
    else {
      noteUnfollowed(.collapse)
      lockstep.markIncomplete(mm)
      return
    }
    let range = PageRange(
      start: VirtualPage(page.rawValue & ~UInt64(order.pageCount - 1)), count: order.pageCount)
    noteTouched(mm, range)
    let vma = facts(mm, page)
    var outcome = run(.collapse(mm, range.start, order, vma))
    if outcome.folio == nil {
      run(.zap(mm, range), .collapse)
      outcome = run(.hugeFault(mm, range.start, vma, write: true, isHugetlb: false), .collapse)
    }
    if let new { bind(outcome, new) }
  }
}
