// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// hugetlb (`hugetlb_fault`). Its pages come from a pool, with no allocation and no counter traced: that a fault filled
/// something shows by the fault, that it copied by the flush of what was there (`huge_ptep_clear_flush`), and what
/// frame it took by a snapshot. docs/semantics.md, "hugetlb".
extension ReplayDriver {
  /// `MAP_HUGETLB` tells. A file of hugetlbfs, or a `memfd_create` with `MFD_HUGETLB`, is mapped as any other file is: it
  /// shows when a page is missing, nothing is mapped in the VMA, and the fault counts nothing, where one of another file
  /// maps pages of it or copies one; or when one page was flushed and nothing came in its place. Such a VMA begins and
  /// ends with a huge page.
  mutating func isOnHugetlb(
    _ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ outcome: FaultOutcome, _ vma: VMAFacts
  ) -> Bool {
    if vma.backing.isHugetlb { return true }
    guard vma.backing == .privateFile, access.isDisjoint(with: .kernel), !kernel.batchesCounters else { return false }
    switch outcome {
    case .pooled, .surplus: break
    case .quiet where !access.contains(.present): break
    default: return false
    }
    guard let range = layouts[mm]?.range(around: page), isOfHugePages(range), isEmpty(mm, range) else { return false }
    layouts[mm]?.change(range) { $0.backing = .hugetlbFile }
    return true
  }

  private func isOfHugePages(_ range: PageRange) -> Bool {
    let inHugePage = UInt64(FolioOrder(9).pageCount - 1)
    return (range.start.rawValue | range.end.rawValue) & inHugePage == 0
  }

  private func isEmpty(_ mm: MMID, _ range: PageRange) -> Bool {
    var isEmpty = true
    lockstep.baseline.memory.forEachEntry(mm, range) { _, entry in if entry.kind != .none { isEmpty = false } }
    return isEmpty
  }

  mutating func hugetlbFault(_ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ outcome: FaultOutcome) {
    hugetlb.note()
    let place = PageRange(around: page, FolioOrder(9))
    noteTouched(mm, place)
    if page != place.start { settleOpenDecision(mm, place.start, access, outcome) }
    let vma = facts(mm, page)
    guard vma.backing != .gigantic, !access.contains(.remote), !unseen.usesUserfaultfd(mm) else {
      count(.hugetlbNotFollowed)
      if access.contains([.write, .present]) { unknown(.decision, mm, page, .hugetlb) }
      return
    }
    // `access_error` refuses it; where the kernel wrote, no signal tells.
    if access.contains([.write, .kernel]), !vma.mayWrite { return }
    let isWrite = access.contains(.write)
    switch outcome {
    case .quiet, .pooled(replaced: false, _), .surplus(_, _, replaced: false):
      if !access.contains(.present) {
        hugetlb.fills(mm, place, current.task)
        fillHugetlb(mm, place, access, outcome.surplusPage)
      } else if isWrite {
        keptHugetlb(mm, place, vma, access)
      }
    case .pooled(replaced: true, let took), .surplus(_, let took, replaced: true):
      if access.contains(.present) {
        copiedHugetlb(mm, place, vma, access, outcome.surplusPage, decidedAfter: current.time.earlier(by: took))
      } else {
        // The file's page was mapped, and copied at once (`hugetlb_no_page` goes on with `hugetlb_wp`).
        hugetlb[mm, place.start] = nil
        fillHugetlb(mm, place, access, outcome.surplusPage)
      }
    case .lost: faultLost(mm, place.start, access)
    case .refused where !access.contains(.present): takenHugetlb(mm, place)
    case .refused, .raced: break
    case .anonymous, .copied, .copiedFromFile, .file, .swappedIn, .unexplained: count(.contradictoryFaults)
    }
  }

  // — a page is missing

