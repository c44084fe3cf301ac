// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Reads and writes of files opened with `O_DIRECT`, while they run. GUP pins the pages of their memory piece by piece
/// (`bio_iov_iter_get_pages`), and a bio that has ended drops its pins, perhaps before the call is back: that the call
/// runs proves no pin. What proves one is what the kernel does about it, at a place that the range tells.
struct DirectIO {
  struct Call {
    let mm: MMID
    let range: PageRange
    /// `FOLL_WRITE`.
    let write: Bool
    /// GUP goes up the range: what it faulted in lies below.
    var next: VirtualPage
    /// Pages that it was seen to have pinned.
    var pinned: [VirtualPage] = []
    /// Probes show its pins: of what they do not show, nothing is pinned.
    var isSeen = false
  }

  private var calls: [TaskID: Call] = [:]
  /// Reads and writes in which a pin runs that probes show.
  private var outer: [TaskID: Call] = [:]

  var isEmpty: Bool { calls.isEmpty }

  subscript(task: TaskID) -> Call? {
    get { calls[task] }
    set {
      calls[task] = newValue
      if newValue == nil { outer[task] = nil }
    }
  }

  mutating func beginSeen(_ task: TaskID, _ call: Call) {
    if var around = calls[task] {
      around.isSeen = true
      outer[task] = around
    }
    calls[task] = call
    calls[task]?.isSeen = true
  }

  /// `nil`: no such one is under way.
  mutating func endSeen(_ task: TaskID, _ mm: MMID) -> Call? {
    guard let call = calls[task], call.isSeen, call.mm == mm else { return nil }
    calls[task] = outer.removeValue(forKey: task)
    return call
  }

  func isUnderWay(_ task: TaskID, _ mm: MMID) -> Bool { !calls.isEmpty && calls[task]?.mm == mm }

  /// What runs on the mm's memory, by task.
  func all(in mm: MMID) -> [(task: TaskID, call: Call)] {
    calls.isEmpty ? [] : calls.filter { $0.value.mm == mm }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  var tasks: [TaskID] { calls.keys.sorted() }
}

/// A VMA that a fork is copying.
struct VMACopy {
  struct Pinned {
    let pfn: PFN
    let time: Timestamp
    /// How many pages of the VMA were copied before it, when the counters tell.
    let rank: Int?
  }

  let parent: MMID
  let range: PageRange
  /// Pages counted for the child before it.
  let before: UInt64
  /// Copies that the child got at once (`copy_present_page`), in the order of their pages.
  var pinned: [Pinned] = []
}

/// A page that a fork copied at once, and its copy.
struct PinnedAtFork {
  let page: VirtualPage
  let copy: PFN
  /// Whose pin it is, is not known, nor when it ends.
  let endsWithCopy: Bool
}

extension ReplayDriver {
  mutating func directIOBegan(_ mm: MMID, _ range: PageRange, write: Bool) {
    directIOEnded(current.task)
    directIO[current.task] = DirectIO.Call(mm: mm, range: range, write: write, next: range.start)
  }

  mutating func directIOEnded(_ task: TaskID) {
    guard let call = directIO[task] else { return }
    directIO[task] = nil
    if !call.isSeen {
      if hugetlb.isSeen { filledHugetlb(for: call) }
      doubtKept(by: call)
    }
    for page in call.pinned { run(.unpin(call.mm, page)) }
  }

  /// Pages that GUP takes for its mm without a copy (`wp_can_reuse_anon_folio` in an unshare or write fault). How far it
  /// came is not told.
  mutating func doubtKept(by call: DirectIO.Call) {
    var kept: [VirtualPage] = []
    lockstep.baseline.memory.forEachEntry(call.mm, call.range) { page, entry in
      if entry.kind == .present, !entry.writable { kept.append(page) }
    }
    for page in kept where lockstep.baseline.claim(call.mm, page) == .shared {
      guard case .mustReuse = lockstep.predictWriteFault(call.mm, page) else { continue }
      lockstep.doubts.add(call.mm, entryRange(call.mm, page), .keptForPin)
    }
  }

  /// The mm is gone, and so are its tasks.
  mutating func endDirectIO(of mm: MMID) {
    for (task, _) in directIO.all(in: mm) { directIOEnded(task) }
  }

  mutating func forgetDirectIO() {
    for task in directIO.tasks { directIOEnded(task) }
    for pin in seenPins.takeAll() { run(.unpin(pin.mm, pin.page)) }
  }

  /// The kernel did what it does not do to pinned pages.
  mutating func areNotPinned(_ mm: MMID, _ range: PageRange) {
    if !seenPins.isEmpty { werePinned(seenPins.takeAll(mm, range)) }
    callsHaveNotPinned(mm, range)
  }

