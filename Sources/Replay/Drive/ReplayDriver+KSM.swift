// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// An entry that ksmd gave to a stable page; which one shows only when the page it mapped before is freed.
struct PendingKSMMerge {
  let mm: MMID
  /// `nil`: the zero page.
  let stable: PFN?
}

/// ksmd names the stable page and the mm; which page of the mm it is follows from the frame that is freed next.
extension ReplayDriver {
  /// `ksm_merge_with_ksm_page`: the page named is the stable one. Mapped by this mm as an ordinary page, it turns
  /// stable now; else it takes the place of another, whose free tells which.
  mutating func ksmMerged(_ mm: MMID, _ pfn: PFN) {
    if !outlived.isEmpty { settleCopies(fromStable: pfn) }
    if let folio = lockstep.baseline.memory.folio(at: pfn), !lockstep.baseline.memory.isKSM(folio),
      let owner = lockstep.baseline.memory.firstMapper(of: folio, in: mm)
    {
      noteTouched(mm, owner.page)
      run(.ksmWriteProtect(mm, owner.page))
      run(.ksmStable(mm, owner.page))
      return
    }
    expect(PendingKSMMerge(mm: mm, stable: pfn))
  }

  mutating func ksmMergedWithZero(_ mm: MMID) {
    expect(PendingKSMMerge(mm: mm, stable: nil))
  }

  private mutating func expect(_ merge: PendingKSMMerge) {
    endMerge()
    pendingMerges[current.task] = merge
  }

  /// ksmd is at something else. The page of the merge before was not freed: another mm maps it yet, and where this one
  /// did is not told.
  mutating func endMerge() {
    guard let open = pendingMerges.removeValue(forKey: current.task) else { return }
    unseen.merged(open.mm)
    if let stable = open.stable, lockstep.baseline.memory.folio(at: stable) == nil {
      count(.ksmNotFollowed)
      lockstep.markIncomplete(open.mm)
    }
  }

  /// Pages of the mm may map a stable page by now, of which the model does not know: others still map what they mapped.
  func isMerging(_ mm: MMID) -> Bool {
    unseen.isMerging(mm) || pendingMerges.values.contains { $0.mm == mm }
  }

  /// ksmd frees the page whose merge it told just now: one that was written to meanwhile, and maps a copy by now.
  mutating func takeMerge(of mm: MMID) -> Bool {
    guard pendingMerges[current.task]?.mm == mm else { return false }
    pendingMerges[current.task] = nil
    return true
  }

  /// The page that lost its entry to a stable page is freed by ksmd right after. `false`: this free is another's, as of
  /// a huge folio that ksmd splits before it merges of it (`try_to_merge_one_page`), whose pages of zeros go.
  mutating func ksmReplaced(_ pfn: PFN) -> Bool {
    guard !pendingMerges.isEmpty else { return false }
    if let folio = lockstep.baseline.memory.folio(at: pfn), lockstep.baseline.memory.isLarge(folio) { endMerge() }
    guard let merge = pendingMerges[current.task], let folio = lockstep.baseline.memory.folio(at: pfn),
      let owner = lockstep.baseline.memory.firstMapper(of: folio, in: merge.mm)
    else { return false }
    pendingMerges[current.task] = nil
    noteTouched(owner.mm, owner.page)
    run(.ksmWriteProtect(owner.mm, owner.page))
    if let stable = merge.stable {
      guard let kept = lockstep.baseline.memory.folio(at: stable),
        let other = lockstep.baseline.memory.firstMapper(of: kept)
      else {
        // It maps the stable page by now, of which the model has no other mapper.
        count(.ksmNotFollowed)
        lockstep.markIncomplete(owner.mm)
        run(.zap(owner.mm, PageRange(start: owner.page, count: 1)), .ksm)
        return true
      }
      run(.ksmReplace(owner.mm, owner.page, by: other.mm, other.page))
    } else {
      run(.ksmReplaceByZero(owner.mm, owner.page))
    }
    _ = lockstep.baseline.memory.pfnFreed(pfn)
    return true
  }
}
