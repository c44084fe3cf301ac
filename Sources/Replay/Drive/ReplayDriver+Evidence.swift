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

/// What is known beside the model's state, and what the kernel showed against what the model expected.
extension ReplayDriver {
  mutating func bind(_ outcome: Outcome, _ pfn: PFN) {
    guard let folio = outcome.folio, pfn.rawValue < 1 << 36 else { return }
    lockstep.baseline.bind(pfn, to: folio)
    // A large folio goes to the list at once (`folio_may_be_lru_cached`).
    if !lockstep.baseline.isLarge(folio) { hidden.allocated(pfn, on: current.cpu) }
  }

  func hiddenReference(_ mm: MMID, _ page: VirtualPage) -> HiddenReferences.Suspicion {
    let entry = lockstep.baseline.entry(mm, page)
    guard entry.kind.refersToFolio else { return .none }
    if lockstep.baseline.claim(mm, page) == .exclusive { return .none }
    return hidden.suspicion(of: lockstep.baseline.pfn(of: FolioID(entry.index)), on: current.cpu)
  }

  /// Every other mapping of the page is in a range that its owner is removing, or in a dying mm.
  func othersAreBeingRemoved(_ mm: MMID, _ page: VirtualPage) -> Bool {
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
  func dyingReferences(_ mm: MMID, _ page: VirtualPage) -> Teardown.Reference {
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

  mutating func doubt(_ mm: MMID, _ page: VirtualPage, _ expected: String) {
    doubts.append(Doubt(record: current, mm: mm, page: page, expected: expected))
  }

  /// The next fault on the page tells what the quiet one was.
  mutating func settleDoubts(_ mm: MMID, _ page: VirtualPage, _ outcome: FaultOutcome) {
    guard !doubts.isEmpty, let index = doubts.firstIndex(where: { $0.mm == mm && $0.page == page }) else { return }
    let doubt = doubts.remove(at: index)
    switch outcome {
    case .copied, .copiedFromFile, .anonymous, .raced: break  // made by another thread, or tried again
    // Which is another fault's end and tells nothing of this one.
    case .refused: unknown(.decision, mm, page, .raced, record: doubt.record)
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
  mutating func settleOvertaken() {
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
