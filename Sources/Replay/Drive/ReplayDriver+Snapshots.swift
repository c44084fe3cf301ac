// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What the collector read from `/proc/PID` between two markers of the trace.
package protocol SnapshotSource {
  /// `nil` when the capture holds no snapshot of that number.
  func snapshot(_ index: UInt32) -> ProcessSnapshot?
}

package struct ProcessSnapshot: Sendable {
  package struct VMA: Sendable {
    package var range: PageRange
    package var facts: VMAFacts

    package init(range: PageRange, facts: VMAFacts) {
      self.range = range
      self.facts = facts
    }
  }

  /// One present page that is anonymous.
  package struct Page: Sendable {
    package var page: VirtualPage
    package var pfn: PFN
    /// The exclusive flag, `nil` where the kernel shows another page's (tails of large folios).
    package var exclusive: Bool?
    /// Nobody else maps it (bit 56 of pagemap).
    package var isMappedOnce: Bool
    /// It belongs to a folio of more than one page.
    package var isLarge: Bool
    /// It is a whole page of hugetlb's, told by the first of its pages.
    package var isHugetlb: Bool

    package init(
      page: VirtualPage, pfn: PFN, exclusive: Bool?, isMappedOnce: Bool, isLarge: Bool = false, isHugetlb: Bool = false
    ) {
      self.page = page
      self.pfn = pfn
      self.exclusive = exclusive
      self.isMappedOnce = isMappedOnce
      self.isLarge = isLarge
      self.isHugetlb = isHugetlb
    }
  }

  package var vmas: [VMA]
  package var anonymous: [Page]
  /// Pages whose entry is a swap entry.
  package var swapped: Set<VirtualPage>
  /// How many pages more are anonymous: those of hugetlb but the first of each huge page, and of larger ones all.
  package var hugetlbTails: UInt64
  package var gigantic: UInt64
  /// `VmPTE`; `nil` where it was not read, or tables are not those of the model.
  package var pageTableBytes: UInt64?
  /// Page tables (vpn / 512) in which anything was mapped or swapped.
  package var populatedTables: Set<UInt64> = []

  /// What one takes.
  static let tableBytes: UInt64 = 4096

  package init(
    vmas: [VMA], anonymous: [Page], swapped: Set<VirtualPage> = [], hugetlbTails: UInt64 = 0, gigantic: UInt64 = 0
  ) {
    self.vmas = vmas
    self.anonymous = anonymous
    self.swapped = swapped
    self.hugetlbTails = hugetlbTails
    self.gigantic = gigantic
  }
}

/// A snapshot against the model: frames, flags (bit 34 of kpageflags) and swap entries of all pages that did not change
/// meanwhile. One of the three witnesses; where the model knew nothing it learns.
extension ReplayDriver {
  mutating func noteTouched(_ mm: MMID, _ page: VirtualPage) {
    updateSnapshots(of: mm) { $0.touched.insert(page) }
  }

  mutating func noteTouched(_ mm: MMID, _ range: PageRange) {
    updateSnapshots(of: mm) { $0.touchedRanges.append(range) }
  }

  mutating func noteShared(_ parent: MMID, _ range: PageRange) {
    updateSnapshots(of: parent) { $0.sharedRanges.append(range) }
  }

  mutating func noteReclaimed(_ mm: MMID) {
    updateSnapshots(of: mm) { $0.isReclaimed = true }
  }

  mutating func noteGone(_ pfn: PFN, _ order: FolioOrder = .base) {
    for index in snapshots.values.indices {
      for page in 0..<order.pageCount { snapshots.values[index].gone.insert(pfn.advanced(by: page)) }
    }
  }

  /// The snapshots of the mm that are being taken now: seldom any.
  mutating func updateSnapshots(of mm: MMID, _ update: (inout OpenSnapshot) -> Void) {
    guard !snapshots.isEmpty else { return }
    for index in snapshots.values.indices where snapshots.values[index].mm == mm { update(&snapshots.values[index]) }
  }

  mutating func snapshotBegan(_ mm: MMID, _ index: UInt32) {
    unseen.collectors.insert(current.task)
    snapshots[index] = OpenSnapshot(mm: mm, isReclaimed: !unmappedToSwap.isEmpty)
    snapshots[index]?.pageTableBytes = UInt64(lockstep.baseline.memory.tableCount(mm)) * ProcessSnapshot.tableBytes
    snapshots[index]?.touchedRanges =
      hidden.removals(in: mm) + hugetlb.fills(in: mm) + migrating.values.joined().filter { $0.mm == mm }.map(\.range)
    for mappers in collapsing.values { noteCollapsing(mappers) }
    for (child, copy) in copying {
      if copy.parent == mm { snapshots[index]?.sharedRanges.append(copy.range) }
      if child == mm { snapshots[index]?.touchedRanges.append(copy.range) }
    }
  }

