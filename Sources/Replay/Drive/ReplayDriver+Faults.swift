// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// A write-protection fault that showed nothing where the model expects a copy: another thread may have made it, or
/// the kernel refused the fault (`pagefault_disabled`) and will see it again. The page's next event tells.
struct Doubt {
  let record: MMEventRecord
  let mm: MMID
  let page: VirtualPage
  let expected: String

  /// Nanoseconds between a fault's entry and its decision, for one that copies nothing: taking locks, at most.
  static let longestFault: UInt64 = 200_000
}

/// Where `MAP_POPULATE` or `mlock` has got to.
struct Populating {
  let task: TaskID
  let range: PageRange
  var next: VirtualPage
}

extension ReplayDriver {
  mutating func fault(_ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ outcome: FaultOutcome) {
    if !copying.isEmpty { finishCopies(of: mm, over: page) }
    settleDoubts(mm, page, outcome)
    noteTouched(mm, page)
    let vma = facts(mm, page)
    if kernel.batchesCounters, swappedInUncounted(mm, page, outcome, access, vma) { return }
    switch outcome {
    case .quiet:
      if access.contains(.write) {
        if access.contains(.present) { quietWrite(mm, page, access, vma) }
        if !access.contains(.present) { missing(mm, page) }
      } else if !access.contains(.present), vma.backing != .shared, vma.backing != .hugetlb {
        if unseen.usesUserfaultfd(mm) { missing(mm, page) } else { run(.readFault(mm, page, vma)) }
      }
    case .anonymous(let pfn, let order, _): firstTouch(mm, page, pfn, order, vma, access)
    case .copied(let pfn, let sinceDecision):
      copied(mm, page, pfn, vma, access, decided: current.time.earlier(by: sinceDecision))
    case .copiedFromFile(let pfn, _): copiedFromFile(mm, page, pfn, vma, access)
    case .file: if vma.backing != .shared { run(.filePageMapped(mm, page)) }
    case .swappedIn(let pfn, let copied): swappedIn(mm, page, pfn, isCopied: copied, access, vma)
    case .raced: filledByAnother(mm, page, vma)
    case .refused: break
    case .unexplained: count(\.unexplainedFaults)
    }
  }

  // — nothing was seen

  /// A fault on a missing page that came to nothing: with a userfaultfd, somebody else is to fill it.
  private mutating func missing(_ mm: MMID, _ page: VirtualPage) {
    guard unseen.usesUserfaultfd(mm), lockstep.baseline.entry(mm, page).kind == .none else { return }
    unseen.waits(mm, page, current.task)
  }

  /// The fault gave its page back, because the entry was there by then: with a userfaultfd, it came by `UFFDIO_COPY`.
  private mutating func filledByAnother(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) {
    guard unseen.usesUserfaultfd(mm), lockstep.baseline.entry(mm, page).kind == .none else { return }
    if let pfn = unseen.takeArrival(mm, since: current.time) {
      bind(run(.uffdCopy(mm, page, vma, writeProtected: false)), pfn)
    }
  }

  private mutating func quietWrite(_ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ vma: VMAFacts) {
    guard vma.backing != .shared, vma.backing != .hugetlb else { return }
    switch lockstep.predictWriteFault(mm, page) {
    case .mustCopy where unseen.protectsByUserfaultfd(mm), .mustReplace where unseen.protectsByUserfaultfd(mm):
      // The fault may have gone to the userfaultfd (`handle_userfault`), and its task never have come back to copy.
      unknown(.decision, mm, page, .userfaultfd)
      unseen.doubt(mm, PageRange(start: page, count: 1))
    case .mustReuse
    where unseen.protectsByUserfaultfd(mm) && lockstep.baseline.claim(mm, page) != .exclusive:
      // It becomes exclusive when the handler has answered.
      unknown(.decision, mm, page, .userfaultfd)
      unseen.doubt(mm, PageRange(start: page, count: 1))
      reuse(mm, page, vma)
    case .mustReuse:
      switch hiddenReference(mm, page) {
      case .certain: doubt(mm, page, "copy: the folio waits in another CPU's LRU batch")
      case .possible(let cause):
        unknown(.decision, mm, page, cause)
        reuse(mm, page, vma)
      case .none:
        verifier.agree(.decision)
        reuse(mm, page, vma)
      }
    case .eitherWay(.sharerDying) where dyingReferences(mm, page) == .released:
      verifier.agree(.decision)
      reuse(mm, page, vma, othersAreGone: true)
    case .eitherWay(let reason):
      unknown(.decision, mm, page, UnknownCause(reason))
      reuse(mm, page, vma, othersAreGone: true)
    case .mustCopy(let obstacle):
      if othersAreBeingRemoved(mm, page) {
        unknown(.decision, mm, page, .removalRunning)
        reuse(mm, page, vma, othersAreGone: true)
      } else if unseen.isDoubtful(mm, page) {
        unknown(.decision, mm, page, .placeNotSeen)
        reuse(mm, page, vma)
      } else {
        doubt(mm, page, "copy (\(obstacle))")
      }
    case .mustReplace: doubt(mm, page, "a new page in place of the zero or file page")
    case .alreadyWritable: break
    case .notMapped:
      // A page nobody saw arrive was reused: from here on it is known.
      unknown(.decision, mm, page, .entryNotSeen)
      if vma.backing == .anonymous { run(.anonymousFault(mm, page, .base, vma), .writeFault) }
    }
  }

