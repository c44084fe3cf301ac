// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Faults as the trace told them. Of a write-protection fault the baseline's prediction is asked first: copy or reuse
/// (`do_wp_page`) is the kernel's word on the flag, and one of the three witnesses.
extension ReplayDriver {
  mutating func fault(_ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ outcome: FaultOutcome) {
    if !copying.isEmpty { finishCopies(of: mm, over: page) }
    recentFaults.note(mm, page, current.time)
    settleOpenDecision(mm, page, access, outcome)
    noteTouchedEntry(mm, page)
    noteEarlyTable(mm, page, access, outcome)
    var vma = facts(mm, page)
    if vma.protection.contains(.unknown), access.contains(.write) {
      noteWritability(mm, page, access, outcome, vma)
      vma = facts(mm, page)
    }
    if isOnHugetlb(mm, page, access, outcome, vma) {
      lockstep.baseline.memory.doubtTables(mm, .hugetlb)
      return hugetlbFault(mm, page, access, outcome)
    }
    if !access.contains(.present) { noteTable(mm, page, outcome, vma) }
    if !dropped.isEmpty { dropVanished(mm, page, access, outcome, vma) }
    if kernel.batchesCounters, swappedInUncounted(mm, page, outcome, access, vma) { return }
    switch outcome {
    // Whose page was flushed, if not hugetlb's, is not told.
    case .quiet, .pooled: quietFault(mm, page, access, vma)
    case .anonymous(let pfn, let order, _): firstTouch(mm, page, pfn, order, vma, access)
    case .copied(let pfn, let sinceDecision):
      copied(mm, page, pfn, vma, access, decided: current.time.earlier(by: sinceDecision))
    case .copiedFromFile(let pfn, _): copiedFromFile(mm, page, pfn, vma, access)
    case .file: if vma.backing != .shared { run(.filePageMapped(mm, page)) }
    case .swappedIn(let pfn, let copy): followSwapIn(mm, page, pfn, copy, access, vma)
    case .raced: filledByAnother(mm, page, vma)
    case .refused: break
    case .surplus, .unexplained: count(.contradictoryFaults)
    case .lost: faultLost(mm, page, access)
    }
  }

  /// A private page that is anonymous was written, which tells that its VMA is writable; unless a debugger wrote it
  /// (`FOLL_FORCE`), until the mm itself has done so.
  private mutating func noteWritability(
    _ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ outcome: FaultOutcome, _ vma: VMAFacts
  ) {
    switch outcome {
    case .refused, .lost, .unexplained: return
    case .quiet where !access.isDisjoint(with: [.kernel, .remote]): return
    case .quiet, .anonymous, .copied, .copiedFromFile, .file, .swappedIn, .raced, .pooled, .surplus: break
    }
    let isForced = access.contains(.remote)
    guard isForced != vma.flags.contains(.writeForced) else { return }
    switch lockstep.baseline.memory.entry(mm, page).kind {
    case .none, .zeroPage, .filePage: break
    default: if isForced { return }
    }
    var range = PageRange(start: page, count: 1)
    if case .anonymous(_, let order, _) = outcome { range = PageRange(around: page, order) }
    layouts[mm]?.change(range, fillsGaps: true) {
      if isForced { $0.flags.insert(.writeForced) } else { $0.flags.remove(.writeForced) }
    }
  }

  /// What came of the fault is not told: where nothing was mapped, a folio of any size may be now.
  mutating func faultLost(_ mm: MMID, _ page: VirtualPage, _ access: FaultAccess) {
    guard access.contains(.present) else {
      lockstep.doubts.add(mm, PageRange(around: page, FolioOrder(9)), .loss)
      return
    }
    guard access.contains(.write) else { return }
    unknown(.decision, mm, page, UnknownCause(.loss))
    lockstep.doubts.add(mm, page, .loss)
  }

  // — nothing was seen

  private mutating func quietFault(_ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ vma: VMAFacts) {
    if access.contains(.write) {
      if access.contains(.present) { quietWrite(mm, page, access, vma) } else { waitForHandler(mm, page) }
    } else if !access.contains(.present), vma.backing != .shared {
      if unseen.usesUserfaultfd(mm) { waitForHandler(mm, page) } else { run(.readFault(mm, page, vma)) }
    }
  }

  /// A fault on a missing page that came to nothing: with a userfaultfd, somebody else is to fill it.
  private mutating func waitForHandler(_ mm: MMID, _ page: VirtualPage) {
    guard unseen.usesUserfaultfd(mm), lockstep.baseline.memory.entry(mm, page).kind == .none else { return }
    unseen.waits(mm, page, current.task)
  }

