// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What calls do to VMAs and their entries (`munmap`, `mprotect`, `mremap`, `madvise`), and fork, which copies VMA by
/// VMA.
extension ReplayDriver {
  mutating func unmapped(_ mm: MMID, _ told: PageRange) {
    let range = ofWholeHugePages(mm, told)
    noteRemoved(mm, range)
    noteHugetlbRemoved(mm, range)
    run(.zap(mm, range))
    lockstep.doubts.settle(mm, range)
    layouts[mm]?.remove(range)
    freeTables(mm, around: range)
  }

  /// VMA by VMA as they were: one that has the protection already is left alone (`mprotect_fixup`), entries and all.
  mutating func protected(_ mm: MMID, _ range: PageRange, _ protection: VMAProtection) {
    noteTouched(mm, range)
    let pieces = (layouts[mm]?.pieces(of: range) ?? []).filter { !$0.isPartOfHugePage }
    for piece in pieces { layouts[mm]?.change(piece.range, fillsGaps: true) { $0.protection = protection } }
    for piece in pieces where piece.facts.backing != .shared && piece.facts.protection != protection {
      var vma = piece.facts
      vma.protection = protection
      run(.protect(mm, piece.range, vma))
    }
  }

  mutating func moved(_ mm: MMID, _ told: PageRange, _ destination: VirtualPage, _ keepsSource: Bool) {
    let source = ofWholeHugePages(mm, told)
    noteTouched(mm, source)
    let target = PageRange(start: destination, count: source.count)
    noteTouched(mm, target)
    // A pin is given back at the address it was taken at.
    if !directIO.isEmpty { callsHaveNotPinned(mm, source) }
    if !seenPins.isEmpty { seenPins.moved(mm, source, to: destination) }
    // What was mapped at the destination is unmapped first (MREMAP_FIXED).
    run(.zap(mm, target))
    run(.move(mm, source, destination))
    hugetlb.moved(mm, source, destination)
    lockstep.doubts.moved(mm, source, destination)
    let shift = destination.rawValue &- source.start.rawValue
    for piece in layouts[mm]?.pieces(of: source) ?? [] {
      layouts[mm]?.set(
        PageRange(
          start: VirtualPage(piece.range.start.rawValue &+ shift), end: VirtualPage(piece.range.end.rawValue &+ shift)),
        piece.facts)
    }
    anonymousVMAs.moved(mm, source, by: shift)
    guard !keepsSource else { return }
    layouts[mm]?.remove(source)
    freeTables(mm, around: source)
  }

  /// A VMA is split here: a huge page that lies across the border is mapped by PTEs from then on
  /// (`vma_adjust_trans_huge`).
  private mutating func splitHugePages(_ mm: MMID, atBordersOf range: PageRange) {
    for border in [range.start, range.end] where border.rawValue & 511 != 0 {
      if lockstep.baseline.memory.isPMDMapped(mm, border) { run(.splitPMD(mm, border)) }
    }
  }

  mutating func advised(_ mm: MMID, _ range: PageRange, _ advice: Advice) {
    if advice.changesVMA { splitHugePages(mm, atBordersOf: range) }
    switch advice {
    case .dontNeed, .remove:
      noteRemoved(mm, range)
      // VMA by VMA: a page table that several of them share is not freed.
      for piece in layouts[mm]?.pieces(of: range) ?? [] { run(.discard(mm, piece.discarded)) }
      lockstep.doubts.settle(mm, range)
    case .guardInstall:
      noteRemoved(mm, range)
      guarded(mm, range)
    case .guardRemove: run(.removeGuards(mm, range))
    case .free:
      occurrences.insert(.lazyFree)
      noteTouched(mm, range)
      for piece in layouts[mm]?.pieces(of: range) ?? [] { run(.lazilyFree(mm, piece.range, piece.facts)) }
    case .dontFork: layouts[mm]?.change(range, fillsGaps: true) { $0.flags.insert(.dontCopy) }
    case .doFork: layouts[mm]?.change(range, fillsGaps: true) { $0.flags.remove(.dontCopy) }
    case .wipeOnFork: layouts[mm]?.change(range, fillsGaps: true) { $0.flags.insert(.wipeOnFork) }
    case .keepOnFork: layouts[mm]?.change(range, fillsGaps: true) { $0.flags.remove(.wipeOnFork) }
    case .mergeable, .unmergeable: count(.ksmNotFollowed)
    // Where the trace has the events of khugepaged, it was told before the call came back.
    case .collapse: if collapsedInCall.remove(current.task) == nil { count(.collapseNotFollowed) }
    case .pageOut: count(.swapNotFollowed)
    case .populateRead, .populateWrite, .populate:
      readSwapIn(mm, range, writes: advice != .populateRead)
      fillHugetlb(mm, range, writes: advice != .populateRead)
      populatedTables(mm, range, writes: advice != .populateRead)
    case .hugePage, .noHugePage, .cold, .willNeed: break
    }
  }