  mutating func snapshotEnded(_ index: UInt32) {
    guard let open = snapshots.removeValue(forKey: index), let snapshot = snapshotSource?.snapshot(index),
      lockstep.baseline.memory.isLive(open.mm)
    else { return }
    // The process, a child of `vfork`, left for a program of its own meanwhile: whose memory was read is not told.
    if let mm = current.mm, mm != open.mm {
      verifier.notCompared(.touchedDuringSnapshot, count: UInt64(snapshot.anonymous.count))
      return
    }
    let isComplete = lockstep.baseline.memory.isComplete(open.mm)
    if !isComplete { for vma in snapshot.vmas { layouts[open.mm]?.set(vma.range, vma.facts) } }
    noteHugetlb(of: open.mm, snapshot)
    compareTables(open, snapshot)
    if snapshot.hugetlbTails > 0 { verifier.notCompared(.headOnly, count: snapshot.hugetlbTails) }
    if snapshot.gigantic > 0 { verifier.notCompared(.hugetlb, count: snapshot.gigantic) }
    var seen = Set<VirtualPage>()
    for page in snapshot.anonymous {
      seen.insert(page.page)
      compare(page, open, isComplete: isComplete)
    }
    checkStateIfDue()
    guard isComplete, !lockstep.baseline.memory.isDying(open.mm) else { return }
    lookForExtraPages(open, seen, swapped: snapshot.swapped)
  }

  private mutating func compare(_ shown: ProcessSnapshot.Page, _ open: OpenSnapshot, isComplete: Bool) {
    if open.isTouched(shown.page) || open.gone.contains(shown.pfn) || lockstep.baseline.memory.isDying(open.mm) {
      verifier.notCompared(.touchedDuringSnapshot)
      return
    }
    if isComplete, isInMotion(shown, open) {
      verifier.notCompared(.touchedDuringSnapshot)
      return
    }
    if open.isShared(shown.page) {
      // A process that forks all the time would never become known.
      if !isComplete, lockstep.baseline.memory.entry(open.mm, shown.page).kind == .none {
        learn(shown, open.mm, knowsFlag: false)
      }
      verifier.notCompared(.touchedDuringSnapshot)
      return
    }
    let known = lockstep.baseline.memory.mappedPage(open.mm, shown.page)
    let knownPFN = known.flatMap { lockstep.baseline.memory.frame(of: $0.folio, $0.index) }
    if known == nil || (knownPFN != nil && knownPFN != shown.pfn) {
      compareElsewhere(shown, open, known, knownPFN, isComplete: isComplete)
      return
    }
    if open.isReclaimed, knownPFN == nil, shown.exclusive != nil,
      lockstep.baseline.claim(open.mm, shown.page) != (shown.exclusive == true ? .exclusive : .shared)
    {
      verifier.notCompared(.touchedDuringSnapshot)
      return
    }
    if let known, knownPFN == nil, shown.isHugetlb { lockstep.baseline.memory.bind(shown.pfn, to: known.folio) }
    if let known, knownPFN == nil, !shown.isLarge {
      _ = unseen.found(shown.pfn, in: open.mm)
      bindSmall(shown, known.folio, open.mm)
    }
    compareFlag(shown, open, isTail: known.map { $0.index > 0 } ?? false)
  }

  /// The kernel's page is a small one; a large folio of the model's was split, then.
  private mutating func bindSmall(_ shown: ProcessSnapshot.Page, _ folio: FolioID, _ mm: MMID) {
    if lockstep.baseline.memory.isLarge(folio) { run(.splitFolio(mm, shown.page), .folioSplit) }
    guard let known = lockstep.baseline.memory.mappedPage(mm, shown.page),
      !lockstep.baseline.memory.isLarge(known.folio)
    else {
      return
    }
    lockstep.baseline.memory.bind(shown.pfn, to: known.folio)
  }

