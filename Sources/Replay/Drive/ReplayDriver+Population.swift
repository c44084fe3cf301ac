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
      return
    }
    populating = Populating(task: current.task, range: range, next: page.advanced(by: 1))
    noteTouched(mm, page)
    let vma = facts(mm, page)
    switch outcome {
    case .anonymous(let pfn, let order, _): firstTouch(mm, page, pfn, order, vma, .write)
    case .copied(let pfn, _): copied(mm, page, pfn, vma, [.write, .present], decided: current.time)
    case .copiedFromFile(let pfn, _): bind(run(.filePageCopy(mm, page, vma)), pfn)
    case .quiet, .file, .swappedIn, .refused, .raced, .unexplained: count(\.populatedNowhere)
    }
  }

  /// GUP goes up the range: the next page that the outcome can have happened to.
  private func nextWanting(_ outcome: FaultOutcome, _ mm: MMID, _ range: PageRange) -> VirtualPage? {
    switch outcome {
    case .copied:
      var found: VirtualPage?
      var ksm: VirtualPage?
      lockstep.baseline.forEachEntry(mm, range) { page, entry in
        guard entry.kind == .present, !entry.writable else { return }
        if found == nil { found = page }
        if ksm == nil, lockstep.baseline.isKSM(FolioID(entry.index)) { ksm = page }
      }
      // MADV_UNMERGEABLE breaks KSM pages alone; population copies whatever is read-only.
      return ksm ?? found
    default:
      var page = range.start
      // Unmapped holes of the whole address space are not worth a walk.
      let limit = min(range.end, range.start.advanced(by: 1 << 20))
      while page < limit {
        switch lockstep.baseline.entry(mm, page).kind {
        case .none, .zeroPage, .filePage: return page
        default: page = page.advanced(by: 1)
        }
      }
      return nil
    }
  }

  mutating func stackPlaced(_ mm: MMID, _ end: VirtualPage) {
    guard let arguments = programs[mm]?.arguments else { return }
    programs[mm] = nil
    for (index, pfn) in arguments.enumerated() {
      let page = end.advanced(by: -1 - index)
      // It may have left the LRU batch since it was allocated.
      guard let folio = run(.anonymousFault(mm, page, .base, .anonymous), .create).folio else { continue }
      lockstep.baseline.bind(pfn, to: folio)
    }
  }
}