  /// `hugetlb_no_page`.
  private mutating func fillHugetlb(_ mm: MMID, _ place: PageRange, _ access: FaultAccess, _ pfn: PFN?) {
    let vma = facts(mm, place.start)
    let isWrite = access.contains(.write)
    if lockstep.baseline.memory.entry(mm, place.start).kind.refersToFolio {
      // Another thread's fault was first.
      if lockstep.baseline.claim(mm, place.start) == .exclusive {
        if isWrite { run(.writeFault(mm, place.start, vma, .reused)) }
        return
      }
      count(.firstTouchOfPresent)
    }
    if isWrite || vma.backing == .hugetlb || pfn != nil {
      installHugetlb(mm, place, vma, write: isWrite, pfn)
      return
    }
    // To map an anonymous page for the first time the fault prepares the VMA, for which it needs mmap_lock
    // (`vmf_anon_prepare`). It may have taken that for another reason.
    switch (vma.flags.contains(.hasAnonVMA), access.contains(.retried)) {
    case (true, _): hugetlb[mm, place.start] = .either
    case (false, false): hugetlb[mm, place.start] = .file
    case (false, true):
      installHugetlb(mm, place, vma, write: false)
      lockstep.doubts.add(mm, place, .hugetlbContent)
    }
  }

  /// The VMA got an `anon_vma`, if it had none (`vmf_anon_prepare`).
  mutating func noteAnonVMA(_ mm: MMID, _ page: VirtualPage) {
    guard let range = layouts[mm]?.range(around: page) else { return }
    layouts[mm]?.change(range) { $0.flags.insert(.hasAnonVMA) }
  }

  private mutating func installHugetlb(
    _ mm: MMID, _ place: PageRange, _ vma: VMAFacts, write: Bool, _ pfn: PFN? = nil
  ) {
    hugetlb[mm, place.start] = nil
    if !vma.flags.contains(.hasAnonVMA) { noteAnonVMA(mm, place.start) }
    if !isEmpty(mm, place) { run(.zap(mm, place), .hugetlb) }
    bindHugetlb(run(.hugeFault(mm, place.start, vma, write: write, isHugetlb: true)), pfn)
  }

  private mutating func bindHugetlb(_ outcome: Outcome, _ pfn: PFN?) { if let pfn { bind(outcome, pfn) } }

  /// Nothing is there any more, and the pool has none left for who inherited the mapping (SIGBUS): whom the pool keeps
  /// pages for has taken it (`unmap_ref_private`), and kept it then.
  private mutating func takenHugetlb(_ mm: MMID, _ place: PageRange) {
    guard lockstep.baseline.memory.entry(mm, place.start).kind.refersToFolio else { return }
    run(.zap(mm, place), .hugetlb)
    lockstep.doubts.settle(mm, place)
    if !openDecisions.isEmpty { settleOvertaken() }
  }

  // — it is there and read-only (`hugetlb_wp`)

  /// No flush: the page was kept, or nothing came of the fault.
  private mutating func keptHugetlb(_ mm: MMID, _ place: PageRange, _ vma: VMAFacts, _ access: FaultAccess) {
    let head = place.start
    guard hugetlb.seesFlushes else { return decidedUnseen(mm, place, vma) }
    switch hugetlb[mm, head] {
    case .file: return leaveOpen(mm, head, access, "a new page in place of the file's")
    case .either:
      unknown(.decision, mm, head, .hugetlbContent)
      return installHugetlb(mm, place, vma, write: true)
    case nil: break
    }
    switch lockstep.predictWriteFault(mm, head) {
    case .mustReuse:
      verifier.agree(.decision)
      reuse(mm, head, vma)
    case .eitherWay(let reason):
      unknown(.decision, mm, head, UnknownCause(reason))
      reuse(mm, head, vma)
    // Several threads wait for whoever copies it.
    case .mustCopy where openDecisions.contains { $0.mm == mm && $0.page == head }: break
    case .mustCopy(let obstacle):
      if let cause = doubtAboutMappers(mm, head) {
        unknown(.decision, mm, head, cause)
        reuse(mm, head, vma)
      } else {
        leaveOpen(mm, head, access, "copy (\(obstacle))")
      }
    case .alreadyWritable: break
    case .notMapped, .mustReplace:
      unknown(.decision, mm, head, .entryNotSeen)
      installHugetlb(mm, place, vma, write: true)
    }
  }