  /// The fault gave its page back, because the entry was there by then: with a userfaultfd, it came by `UFFDIO_COPY`.
  private mutating func filledByAnother(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) {
    guard unseen.usesUserfaultfd(mm), lockstep.baseline.memory.entry(mm, page).kind == .none else { return }
    if let pfn = unseen.takeArrival(mm, since: current.time) {
      bind(run(.uffdCopy(mm, page, vma, writeProtected: false)), pfn)
    }
  }

  private mutating func quietWrite(_ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ vma: VMAFacts) {
    guard vma.backing != .shared else { return }
    // `access_error` refuses it; where the kernel wrote, no signal tells.
    if access.contains(.kernel), !vma.mayWrite { return }
    if access.contains(.kernel), vma.isWriteUnknown {
      unknown(.decision, mm, page, .remoteAccess)
      return lockstep.doubts.add(mm, page, .remoteAccess)
    }
    let mayHaveWaited = access.contains(.retried) && unseen.protectsByUserfaultfd(mm)
    switch lockstep.predictWriteFault(mm, page) {
    case .mustCopy where mayHaveWaited, .mustReplace where mayHaveWaited:
      // The fault may have gone to the userfaultfd (`handle_userfault`), and its task never have come back to copy.
      unknown(.decision, mm, page, .userfaultfd)
      lockstep.doubts.add(mm, page, .userfaultfd)
    case .mustReuse
    where mayHaveWaited && lockstep.baseline.claim(mm, page) != .exclusive:
      // It becomes exclusive when the handler has answered.
      unknown(.decision, mm, page, .userfaultfd)
      reuse(mm, page, vma)
      lockstep.doubts.add(mm, page, .userfaultfd)
    case .mustReuse:
      switch hiddenReference(mm, page) {
      case .certain: leaveOpen(mm, page, access, "copy: the folio waits in another CPU's LRU batch")
      case .possible(let cause):
        unknown(.decision, mm, page, cause)
        reuse(mm, page, vma)
      case .none:
        verifier.agree(.decision)
        reuse(mm, page, vma)
      }
    case .eitherWay(.sharerDying) where dyingReferences(mm, page) == .released:
      verifier.agree(.decision)
      reuse(mm, page, vma)
    case .eitherWay(let reason):
      unknown(.decision, mm, page, UnknownCause(reason))
      reuse(mm, page, vma)
    // Another thread's fault on the page is open, and as long as that waits this one does.
    case .mustCopy where openDecisions.contains { $0.mm == mm && $0.page == page }: break
    case .mustCopy(let obstacle):
      if let cause = doubtAboutSharing(mm, page) {
        unknown(.decision, mm, page, cause)
        reuse(mm, page, vma)
      } else {
        leaveOpen(mm, page, access, "copy (\(obstacle))")
      }
    case .mustReplace: leaveOpen(mm, page, access, "a new page in place of the zero or file page")
    case .alreadyWritable: break
    case .notMapped:
      // A page nobody saw arrive was reused: from here on it is known.
      if vma.backing == .anonymous, lockstep.baseline.memory.isComplete(mm), unseen.isAllExclusive(in: mm) {
        verifier.agree(.decision)
      } else {
        unknown(.decision, mm, page, .entryNotSeen)
      }
      if vma.backing == .anonymous { run(.anonymousFault(mm, page, .base, vma), .writeFault) }
    }
  }

  /// The kernel kept the page (`wp_page_reuse`): it saw no other mapping of it, or of any page of a large folio.
  mutating func reuse(_ mm: MMID, _ page: VirtualPage, _ vma: VMAFacts) {
    excludeOthers(mm, page, ofWholeFolio: true)
    run(.writeFault(mm, page, vma, .reused), followsKernel: true)
    lockstep.doubts.settle(mm, page)
  }

  // — a page was allocated

  mutating func firstTouch(
    _ mm: MMID, _ page: VirtualPage, _ pfn: PFN, _ order: FolioOrder, _ vma: VMAFacts, _ access: FaultAccess
  ) {
    if order == FolioOrder(9) {
      hugeTouch(mm, page, pfn, vma, isWrite: access.contains(.write) || vma.mayWrite)
      return
    }
    let entry = lockstep.baseline.memory.entry(mm, page)
    if access.contains([.write, .present]), entry.kind == .present {
      // The zero page was not there, so the page was kept; what came afterwards is GUP's, in a call that is not traced.
      quietWrite(mm, page, access, vma)
      appeared(mm, pfn, order)
      return
    }
    if order != .base { noteTouched(mm, PageRange(around: page, order)) }
    if entry.kind.refersToFolio {
      count(.firstTouchOfPresent)
      run(.zap(mm, PageRange(start: page, count: 1)))
    }
    bind(run(.anonymousFault(mm, page, order, vma)), pfn)
  }

