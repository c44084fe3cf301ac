// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// How far a call of a task has got that fills a range (`MAP_POPULATE`, `mlock`).
struct Populating {
  let task: TaskID
  let range: PageRange
  var next: VirtualPage
  /// What no page from `next` on can have come to.
  var isFull: Set<Filling> = []

  init(task: TaskID, range: PageRange) {
    self.task = task
    self.range = range
    next = range.start
  }

  /// What tells which pages can have come to an outcome.
  enum Filling {
    /// A page of zeroes, where nothing is yet.
    case zeroed
    /// A page of its own, in place of a shared one.
    case copy
    /// A file's content, or what was in swap.
    case content

    init(_ outcome: FaultOutcome) {
      switch outcome {
      case .anonymous: self = .zeroed
      case .copied: self = .copy
      case .copiedFromFile, .quiet, .file, .swappedIn, .refused, .raced, .pooled, .surplus, .unexplained, .lost:
        self = .content
      }
    }
  }
}

/// Pages that come without a fault.
extension ReplayDriver {
  /// What a call has filled need not be looked at again until something else happens to the mm. Faults fill, too, and
  /// come in any number.
  mutating func notePopulation(_ event: MMEvent, _ mm: MMID) {
    switch event {
    case .populated, .fault: break
    default: populating[mm] = nil
    }
  }

  mutating func populated(_ mm: MMID, _ range: PageRange, _ outcome: FaultOutcome) {
    if directIO.isUnderWay(current.task, mm) { return filledForDirectIO(mm, range, outcome) }
    let filling = Populating.Filling(outcome)
    var populating = Populating(task: current.task, range: range)
    if let begun = self.populating[mm], begun.task == current.task, begun.range == range { populating = begun }
    defer { self.populating[mm] = populating }
    guard !populating.isFull.contains(filling),
      let page = nextWanting(filling, mm, PageRange(start: populating.next, end: range.end))
    else {
      populating.isFull.insert(filling)
      count(.populatedNowhere)
      cameUnplaced(mm, outcome)
      return
    }
    populating.next = page.advanced(by: 1)
    noteTouched(mm, page)
    let vma = facts(mm, page)
    switch outcome {
    case .anonymous(let pfn, let order, _): firstTouch(mm, page, pfn, order, vma, .write)
    case .copied(let pfn, _): copied(mm, page, pfn, vma, [.write, .present], decided: current.time)
    // Which of the frames that were read in is the page's is open.
    case .copiedFromFile where lockstep.baseline.memory.entry(mm, page).kind == .swap:
      run(.swapIn(mm, page, vma, write: true))
    case .copiedFromFile(let pfn, _): bind(run(.filePageCopy(mm, page, vma)), pfn)
    case .quiet, .file, .swappedIn, .refused, .raced, .pooled, .surplus, .unexplained, .lost: count(.populatedNowhere)
    }
  }

  /// A page that was filled where the model sees no room for it, as in a stack that grew.
  private mutating func cameUnplaced(_ mm: MMID, _ outcome: FaultOutcome) {
    lockstep.baseline.memory.doubtTables(mm, .placeNotSeen)
    switch outcome {
    case .anonymous(let pfn, let order, _): unseen.appeared(pfn, order, in: mm, at: current.time)
    case .copied(let pfn, _), .copiedFromFile(let pfn, _): unseen.appeared(pfn, .base, in: mm, at: current.time)
    case .quiet, .file, .swappedIn, .raced, .refused, .pooled, .surplus, .unexplained, .lost: break
    }
  }

  /// GUP goes up the VMAs of the range: the next page that can have been filled so. It writes where the VMA is
  /// writable (`populate_vma_page_range`), and nothing private appears elsewhere. `nil` also where it is open whether a
  /// VMA is writable, as with what the ELF loader mapped (bss, vvar): it may be there or further up.
  func nextWanting(_ filling: Populating.Filling, _ mm: MMID, _ range: PageRange) -> VirtualPage? {
    for piece in layouts[mm]?.pieces(of: range) ?? [] {
      // No VMA is named: what lies between those that are known is empty.
      if piece.facts == VMAMap.unknown, range.isEverything { continue }
      guard piece.facts.mayWrite, piece.facts.backing != .shared, !piece.facts.backing.isHugetlb else { continue }
      guard let page = nextWanting(filling, mm, piece) else { continue }
      let isOpen = piece.facts.backing == .loader && piece.facts.protection.contains(.unknown)
      return isOpen && range.isEverything ? nil : page
    }
    return nil
  }

  private func nextWanting(_ filling: Populating.Filling, _ mm: MMID, _ piece: VMAMap.VMA) -> VirtualPage? {
    switch filling {
    case .copy: return nextCopied(mm, piece.range)
    case .zeroed where piece.facts.backing == .privateFile: return nil
    case .zeroed, .content: break
    }
    var page = piece.range.start
    while page < piece.range.end {
      switch lockstep.baseline.memory.entry(mm, page).kind {
      case .swap where filling == .content: return page
      case .none where filling == .zeroed || piece.facts.backing != .anonymous: return page
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
    lockstep.baseline.memory.forEachEntry(mm, range) { page, entry in
      guard entry.kind == .present, !entry.writable else { return }
      if found == nil { found = page }
      if ksm == nil, lockstep.baseline.memory.isKSM(entry.folio) { ksm = page }
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
      lockstep.baseline.memory.bind(pfn, to: folio)
    }
  }
}