  private mutating func compareFlag(_ shown: ProcessSnapshot.Page, _ open: OpenSnapshot, isTail: Bool) {
    // Mapped by a PMD, its flag is that of the folio's head.
    guard let exclusive = shown.exclusive, !isTail || !lockstep.baseline.memory.isPMDMapped(open.mm, shown.page) else {
      verifier.notCompared(.headOnly)
      return
    }
    switch lockstep.baseline.claim(open.mm, shown.page) {
    case .unknown:
      unknown(.page, open.mm, shown.page, .entryNotSeen)
      correct(open.mm, shown.page, from: .unknown, exclusive: exclusive)
    case .exclusive where exclusive:
      verifier.agree(.page)
      excludeOthers(open.mm, shown.page, ofWholeFolio: false)
      if !unseen.protectsByUserfaultfd(open.mm) { lockstep.doubts.settle(open.mm, shown.page) }
    case .shared where !exclusive: verifier.agree(.page)
    case .exclusive, .shared:
      if exclusive, settleDelayed(open.mm, shown.page) {
        verifier.agree(.page)
        return
      }
      if awaitsReclaim(of: shown, open) { return }
      if exclusive, let cause = accessCause(open.mm, shown.page) {
        unknown(.page, open.mm, shown.page, cause)
      } else {
        disagree(
          open.mm, shown.page, exclusive ? "shared" : "exclusive", exclusive ? "exclusive" : "shared",
          .exclusiveDiffers, evidence: .page)
      }
      correct(open.mm, shown.page, from: exclusive ? .shared : .exclusive, exclusive: exclusive)
    }
  }

  /// The kernel maps a page where the model has none, or another.
  private mutating func compareElsewhere(
    _ shown: ProcessSnapshot.Page, _ open: OpenSnapshot, _ known: (folio: FolioID, index: Int)?, _ knownPFN: PFN?,
    isComplete: Bool
  ) {
    if shown.isHugetlb, known == nil, isComplete { return compareUnseenHugetlb(shown, open.mm) }
    let wasSwapped = known == nil && lockstep.baseline.memory.entry(open.mm, shown.page).kind == .swap
    if isReplacedByKSM(shown, known) {
      unknown(.page, open.mm, shown.page, .raced)
    } else if wasSwapped {
      compareSwappedIn(shown, open)
    } else if !isComplete || unseen.holds(shown.pfn, in: open.mm) || userfaultfdMoved(shown, open.mm)
      || unseen.usesUserfaultfd(open.mm) || lockstep.doubts.cause(open.mm, shown.page) != nil
    {
      if known != nil { run(.zap(open.mm, entryRange(open.mm, shown.page)), .snapshot) }
      if isComplete { compareUnseen(shown, open.mm) }
      learn(shown, open.mm)
    } else {
      disagree(
        open.mm, shown.page,
        knownPFN.map { "pfn \($0.rawValue)" }
          ?? "no anonymous page (\(lockstep.baseline.memory.entry(open.mm, shown.page).kind))",
        "pfn \(shown.pfn.rawValue)", known == nil ? .pageMissing : .frameDiffers, evidence: .page)
      if known != nil { run(.zap(open.mm, entryRange(open.mm, shown.page)), .snapshot) }
      learn(shown, open.mm)
    }
  }

  /// GUP fills memory of hugetlb and shows nothing; a read of a file's may have.
  private mutating func compareUnseenHugetlb(_ shown: ProcessSnapshot.Page, _ mm: MMID) {
    hugetlb.note()
    let isRead = hugetlb[mm, shown.page] != nil
    unknown(.page, mm, shown.page, isRead ? .hugetlbContent : .placeNotSeen)
    hugetlb[mm, shown.page] = nil
    learn(shown, mm)
  }

  /// The page came in at an address that the trace did not tell; what its flag must be is known all the same.
  private mutating func compareUnseen(_ shown: ProcessSnapshot.Page, _ mm: MMID) {
    let isTail = unseen.isTail(shown.pfn)
    let claim = unseen.holds(shown.pfn, in: mm) ? unseen.claim(of: shown.pfn, in: mm) : .unknown
    _ = unseen.found(shown.pfn, in: mm)
    if isTail { verifier.notCompared(.headOnly) } else { compare(claim, shown, mm) }
  }

  /// The model has a swap entry where the kernel has a page: GUP or `swapoff` brought it in, and told at most that one
  /// came. An exclusive swap entry makes an exclusive page (`unuse_pte`, `do_swap_page`).
  private mutating func compareSwappedIn(_ shown: ProcessSnapshot.Page, _ open: OpenSnapshot) {
    let mm = open.mm
    _ = unseen.found(shown.pfn, in: mm)
    let claim = lockstep.baseline.claim(mm, shown.page)
    run(.zap(mm, PageRange(start: shown.page, count: 1)), .snapshot)
    learn(shown, mm)
    if claim == .exclusive, awaitsReclaim(of: shown, open) { return }
    compare(claim, shown, mm)
  }

  /// What is certain of the flag of a page whose place was not.
  private mutating func compare(_ claim: Claim, _ shown: ProcessSnapshot.Page, _ mm: MMID) {
    switch (claim, shown.exclusive) {
    case (.exclusive, true?): verifier.agree(.page)
    case (.exclusive, false?):
      disagree(mm, shown.page, "exclusive", "shared", .exclusiveDiffers, evidence: .page)
    case (.exclusive, nil): verifier.notCompared(.headOnly)
    case (.shared, _), (.unknown, _): unknown(.page, mm, shown.page, .placeNotSeen)
    }
  }