  mutating func copied(
    _ mm: MMID, _ page: VirtualPage, _ pfn: PFN, _ vma: VMAFacts, _ access: FaultAccess, decided: Timestamp
  ) {
    let prediction = lockstep.predictWriteFault(mm, page)
    let source = lockstep.baseline.memory.mappedFrame(mm, page)
    if access.contains(.beforeGUP), mayBeKept(mm, page, prediction, source, decided: decided) {
      return keptOrCopied(mm, page, pfn, vma)
    }
    defer { if let source { hidden.copied(awayFrom: source, at: current.time) } }
    var isHidden = false
    switch prediction {
    // What was done about the fault when it was told as quiet was wrong.
    case _ where access.contains(.late): unknown(.decision, mm, page, .raced)
    case .mustCopy, .mustReplace: verifier.agree(.decision)
    case .eitherWay(.sharerDying) where dyingReferences(mm, page) == .held: verifier.agree(.decision)
    case .eitherWay(.sharerDying): copiedUnexplained(mm, page, .leaving(.sharerDying))
    case .eitherWay(let reason): unknown(.decision, mm, page, UnknownCause(reason))
    case .notMapped:
      // Without counters a copied file page looks the same; fault-around maps those unseen.
      if kernel.batchesCounters, vma.backing.holdsFilePages, lockstep.baseline.memory.isComplete(mm) {
        verifier.agree(.decision)
      } else {
        unknown(.decision, mm, page, .entryNotSeen)
      }
    case .alreadyWritable: copiedUnexplained(mm, page, .exclusive(expected: "no fault: the entry is writable"))
    case .mustReuse:
      isHidden = true
      if lockstep.baseline.claim(mm, page) == .exclusive {
        copiedUnexplained(mm, page, .exclusive(expected: "reuse: the page is exclusive"))
      } else {
        switch hiddenReference(mm, page) {
        case .certain: verifier.agree(.decision)
        case _ where hidden.wasMappedElsewhere(source, at: decided): verifier.agree(.decision)
        case .possible(let cause): copiedUnexplained(mm, page, .leaving(cause))
        case .none: copiedUnexplained(mm, page)
        }
      }
    }
    if case .notMapped = prediction {
      bind(run(.filePageCopy(mm, page, vma), .writeFault), pfn)
    } else {
      bind(run(.writeFault(mm, page, vma, .copied(hiddenReference: isHidden)), followsKernel: true), pfn)
    }
    if !openDecisions.isEmpty { settleOvertaken() }
  }

  /// Nothing is known for which the page would have been copied.
  private func mayBeKept(
    _ mm: MMID, _ page: VirtualPage, _ prediction: Prediction, _ source: PFN?, decided: Timestamp
  ) -> Bool {
    switch prediction {
    case .alreadyWritable: return true
    case .mustReuse where lockstep.baseline.claim(mm, page) == .exclusive: return true
    case .mustReuse:
      if case .none = hiddenReference(mm, page) { return !hidden.wasMappedElsewhere(source, at: decided) }
      return false
    case .mustCopy, .mustReplace, .eitherWay, .notMapped: return false
    }
  }

  /// A fault seldom has to be tried again with mmap_lock (`lock_vma_under_rcu`), and a reference that nothing shows is
  /// seldom, too: most likely GUP took the folio for another page of the mm.
  private mutating func keptOrCopied(_ mm: MMID, _ page: VirtualPage, _ pfn: PFN, _ vma: VMAFacts) {
    unknown(.decision, mm, page, .keptOrCopied)
    reuse(mm, page, vma)
    lockstep.doubts.add(mm, page, .keptOrCopied)
    appeared(mm, pfn, .base)
  }

  private mutating func copiedFromFile(
    _ mm: MMID, _ page: VirtualPage, _ pfn: PFN, _ vma: VMAFacts, _ access: FaultAccess
  ) {
    // Without counters the page cache of a shared mapping looks the same.
    if kernel.batchesCounters, vma.backing == .shared { return }
    if access.contains(.present) {
      if lockstep.baseline.memory.entry(mm, page).kind.refersToFolio {
        disagree(mm, page, "an anonymous page", "a file page was copied", .fileOverAnonymous)
      } else {
        verifier.agree(.decision)
      }
    }
    bind(run(.filePageCopy(mm, page, vma)), pfn)
  }
}