  private mutating func reuse(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts, othersAreGone: Bool = false) {
    if othersAreGone { removeOthers(mm, page) }
    run(.writeFault(mm, page, vma, .reused), followsKernel: true)
  }

  /// The kernel kept the page, so it saw no other mapping: those of mms on their way out were gone before it looked.
  private mutating func removeOthers(_ mm: MMID, _ page: VirtualPage) {
    let entry = lockstep.baseline.entry(mm, page)
    guard entry.kind == .present, !lockstep.baseline.isLarge(FolioID(entry.index)) else { return }
    for other in lockstep.baseline.mappers(of: FolioID(entry.index)) where other.mm != mm {
      if lockstep.baseline.isDying(other.mm) {
        hidden.teardownPassed(other.mm, other.page)
      } else if !hidden.isBeingRemoved(other.mm, other.page) {
        continue
      }
      run(.zap(other.mm, PageRange(start: other.page, count: 1)), .exit)
    }
  }

  // — a page was allocated

  private mutating func firstTouch(
    _ mm: MMID, _ page: VirtualPage, _ pfn: PFN, _ order: FolioOrder, _ vma: VMAFacts, _ access: FaultAccess
  ) {
    if order == FolioOrder(9) {
      hugeTouch(mm, page, pfn, vma, isWrite: access.contains(.write) || vma.mayWrite)
      return
    }
    let entry = lockstep.baseline.entry(mm, page)
    if access.contains([.write, .present]), entry.kind == .present {
      // The zero page was not there, so the page was kept; what came afterwards is GUP's, in a call that is not traced.
      quietWrite(mm, page, access, vma)
      appeared(mm, pfn, order)
      return
    }
    if order != .base { noteTouched(mm, PageRange(around: page, order)) }
    if entry.kind.refersToFolio {
      count(\.entryWasThere)
      run(.zap(mm, PageRange(start: page, count: 1)))
    }
    bind(run(.anonymousFault(mm, page, order, vma)), pfn)
  }

  private mutating func copied(
    _ mm: MMID, _ page: VirtualPage, _ pfn: PFN, _ vma: VMAFacts, _ access: FaultAccess, decided: Timestamp
  ) {
    let prediction = lockstep.predictWriteFault(mm, page)
    let source = lockstep.baseline.mappedFrame(mm, page)
    defer { if let source { hidden.copied(awayFrom: source, at: current.time) } }
    var isHidden = false
    switch prediction {
    // What was done about the fault when it was told as quiet was wrong.
    case _ where access.contains(.late): unknown(.decision, mm, page, .raced)
    case .mustCopy, .mustReplace: verifier.agree(.decision)
    case .eitherWay(.sharerDying) where dyingReferences(mm, page) == .held: verifier.agree(.decision)
    case .eitherWay(let reason): unknown(.decision, mm, page, UnknownCause(reason))
    case .notMapped:
      // Without counters a copied file page looks the same; fault-around maps those unseen.
      if kernel.batchesCounters, vma.backing.holdsFilePages, lockstep.baseline.isComplete(mm) {
        verifier.agree(.decision)
      } else {
        unknown(.decision, mm, page, .entryNotSeen)
      }
    case .alreadyWritable: disagree(mm, page, "no fault: the entry is writable", "copied", .copiedExclusive)
    case .mustReuse:
      isHidden = true
      if lockstep.baseline.claim(mm, page) == .exclusive {
        disagree(mm, page, "reuse: the page is exclusive", "copied to pfn \(pfn.rawValue)", .copiedExclusive)
      } else {
        switch hiddenReference(mm, page) {
        case .certain: verifier.agree(.decision)
        case _ where hidden.wasMappedElsewhere(source, at: decided): verifier.agree(.decision)
        case .possible(let cause): unknown(.decision, mm, page, cause)
        case .none: unknown(.decision, mm, page, .hiddenReference)
        }
      }
    }
    if case .notMapped = prediction {
      bind(run(.filePageCopy(mm, page, vma), .writeFault), pfn)
    } else {
      bind(run(.writeFault(mm, page, vma, .copied(hiddenReference: isHidden)), followsKernel: true), pfn)
    }
    if !doubts.isEmpty { settleOvertaken() }
  }