  /// But for what probes show.
  mutating func callsHaveNotPinned(_ mm: MMID, _ range: PageRange) {
    for (task, call) in directIO.all(in: mm) {
      for page in call.pinned where range.contains(page) { run(.unpin(mm, page)) }
      directIO[task]?.pinned.removeAll { range.contains($0) }
    }
  }

  private mutating func isPinned(_ mm: MMID, _ page: VirtualPage, by task: TaskID) {
    guard let call = directIO[task], !call.pinned.contains(page) else { return }
    run(.pin(mm, page, facts(mm, page), write: call.write))
    directIO[task]?.pinned.append(page)
  }
}

// MARK: What GUP faults in

extension ReplayDriver {
  /// A page came into the range inside the call: the lowest that GUP cannot have pinned as it was.
  mutating func filledForDirectIO(_ mm: MMID, _ range: PageRange, _ outcome: FaultOutcome) {
    guard let call = directIO[current.task] else { return }
    let left = PageRange(start: max(call.next, range.start), end: range.end)
    var found: VirtualPage?
    switch outcome {
    // To read from, GUP takes the zero page.
    case .anonymous(let pfn, let order, _):
      found = call.write ? nextWanting(.zeroed, mm, left) : nil
      if let found { firstTouch(mm, found, pfn, order, facts(mm, found), .write) } else { appeared(mm, pfn, order) }
    case .copied(let pfn, _):
      found = nextToCopy(mm, left)
      if let page = found, !copied(for: call, page, pfn) { found = nil }
      if found == nil { appeared(mm, pfn, .base) }
    case .copiedFromFile(let pfn, _): appeared(mm, pfn, .base)
    case .quiet, .file, .swappedIn, .refused, .raced, .pooled, .surplus, .unexplained, .lost: return
    }
    guard let found else { return }
    directIO[current.task]?.next = found.advanced(by: 1)
    isPinned(mm, found, by: current.task)
  }

  /// A write fault of GUP's, or an unshare fault (`FAULT_FLAG_UNSHARE`). What the copy was expected by gave it its
  /// place: it proves the expectation neither right nor wrong. `false` when the model would not have copied.
  private mutating func copied(for call: DirectIO.Call, _ page: VirtualPage, _ pfn: PFN) -> Bool {
    let vma = facts(call.mm, page)
    noteTouched(call.mm, page)
    let source = lockstep.baseline.memory.mappedFrame(call.mm, page)
    let outcome: Outcome
    if call.write {
      let isHidden = lockstep.predictWriteFault(call.mm, page) == .mustReuse
      let copy = Operation.writeFault(call.mm, page, vma, .copied(hiddenReference: isHidden))
      outcome = run(copy, followsKernel: true)
    } else {
      outcome = run(.unshare(call.mm, page, vma))
    }
    guard case .copied = outcome else { return false }
    bind(outcome, pfn)
    if let source { hidden.copied(awayFrom: source, at: current.time) }
    if !openDecisions.isEmpty { settleOvertaken() }
    return true
  }

  /// The first page that GUP has to have copied; where that is open, the only one that it can have.
  private func nextToCopy(_ mm: MMID, _ range: PageRange) -> VirtualPage? {
    var pages: [VirtualPage] = []
    lockstep.baseline.memory.forEachEntry(mm, range) { page, entry in
      if entry.kind == .present, !entry.writable { pages.append(page) }
    }
    pages.removeAll { isKeptByGUP(mm, $0) }
    guard let page = pages.first, !pages.contains(where: { lockstep.baseline.memory.isPMDMapped(mm, $0) }) else {
      return nil
    }
    if pages.count == 1 { return page }
    return switch lockstep.predictWriteFault(mm, page) {
    case .mustCopy: doubtAboutSharing(mm, page) == nil ? page : nil
    case .eitherWay(.sharerDying): dyingReferences(mm, page) == .held ? page : nil
    case .eitherWay, .mustReuse, .notMapped, .alreadyWritable, .mustReplace: nil
    }
  }