  // — fork

  mutating func forkBegan(_ parent: MMID, _ child: MMID) {
    settleOpenDecisions(of: parent)
    run(.forkBegin(parent: parent, child: child))
    unseen.forked(parent, child)
    lockstep.doubts.forked(parent, child, .everything)
    doubtWhileMissing(child)
    layouts[child] = VMAMap()
    ancestry.forkBegan(parent, child)
    if ancestry.isLarge {
      ancestry.keepAncestors(of: Array(layouts.keys) + exemplars(explaining: true).pages.map(\.mm))
    }
  }

  /// The VMA is about to be copied (`vma_iter_bulk_store` comes before `copy_page_range`); that it was shows when the
  /// next one begins or the fork ends. Its lock is held meanwhile.
  mutating func forkCopied(_ parent: MMID, _ child: MMID, _ range: PageRange) {
    finishCopy(parent, child)
    guard lockstep.baseline.memory.isLive(child) else {
      count(.eventsAfterExit)
      return
    }
    noteShared(parent, range)
    copying[child] = VMACopy(parent: parent, range: range, before: programs[child]?.counted ?? 0)
  }

  /// For telling a story: every VMA that a fork began to copy is copied, as it will be unless the fork fails.
  package mutating func settleCopies() {
    for (child, copy) in copying.sorted(by: { $0.key < $1.key }) { finishCopy(copy.parent, child) }
  }

  /// A fault waits for the lock of a VMA that is being copied: where one took effect, the copy is over.
  mutating func finishCopies(of parent: MMID, over page: VirtualPage) {
    for (child, copy) in copying where copy.parent == parent && copy.range.contains(page) { finishCopy(parent, child) }
  }

  /// A fork of the mm is at this VMA.
  func isBeingCopied(_ mm: MMID, _ page: VirtualPage) -> Bool {
    copying.values.contains { $0.parent == mm && $0.range.contains(page) }
  }

  private mutating func finishCopy(_ parent: MMID, _ child: MMID) {
    guard let vma = copying.removeValue(forKey: child) else { return }
    let pinned = pinAsSeen(vma, child)
    copy(parent, child, vma.range)
    copiedAsSeen(pinned, parent, child)
  }

  /// What the entry over the page maps: one page, or those of a PMD.
  func entryRange(_ mm: MMID, _ page: VirtualPage) -> PageRange {
    lockstep.baseline.memory.isPMDMapped(mm, page)
      ? PageRange(around: page, FolioOrder(9)) : PageRange(start: page, count: 1)
  }

  /// The range, with the rest of what a PMD of the mm maps at either end of it: such a slot is copied whole.
  private func wholeSlots(of range: PageRange, _ mm: MMID) -> PageRange {
    guard !range.isEmpty else { return range }
    let (first, last) = (entryRange(mm, range.start), entryRange(mm, range.end.advanced(by: -1)))
    return PageRange(start: min(range.start, first.start), end: max(range.end, last.end))
  }