  /// ksmd has replaced the page and not told yet (`ksm_merge_with_ksm_page` comes after `replace_page`).
  private func isReplacedByKSM(_ shown: ProcessSnapshot.Page, _ known: (folio: FolioID, index: Int)?) -> Bool {
    guard known != nil, let stable = lockstep.baseline.memory.folio(at: shown.pfn) else { return false }
    return lockstep.baseline.memory.isKSM(stable)
  }

  /// `UFFDIO_MOVE` took the page from another address of the mm.
  private mutating func userfaultfdMoved(_ shown: ProcessSnapshot.Page, _ mm: MMID) -> Bool {
    guard unseen.usesUserfaultfd(mm), let folio = lockstep.baseline.memory.folio(at: shown.pfn),
      let source = lockstep.baseline.memory.firstMapper(of: folio, in: mm)
    else { return false }
    run(.zap(mm, PageRange(start: source.page, count: 1)), .userfault)
    return true
  }

  /// A page of an mm that was there before the recording, or that was lost sight of, comes into view. Its write and
  /// dirty bits stay unknown until a fault or an oracle tells.
  private mutating func learn(_ shown: ProcessSnapshot.Page, _ mm: MMID, knowsFlag: Bool = true) {
    count(.firstSeenInSnapshot)
    // A handler's answer is yet to come.
    var facts = LearnedEntry()
    if knowsFlag, let exclusive = shown.exclusive { facts.exclusive = exclusive ? .exclusive : .shared }
    facts.isHugetlb = shown.isHugetlb
    facts.sharersKnown =
      knowsFlag && (!shown.isLarge || shown.isHugetlb) && (shown.isMappedOnce || shown.exclusive == true)
    if let stale = lockstep.baseline.memory.folio(at: shown.pfn),
      lockstep.baseline.memory.isLarge(stale) != shown.isLarge
    {
      _ = lockstep.baseline.memory.pfnFreed(shown.pfn)
    }
    if facts.exclusive == .exclusive {
      // It has exactly one mapper.
      for other in lockstep.baseline.memory.mappers(of: shown.pfn) where other.mm != mm || other.page != shown.page {
        exclude(other.mm, PageRange(start: other.page, count: 1))
      }
    }
    if let folio = lockstep.baseline.memory.folio(at: shown.pfn),
      let other = lockstep.baseline.memory.anyMapper(of: folio)
    {
      let head = lockstep.baseline.memory.pfn(of: folio) ?? shown.pfn
      facts.sameAs = LearnedEntry.Location(mm: other.mm, page: other.page)
      facts.pageInFolio = Int(shown.pfn.rawValue &- head.rawValue)
    }
    let outcome = run(.learn(mm, shown.page, facts))
    if !unseen.protectsByUserfaultfd(mm) { lockstep.doubts.settle(mm, shown.page) }
    guard facts.sameAs == nil, let folio = outcome.folio else { return }
    lockstep.baseline.memory.bind(shown.pfn, to: folio)
  }

  private mutating func lookForExtraPages(
    _ open: OpenSnapshot, _ seen: Set<VirtualPage>, swapped: Set<VirtualPage>
  ) {
    var extra: [VirtualPage] = []
    lockstep.baseline.memory.forEachEntry(open.mm, .everything) {
      page, entry in
      if entry.kind == .present, !seen.contains(page), !open.isTouched(page), !open.isShared(page) {
        extra.append(page)
      }
    }
    for page in extra {
      if open.isReclaimed, lockstep.baseline.memory.mappedFrame(open.mm, page) == nil, !swapped.contains(page) {
        verifier.notCompared(.touchedDuringSnapshot)
        continue
      }
      if swapped.contains(page), unseen.isSwapping(open.mm) {
        verifier.notCompared(.swappedOut)
        run(.swapOut(open.mm, page, keepsCache: true, writeback: false, stableWrites: false))
        continue
      }
      if unseen.isMerging(open.mm), let known = lockstep.baseline.memory.mappedPage(open.mm, page),
        lockstep.baseline.memory.isMappedElsewhere(known.folio)
      {
        unknown(.page, open.mm, page, .placeNotSeen)
        run(.zap(open.mm, entryRange(open.mm, page)), .ksm)
        continue
      }
      // `UFFDIO_MOVE` may have taken it to another address.
      if unseen.usesUserfaultfd(open.mm) {
        unknown(.page, open.mm, page, .placeNotSeen)
        run(.zap(open.mm, entryRange(open.mm, page)), .userfault)
        continue
      }
      disagree(open.mm, page, "an anonymous page", "none", .pageExtra, evidence: .page)
      run(.zap(open.mm, entryRange(open.mm, page)), .snapshot)
    }
  }
}