  /// It need not be copied for a pin: it is exclusive, or becomes so.
  private func isKeptByGUP(_ mm: MMID, _ page: VirtualPage) -> Bool {
    if lockstep.baseline.claim(mm, page) == .exclusive { return true }
    guard case .mustReuse = lockstep.predictWriteFault(mm, page) else { return false }
    if case .none = hiddenReference(mm, page) { return lockstep.doubts.cause(mm, page) == nil }
    return false
  }
}

// MARK: What fork does about pins

extension ReplayDriver {
  /// `copy_present_page`: a page of the VMA that may be pinned is copied for the child and stays the parent's. The
  /// counters that `copy_pte_range` moves before it allocates tell how many were copied until then.
  mutating func copiedPinned(_ child: MMID, _ pfn: PFN) {
    let counted = kernel.batchesCounters ? nil : programs[child]?.counted
    let rank = counted.flatMap { counted in copying[child].map { Int(truncatingIfNeeded: counted &- $0.before) } }
    let copy = VMACopy.Pinned(pfn: pfn, time: current.time, rank: rank)
    if copying[child] != nil { copying[child]?.pinned.append(copy) } else { copiedSomewhere(copy, child) }
  }

  /// The page was not pinned any more when it had been allocated for: it goes back.
  mutating func copyGivenBack(_ pfn: PFN) {
    for child in copying.keys { copying[child]?.pinned.removeAll { $0.pfn == pfn } }
  }

  /// The VMA was copied: the pages that the kernel showed to be pinned. In the model they are pinned from now on, at
  /// least until they were copied; what the kernel did not copy is not.
  mutating func pinAsSeen(_ vma: VMACopy, _ child: MMID) -> [PinnedAtFork] {
    guard let pages = places(of: vma) else {
      leavePinnedOpen(vma, child)
      return []
    }
    if !seenPins.isEmpty {
      for page in seenPinned(vma.parent, vma.range) where !pages.contains(page) {
        werePinned(seenPins.takeAll(vma.parent, PageRange(start: page, count: 1)))
      }
    }
    let calls = directIO.all(in: vma.parent)
    for (task, call) in calls {
      for page in call.pinned where vma.range.contains(page) && !pages.contains(page) {
        run(.unpin(vma.parent, page))
        directIO[task]?.pinned.removeAll { $0 == page }
      }
    }
    return zip(pages, vma.pinned).map { page, copy in
      let task = calls.first { $0.call.range.contains(page) }?.task
      if isSeenPinned(vma.parent, page) { return PinnedAtFork(page: page, copy: copy.pfn, endsWithCopy: false) }
      if let task {
        isPinned(vma.parent, page, by: task)
      } else {
        run(.pin(vma.parent, page, facts(vma.parent, page), write: false))
      }
      return PinnedAtFork(page: page, copy: copy.pfn, endsWithCopy: task == nil)
    }
  }

  mutating func copiedAsSeen(_ pinned: [PinnedAtFork], _ parent: MMID, _ child: MMID) {
    for pin in pinned {
      if let folio = lockstep.baseline.memory.mappedPage(child, pin.page)?.folio {
        lockstep.baseline.memory.bind(pin.copy, to: folio)
      }
      if pin.endsWithCopy { run(.unpin(parent, pin.page)) }
    }
  }

  /// Which pages of the VMA were copied at once; `nil` where one is none that the model has exclusive there.
  private func places(of vma: VMACopy) -> [VirtualPage]? {
    guard !vma.pinned.isEmpty else { return [] }
    let seen = seenPinned(vma.parent, vma.range)
    if seen.count == vma.pinned.count { return seen }
    var pages: [VirtualPage] = []
    var rank = 0
    lockstep.baseline.memory.forEachEntry(vma.parent, vma.range) { page, entry in
      guard entry.kind == .present, pages.count < vma.pinned.count else { return }
      if rank == vma.pinned[pages.count].rank { pages.append(page) }
      rank += lockstep.baseline.memory.isPMDMapped(vma.parent, page) ? 512 : 1
    }
    let areKnown = pages.allSatisfy { page in
      lockstep.baseline.claim(vma.parent, page) == .exclusive && lockstep.doubts.cause(vma.parent, page) == nil
        && !lockstep.baseline.memory.isPMDMapped(vma.parent, page)
    }
    return areKnown && pages.count == vma.pinned.count ? pages : nil
  }

  /// Nothing is known to be pinned in the VMA; what was copied at once is somewhere in it.
  mutating func leavePinnedOpen(_ vma: VMACopy, _ child: MMID) {
    if !directIO.isEmpty || !seenPins.isEmpty { areNotPinned(vma.parent, vma.range) }
    guard !vma.pinned.isEmpty else { return }
    for copy in vma.pinned { copiedSomewhere(copy, child) }
    lockstep.doubts.add(vma.parent, vma.range, .forkCopiedPinned)
  }

  private mutating func copiedSomewhere(_ copy: VMACopy.Pinned, _ child: MMID) {
    count(.pinsNotFollowed)
    unseen.appeared(copy.pfn, .base, in: child, at: copy.time)
  }
}