  private mutating func copy(_ parent: MMID, _ child: MMID, _ range: PageRange) {
    guard lockstep.baseline.memory.isLive(parent), lockstep.baseline.memory.isLive(child) else {
      count(.eventsAfterExit)
      return
    }
    noteShared(parent, range)
    let slots = wholeSlots(of: range, parent)
    let already = lockstep.baseline.memory.countAnonymous(child, in: slots)
    if already.present + already.swap > 0 {
      count(.copiedTwiceByFork)
      run(.zap(child, slots), .fork)
    }
    // It shares whatever it copies.
    for mm in [parent, child] { lockstep.doubts.settle(mm, slots, ofCause: .keptForPin) }
    lockstep.doubts.forked(parent, child, range)
    let pieces = layouts[parent]?.pieces(of: range) ?? []
    for piece in pieces {
      run(.forkCopy(parent: parent, child: child, piece.range, forkedFacts(piece, of: range, parent, child)))
    }
    if hugetlb.isSeen { forkedHugetlb(parent, child, range) }
    // It is one VMA: what is known of a part holds for all of it (a stack that grew).
    guard let known = pieces.first(where: { $0.facts != VMAMap.unknown }) else { return }
    for piece in pieces {
      var facts = piece.facts == VMAMap.unknown ? known.facts : piece.facts
      if facts.backing.isHugetlb { facts.flags.insert(.inherited) }
      layouts[child]?.set(piece.range, facts)
    }
  }

  /// The fork failed, perhaps in the middle of a VMA (`copy_page_range` looks for signals and memory): the child's
  /// counter says how many pages of it were reached.
  mutating func forkAborted(_ parent: MMID, _ child: MMID) {
    if let vma = copying.removeValue(forKey: child) {
      let range = vma.range
      let copied = Int((programs[child]?.counted ?? 0) - vma.before)
      leavePinnedOpen(vma, child)
      var pages: [VirtualPage] = []
      lockstep.baseline.memory.forEachEntry(parent, range) { page, entry in
        if entry.kind == .present, pages.count <= copied { pages.append(page) }
      }
      copy(parent, child, pages.count > copied ? PageRange(start: range.start, end: pages[copied]) : range)
    }
    run(.forkAbort(parent: parent, child: child))
    forget(child)
  }

  /// A folio came in at an unknown address: found by a snapshot, or by the fault that shows it was there.
  mutating func appeared(_ mm: MMID, _ pfn: PFN, _ order: FolioOrder) {
    if unseen.collectors.contains(current.task) { return }
    // `UFFDIO_COPY` brings small pages.
    if order == .base, let page = unseen.takeWaiting(mm) {
      bind(run(.uffdCopy(mm, page, facts(mm, page), writeProtected: false)), pfn)
      return
    }
    count(.placelessPages)
    lockstep.baseline.memory.doubtTables(mm, .placeNotSeen)
    unseen.appeared(pfn, order, in: mm, at: current.time)
  }

  /// `add_mm_rss_vec` after each page table: the child's total is a checksum on what the model copied.
  mutating func forkEnded(_ parent: MMID, _ child: MMID) {
    finishCopy(parent, child)
    ancestry.forkEnded(child, at: current.sequence)
    run(.forkEnd(parent: parent, child: child))
    forks.forks += 1
    forks.sharedPages += programs[child]?.counted ?? 0
    if let counted = programs[child]?.counted, lockstep.baseline.memory.isLive(child) {
      let copied = lockstep.baseline.memory.countAnonymous(child, in: .everything).present
      if UInt64(copied) != counted { count(.forkCountDiffers) }
    }
    programs[child] = nil
  }

  // — frames

  /// Frames that a running removal unmaps while others map them: their references go later.
  private mutating func noteRemoved(_ mm: MMID, _ range: PageRange) {
    noteTouched(mm, range)
    noteAnonymous(mm, range)
    guard hidden.isRemoving(current.task) else { return }
    var shared: [PFN] = []
    lockstep.baseline.memory.forEachEntry(mm, range) { _, entry in
      guard entry.kind == .present else { return }
      let folio = entry.folio
      if lockstep.baseline.memory.isMappedElsewhere(folio), let pfn = lockstep.baseline.memory.pfn(of: folio) {
        shared.append(pfn)
      }
    }
    for pfn in shared { hidden.unmapped(pfn, by: current.task) }
  }
}

extension Advice {
  /// It is a flag of the VMA, which is split around the range if the rest has not got it.
  fileprivate var changesVMA: Bool {
    switch self {
    case .dontFork, .doFork, .wipeOnFork, .keepOnFork, .mergeable, .unmergeable, .hugePage, .noHugePage: true
    case .dontNeed, .free, .remove, .collapse, .populateRead, .populateWrite, .populate, .cold, .pageOut, .willNeed,
      .guardInstall, .guardRemove:
      false
    }
  }
}