  private mutating func copiedFromFile(
    _ mm: MMID, _ page: VirtualPage, _ pfn: PFN, _ vma: VMAFacts, _ access: FaultAccess
  ) {
    // Without counters the page cache of a shared mapping looks the same.
    if kernel.batchesCounters, vma.backing == .shared { return }
    if access.contains(.present) {
      if lockstep.baseline.entry(mm, page).kind.refersToFolio {
        disagree(mm, page, "an anonymous page", "a file page was copied", .fileOverAnonymous)
      } else {
        verifier.agree(.decision)
      }
    }
    bind(run(.filePageCopy(mm, page, vma)), pfn)
  }

  // — pages without a fault

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

  // — evidence

  mutating func bind(_ outcome: Outcome, _ pfn: PFN) {
    guard let folio = outcome.folio, pfn.rawValue < 1 << 36 else { return }
    lockstep.baseline.bind(pfn, to: folio)
    // A large folio goes to the list at once (`folio_may_be_lru_cached`).
    if !lockstep.baseline.isLarge(folio) { hidden.allocated(pfn, on: current.cpu) }
  }

  private func hiddenReference(_ mm: MMID, _ page: VirtualPage) -> HiddenReferences.Suspicion {
    let entry = lockstep.baseline.entry(mm, page)
    guard entry.kind.refersToFolio else { return .none }
    if lockstep.baseline.claim(mm, page) == .exclusive { return .none }
    return hidden.suspicion(of: lockstep.baseline.pfn(of: FolioID(entry.index)), on: current.cpu)
  }

  /// Every other mapping of the page is in a range that its owner is removing, or in a dying mm.
  private func othersAreBeingRemoved(_ mm: MMID, _ page: VirtualPage) -> Bool {
    let entry = lockstep.baseline.entry(mm, page)
    guard entry.kind.refersToFolio else { return false }
    return lockstep.baseline.mappers(of: FolioID(entry.index), page: entry.page).allSatisfy { other in
      (other.mm == mm && other.page == page) || hidden.isBeingRemoved(other.mm, other.page)
        || lockstep.baseline.isDying(other.mm)
    }
  }

  /// What is known of the references that dying mms have to the page (`wp_can_reuse_anon_folio` counts them): held
  /// if one certainly is, released if all certainly are. Not every flush is traced, so the kernel reusing a page that
  /// seems held proves nothing.
  private func dyingReferences(_ mm: MMID, _ page: VirtualPage) -> Teardown.Reference {
    let entry = lockstep.baseline.entry(mm, page)
    guard entry.kind.refersToFolio else { return .unknown }
    var result = Teardown.Reference.released
    for other in lockstep.baseline.mappers(of: FolioID(entry.index), page: entry.page) where other.mm != mm {
      guard let teardown = hidden.teardown(of: other.mm) else { return .unknown }
      if teardown.hasPassed(other.page) { continue }
      let above = PageRange(start: other.page, end: PageRange.everything.end)
      let rank = UInt64(lockstep.baseline.countAnonymous(other.mm, in: above).present)
      switch teardown.reference(rank: rank) {
      case .held: return .held
      case .unknown: result = .unknown
      case .released: break
      }
    }
    return result
  }