  /// Why it is in doubt that others map the huge page; `nil`: it is not. Unlike small pages, none comes or goes with an
  /// allocation or a write from outside that has no place; and a fault of theirs that showed nothing waits for the same
  /// copy as this one.
  private func doubtAboutMappers(_ mm: MMID, _ head: VirtualPage) -> UnknownCause? {
    if let cause = lockstep.doubts.cause(mm, head) { return UnknownCause(cause) }
    var doubt: UnknownCause?
    for other in lockstep.baseline.memory.foreignObservers(mm, head, ofWholeFolio: true) {
      if lockstep.baseline.memory.isDying(other.mm) {
        doubt = doubt ?? .sharerDying
      } else if let cause = lockstep.doubts.cause(other.mm, other.range.start), cause != .openDecision {
        doubt = UnknownCause(cause)
      } else {
        return nil
      }
    }
    return doubt
  }

  private mutating func decidedUnseen(_ mm: MMID, _ place: PageRange, _ vma: VMAFacts) {
    unknown(.decision, mm, place.start, .flushesNotSeen)
    if lockstep.baseline.memory.entry(mm, place.start).kind.refersToFolio {
      run(.writeFault(mm, place.start, vma, .unobserved))
    } else {
      installHugetlb(mm, place, vma, write: true)
    }
  }

  private mutating func copiedHugetlb(
    _ mm: MMID, _ place: PageRange, _ vma: VMAFacts, _ access: FaultAccess, _ pfn: PFN?, decidedAfter begun: Timestamp
  ) {
    let head = place.start
    let prediction = lockstep.predictWriteFault(mm, head)
    switch (hugetlb[mm, head], prediction) {
    case (.file?, _), (nil, .mustCopy): verifier.agree(.decision)
    case (.either?, _): unknown(.decision, mm, head, .hugetlbContent)
    // What was done about the fault when it was told as quiet was wrong.
    case _ where access.contains(.late): unknown(.decision, mm, head, .raced)
    case (nil, .eitherWay(let reason)): unknown(.decision, mm, head, UnknownCause(reason))
    case (nil, .mustReuse) where mayHaveBeenShared(mm, head, since: begun): unknown(.decision, mm, head, .sharerDying)
    case (nil, .mustReuse), (nil, .alreadyWritable):
      let expected = prediction == .alreadyWritable ? "no fault: the entry is writable" : "reuse: it is the only mapper"
      disagree(mm, head, expected, "a copy", .copiedExclusive)
    case (nil, .notMapped), (nil, .mustReplace): unknown(.decision, mm, head, .entryNotSeen)
    }
    if lockstep.baseline.memory.entry(mm, head).kind.refersToFolio {
      let copy = Operation.writeFault(mm, head, vma, .copied(hiddenReference: false))
      bindHugetlb(run(copy, followsKernel: true), pfn)
    } else {
      installHugetlb(mm, place, vma, write: true, pfn)
    }
    lockstep.doubts.settle(mm, place)
    if !openDecisions.isEmpty { settleOvertaken() }
  }

  /// The copy takes milliseconds, and who shared the page when that was decided may have gone meanwhile.
  private func mayHaveBeenShared(_ mm: MMID, _ head: VirtualPage, since begun: Timestamp) -> Bool {
    guard lockstep.baseline.claim(mm, head) != .exclusive, let removal = hugetlb.lastRemoval else { return false }
    return removal >= begun
  }
}

extension FaultOutcome {
  fileprivate var surplusPage: PFN? { if case .surplus(let pfn, _, _) = self { pfn } else { nil } }
}
