// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Where `MAP_POPULATE` or `mlock` has got to.
struct Populating {
  let task: TaskID
  let range: PageRange
  var next: VirtualPage
}

/// Pages that come without a fault.
extension ReplayDriver {
  mutating func populated(_ mm: MMID, _ range: PageRange, _ outcome: FaultOutcome) {
    var next = range.start
    if let populating, populating.task == current.task, populating.range == range { next = populating.next }
    guard let page = nextWanting(outcome, mm, PageRange(start: next, end: range.end)) else {
      count(\.populatedNowhere)
      cameUnplaced(mm, outcome)
      return
    }
    populating = Populating(task: current.task, range: range, next: page.advanced(by: 1))
    noteTouched(mm, page)
    let vma = facts(mm, page)
    switch outcome {
    case .anonymous(let pfn, let order, _): firstTouch(mm, page, pfn, order, vma, .write)
    // The flush may have been that of a page reclaimed.
    case .copied where unseen.isSwapping(mm):
      unknown(.decision, mm, page, .placeNotSeen)
      cameUnplaced(mm, outcome)
    case .copied(let pfn, _): copied(mm, page, pfn, vma, [.write, .present], decided: current.time)
    // Which of the frames that were read in is the page's is open.
    case .copiedFromFile where lockstep.baseline.entry(mm, page).kind == .swap: run(.swapIn(mm, page, vma, write: true))
    case .copiedFromFile(let pfn, _): bind(run(.filePageCopy(mm, page, vma)), pfn)
    case .quiet, .file, .swappedIn, .refused, .raced, .unexplained: count(\.populatedNowhere)
    }
  }

  /// A page that was filled where the model sees no room for it, as in a stack that grew.
  private mutating func cameUnplaced(_ mm: MMID, _ outcome: FaultOutcome) {
    switch outcome {
    case .anonymous(let pfn, let order, _): unseen.appeared(pfn, order, in: mm, at: current.time)
    case .copied(let pfn, _), .copiedFromFile(let pfn, _): unseen.appeared(pfn, .base, in: mm, at: current.time)
    case .quiet, .file, .swappedIn, .raced, .refused, .unexplained: break
    }
  }

  /// GUP goes up the VMAs of the range: the next page that the outcome can have happened to. It writes where the VMA is
  /// writable (`populate_vma_page_range`), and nothing private appears elsewhere. `nil` also where it is open whether a
  /// VMA is writable, as with what the ELF loader mapped (bss, vvar): it may be there or further up.
  private func nextWanting(_ outcome: FaultOutcome, _ mm: MMID, _ range: PageRange) -> VirtualPage? {
    for piece in layouts[mm]?.pieces(of: range) ?? [] {
      // No VMA is named: what lies between those that are known is empty.
      if piece.facts == VMAMap.unknown, range.isEverything { continue }
      guard piece.facts.mayWrite, piece.facts.backing != .shared, piece.facts.backing != .hugetlb else { continue }
      guard let page = nextWanting(outcome, mm, piece) else { continue }
      let isOpen = piece.facts.backing == .loader && piece.facts.protection.contains(.unknown)
      return isOpen && range.isEverything ? nil : page
    }
    return nil
  }

  private func nextWanting(_ outcome: FaultOutcome, _ mm: MMID, _ piece: VMAMap.VMA) -> VirtualPage? {
    switch outcome {
    case .copied: return nextCopied(mm, piece.range)
    case .anonymous where piece.facts.backing == .privateFile: return nil
    default: break
    }
    // What is not a zeroed page is a file's copy, or was in swap.
    var isZeroed = false
    if case .anonymous = outcome { isZeroed = true }
    var page = piece.range.start
    while page < piece.range.end {
      switch lockstep.baseline.entry(mm, page).kind {
      case .swap where !isZeroed: return page
      case .none where isZeroed || piece.facts.backing != .anonymous: return page
      case .zeroPage, .filePage: return page
      default: page = page.advanced(by: 1)
      }
    }
    return nil
  }

  /// MADV_UNMERGEABLE breaks KSM pages alone; population copies whatever is read-only.
  private func nextCopied(_ mm: MMID, _ range: PageRange) -> VirtualPage? {
    var found: VirtualPage?
    var ksm: VirtualPage?
    lockstep.baseline.forEachEntry(mm, range) { page, entry in
      guard entry.kind == .present, !entry.writable else { return }
      if found == nil { found = page }
      if ksm == nil, lockstep.baseline.isKSM(FolioID(entry.index)) { ksm = page }
    }
    return ksm ?? found
  }

  mutating func stackPlaced(_ mm: MMID, _ end: VirtualPage) {
    guard let arguments = programs[mm]?.arguments else { return }
    programs[mm] = nil
    layouts[mm]?.set(PageRange(start: end.advanced(by: -arguments.count), end: end), .anonymous)
    for (index, pfn) in arguments.enumerated() {
      let page = end.advanced(by: -1 - index)
      // It may have left the LRU batch since it was allocated.
      guard let folio = run(.anonymousFault(mm, page, .base, .anonymous), .create).folio else { continue }
      lockstep.baseline.bind(pfn, to: folio)
    }
  }
}
