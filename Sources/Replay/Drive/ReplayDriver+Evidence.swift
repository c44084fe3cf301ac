// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What is known beside the model's state, and what the kernel showed against what the model expected.
extension ReplayDriver {
  mutating func bind(_ outcome: Outcome, _ pfn: PFN) {
    guard let folio = outcome.folio, pfn.rawValue < 1 << 36 else { return }
    lockstep.baseline.memory.bind(pfn, to: folio)
    // A large folio goes to the list at once (`folio_may_be_lru_cached`).
    if !lockstep.baseline.memory.isLarge(folio) { hidden.allocated(pfn, on: current.cpu) }
  }

  func hiddenReference(_ mm: MMID, _ page: VirtualPage) -> HiddenReferences.Suspicion {
    let entry = lockstep.baseline.memory.entry(mm, page)
    guard entry.kind.refersToFolio else { return .none }
    if lockstep.baseline.claim(mm, page) == .exclusive { return .none }
    return hidden.suspicion(of: lockstep.baseline.memory.pfn(of: entry.folio), on: current.cpu)
  }

  /// Why it is in doubt that others map the page, which the model holds shared; `nil`: it is not.
  func doubtAboutSharing(_ mm: MMID, _ page: VirtualPage) -> UnknownCause? {
    if let cause = lockstep.doubts.cause(mm, page) { return UnknownCause(cause) }
    var doubt: UnknownCause?
    for other in lockstep.baseline.memory.foreignObservers(mm, page, ofWholeFolio: true) {
      if lockstep.baseline.memory.isDying(other.mm) {
        doubt = doubt ?? .sharerDying
      } else if let cause = lockstep.doubts.cause(other.mm, other.range.start) {
        doubt = UnknownCause(cause)
      } else if unseen.mayHaveCopied(other.mm) || isMerging(other.mm) {
        doubt = .placeNotSeen
      } else {
        return unseen.isAccessedRemotely(other.mm) ? .remoteAccess : nil
      }
    }
    return doubt
  }

  /// The kernel kept the page, or showed it exclusive: nobody else maps it, as a page, a swap entry or a migration
  /// entry. Who does so in the model is on the way out, or maps something that the model does not know.
  mutating func excludeOthers(_ mm: MMID, _ page: VirtualPage, ofWholeFolio: Bool) {
    guard lockstep.baseline.memory.mayBeShared(mm, page) else { return }
    for other in lockstep.baseline.memory.foreignObservers(mm, page, ofWholeFolio: ofWholeFolio) {
      exclude(other.mm, other.range)
    }
  }

  /// The entries are not what the model has there.
  mutating func exclude(_ mm: MMID, _ range: PageRange) {
    if lockstep.baseline.memory.isDying(mm) {
      hidden.teardownPassed(mm, range.end.advanced(by: -1))
    } else if lockstep.doubts.cause(mm, range.start) != .removal {
      count(.mappersExcluded)
      lockstep.doubts.add(mm, range, .excludedByKernel)
    }
    noteTouched(mm, range)
    run(.zap(mm, range), .exit)
  }

  /// The kernel shows the flag other than the model has it: the kernel is right.
  mutating func correct(_ mm: MMID, _ page: VirtualPage, from claim: Claim, exclusive: Bool) {
    if exclusive { excludeOthers(mm, page, ofWholeFolio: false) }
    run(.resolve(mm, page, was: claim, exclusive: exclusive))
    if exclusive { lockstep.doubts.settle(mm, page) } else { lockstep.doubts.add(mm, page, .refuted) }
  }

  /// What is known of the references that dying mms have to the page (`wp_can_reuse_anon_folio` counts them): held
  /// if one certainly is, released if all certainly are. Not every flush is traced, so the kernel reusing a page that
  /// seems held proves nothing.
  func dyingReferences(_ mm: MMID, _ page: VirtualPage) -> Teardown.Reference {
    var result = Teardown.Reference.released
    for other in lockstep.baseline.memory.foreignObservers(mm, page, ofWholeFolio: true) {
      guard let teardown = hidden.teardown(of: other.mm) else { return .unknown }
      if teardown.hasPassed(other.range.start) { continue }
      let above = PageRange(start: other.range.start, end: PageRange.everything.end)
      let rank = UInt64(lockstep.baseline.memory.countAnonymous(other.mm, in: above).present)
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
    if let doubt = lockstep.doubts.cause(mm, page) {
      unknown(evidence, mm, page, UnknownCause(doubt), record: record)
      return
    }
    let record = record ?? current
    verifier.disagree(evidence, cause) {
      Self.describedFinding(evidence, $0, mm, page, expected, observed, record)
    }
  }

  mutating func unknown(
    _ evidence: Finding.Evidence, _ mm: MMID, _ page: VirtualPage, _ cause: UnknownCause,
    record: MMEventRecord? = nil
  ) {
    let record = record ?? current
    verifier.unknown(evidence, cause) {
      Self.describedFinding(evidence, $0, mm, page, "unknown", "", record)
    }
  }

  private static func describedFinding(
    _ evidence: Finding.Evidence, _ cause: String, _ mm: MMID, _ page: VirtualPage, _ expected: String,
    _ observed: String, _ record: MMEventRecord
  ) -> Finding {
    Finding(
      evidence: evidence, cause: cause, sequence: record.sequence, time: record.time, mm: mm, page: page,
      expected: expected, observed: observed)
  }
}

extension UnknownCause {
  init(_ doubt: DoubtCause) {
    switch doubt {
    case .forkCopiedPinned: self = .forkCopiedPinned
    case .hugetlbPinned: self = .hugetlbPinned
    case .keptForPin: self = .keptForPin
    case .hugetlbContent: self = .hugetlbContent
    case .userfaultfd: self = .userfaultfd
    case .remoteAccess: self = .remoteAccess
    case .excludedByKernel: self = .excludedByKernel
    case .frameFreed: self = .frameFreed
    case .openDecision: self = .raced
    case .keptOrCopied: self = .keptOrCopied
    case .removal: self = .removalRunning
    case .loss: self = .loss
    case .refuted: self = .refuted
    }
  }

  init(_ reason: UnknownReason) {
    switch reason {
    case .sharersNotSeen: self = .sharersNotSeen
    case .flagNotSeen, .entryNotSeen: self = .entryNotSeen
    case .sharerDying: self = .sharerDying
    }
  }
}