  mutating func disagree(
    _ mm: MMID, _ page: VirtualPage, _ expected: String, _ observed: String, _ cause: DisagreementCause,
    evidence: Finding.Evidence = .decision, record: MMEventRecord? = nil
  ) {
    let record = record ?? current
    verifier.disagree(evidence, cause) {
      Self.finding(evidence, $0, mm, page, expected, observed, record)
    }
  }

  mutating func unknown(
    _ evidence: Finding.Evidence, _ mm: MMID, _ page: VirtualPage, _ cause: UnknownCause,
    record: MMEventRecord? = nil
  ) {
    let record = record ?? current
    verifier.unknown(evidence, cause) {
      Self.finding(evidence, $0, mm, page, "unknown", "", record)
    }
  }

  private static func finding(
    _ evidence: Finding.Evidence, _ cause: String, _ mm: MMID, _ page: VirtualPage, _ expected: String,
    _ observed: String, _ record: MMEventRecord
  ) -> Finding {
    Finding(
      evidence: evidence, cause: cause, sequence: record.sequence, time: record.time, mm: mm, page: page,
      expected: expected, observed: observed)
  }

  // — doubts

  private mutating func doubt(_ mm: MMID, _ page: VirtualPage, _ expected: String) {
    doubts.append(Doubt(record: current, mm: mm, page: page, expected: expected))
  }

  /// The next fault on the page tells what the quiet one was.
  private mutating func settleDoubts(_ mm: MMID, _ page: VirtualPage, _ outcome: FaultOutcome) {
    guard !doubts.isEmpty, let index = doubts.firstIndex(where: { $0.mm == mm && $0.page == page }) else { return }
    let doubt = doubts.remove(at: index)
    switch outcome {
    case .copied, .copiedFromFile, .anonymous, .raced, .refused: break  // made by another thread, or tried again
    case .quiet, .file, .swappedIn, .unexplained: condemn(doubt)
    }
  }

  /// The page goes away or is shared anew with the question open.
  mutating func settleDoubts(of mm: MMID) {
    guard !doubts.isEmpty else { return }
    for doubt in doubts where doubt.mm == mm { unknown(.decision, mm, doubt.page, .raced, record: doubt.record) }
    doubts.removeAll { $0.mm == mm }
  }

  /// Two faults on one page at a time: the quiet one began before the other one's copy was seen and came to its
  /// decision after it, as the only mapper left.
  private mutating func settleOvertaken() {
    let now = current.time.nanoseconds
    for doubt in doubts where now &- doubt.record.time.nanoseconds < Doubt.longestFault {
      guard case .mustReuse = lockstep.predictWriteFault(doubt.mm, doubt.page) else { continue }
      unknown(.decision, doubt.mm, doubt.page, .raced, record: doubt.record)
      reuse(doubt.mm, doubt.page, facts(doubt.mm, doubt.page))
      doubts.removeAll { $0.mm == doubt.mm && $0.page == doubt.page }
    }
  }

  /// The kernel shows the page exclusive, and nobody else maps it any more: a fault that was held up came to its
  /// decision after they had gone. `false`: no such fault is known.
  mutating func settleDelayed(_ mm: MMID, _ page: VirtualPage) -> Bool {
    guard let index = doubts.firstIndex(where: { $0.mm == mm && $0.page == page }) else { return false }
    switch lockstep.predictWriteFault(mm, page) {
    case .mustReuse, .eitherWay: break
    case .mustCopy, .mustReplace, .alreadyWritable, .notMapped: return false
    }
    unknown(.decision, mm, page, .raced, record: doubts.remove(at: index).record)
    reuse(mm, page, facts(mm, page))
    return true
  }

  mutating func settleAllDoubts() {
    for doubt in doubts { unknown(.decision, doubt.mm, doubt.page, .raced, record: doubt.record) }
    doubts.removeAll()
  }

  private mutating func condemn(_ doubt: Doubt) {
    disagree(doubt.mm, doubt.page, doubt.expected, "no copy", .reusedShared, record: doubt.record)
    reuse(doubt.mm, doubt.page, facts(doubt.mm, doubt.page))
  }
}

extension UnknownCause {
  init(_ reason: UnknownReason) {
    switch reason {
    case .sharersNotSeen: self = .sharersNotSeen
    case .flagNotSeen, .entryNotSeen: self = .entryNotSeen
    case .sharerDying: self = .sharerDying
    }
  }
}
