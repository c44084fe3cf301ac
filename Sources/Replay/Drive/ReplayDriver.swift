// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Feeds the event stream of a trace into the worlds: every event becomes operations, and where the kernel showed its
/// hand the model is asked first what it expected.
///
/// The baseline follows the kernel; the encodings decide for themselves. Deterministic: the same events give the same
/// result, whatever the batches.
package struct ReplayDriver {
  var lockstep: Lockstep
  package let kernel: KernelFacts
  var verifier: Verifier
  var layouts: [MMID: VMAMap] = [:]
  var hidden: HiddenReferences
  var programs: [MMID: NewProgram] = [:]
  var openDecisions: [OpenDecision] = []
  var leaving = LeavingPages()
  var outlived = OutlivedCopies()
  var hugetlb: HugetlbPages
  var populating: [MMID: Populating] = [:]
  var unseen = UnseenPages()
  var anonymousVMAs = AnonymousVMAs()
  /// Tasks that collapsed a range since they asked for it last (`MADV_COLLAPSE`), or khugepaged.
  var collapsedInCall: Set<TaskID> = []
  /// Where the page is mapped that a task isolated last to collapse it with others.
  var collapsing: [TaskID: [(mm: MMID, page: VirtualPage)]] = [:]
  /// What the model has where a task isolated pages first, in this scan.
  var scanning: [TaskID: [ScannedRange]] = [:]
  /// The latest faults, of anybody.
  var recentFaults = RecentFaults()
  /// Pages that a task's reclaim unmapped to swap entries, as the counters told, and that are neither written nor
  /// freed yet: which ones they are shows then.
  var unmappedToSwap: [TaskID: Int] = [:]
  /// Pages that reclaim took from an mm and did not swap, of which the model does not know which they are.
  var dropped = DroppedPages()
  /// Folios that the swapcache alone has, each with one of its swap entries.
  var cached: [PFN: (mm: MMID, page: VirtualPage)] = [:]
  /// The frames of the large folio that was split last.
  var lastSplit = PFN(0)..<PFN(0)
  /// The VMA a fork is copying, by the child.
  var copying: [MMID: VMACopy] = [:]
  /// Reads and writes with `O_DIRECT` that tasks are in.
  var directIO = DirectIO()
  var seenPins = SeenPins()
  /// What migration entries stand for, by the first page.
  var migrating: [VirtualPage: [Migrating]] = [:]
  /// By the task that merges: ksmd.
  var pendingMerges: [TaskID: PendingKSMMerge] = [:]
  var snapshots: [UInt32: OpenSnapshot] = [:]
  var earlyTables = EarlyTables()
  let snapshotSource: (any SnapshotSource)?
  /// What was not followed and what does not fit.
  private var gaps = GapCounts()
  /// See `CaptureSummary.occurrences`.
  var occurrences: Set<Occurrence> = []
  var losses: [CPU: UInt64?] = [:]
  /// CPUs whose records are missing meanwhile: whatever comes into being now may have gone again.
  private(set) var missing: Set<CPU> = []
  private(set) var events: UInt64 = 0
  /// How many there had been when the whole state was looked at last.
  private var eventsAtCheck: UInt64 = 0
  private var firstTime: Timestamp?
  private var lastTime = Timestamp(nanoseconds: 0)
  private var lossTime: Timestamp?
  /// The event being applied.
  var current = MMEventRecord(
    sequence: Sequence(0), time: Timestamp(nanoseconds: 0), cpu: CPU(0), task: TaskID(0), mm: nil, event: .removalEnded)

  /// In the event being applied. Most records are of frames that nobody mapped.
  private var hasTakenStep = false

  package internal(set) var ancestry = Ancestry()
  /// What forks shared by the kernel's own count.
  var forks = ForkAccount()
  var audits: Audits
  var accounts: RunningAccounts
  /// Not where only the worlds are of interest.
  private let keepsAccounts: Bool
  /// Events that other counts are counts among.
  private var told: (faults: UInt64, forks: UInt64) = (0, 0)

  /// `seesLRUInsertion`: the trace has `mm_lru_insertion`, so a folio still in a batch is known. `seesFaults`: it has
  /// `page_fault_user`, without which hardly anything is; `seesFlushes`: `tlb_flush`. `judging`: `.nothing` where only
  /// the worlds are of interest.
  package init(
    encodings: [EncodingID], facts: KernelFacts, switches: SwitchSet = .allOn, seesLRUInsertion: Bool,
    seesFaults: Bool = true, seesFlushes: Bool = true, judging: JudgingScope = .touched, audits: [any Audit.Type] = [],
    snapshots: (any SnapshotSource)? = nil
  ) {
    var options = WorldOptions()
    options.storesAreSilent = true
    options.faultsAreSilent = !seesFaults
    verifier = Verifier(seesFaults: seesFaults)
    lockstep = Lockstep(encodings, facts: facts, switches: switches, options: options)
    lockstep.scope = judging
    self.audits = Audits(audits, facts)
    lockstep.baseline.memory.notesTableChanges = self.audits.followTables
    keepsAccounts = judging != .nothing
    lockstep.baseline.memory.takesPageCensus = keepsAccounts
    accounts = RunningAccounts(encodings: lockstep.divergenceTotals.count)
    kernel = facts
    hidden = HiddenReferences(seesBatches: seesLRUInsertion)
    hugetlb = HugetlbPages(seesFlushes: seesFlushes)
    snapshotSource = snapshots
  }

  package mutating func apply(_ batch: [MMEventRecord]) { apply(batch[...]) }

  package mutating func apply(_ batch: ArraySlice<MMEventRecord>) {
    for record in batch { apply(record) }
  }

  private mutating func apply(_ record: MMEventRecord) {
    current = record
    events &+= 1
    verifier.now = record.time
    verifier.events = events
    if firstTime == nil { firstTime = record.time }
    if keepsAccounts, accounts.timeline.isOver(at: record.time) { closeStretch() }
    if lastTime < record.time { lastTime = record.time }
    if !outlived.isEmpty { outlived.note(record) }
    hugetlb.goesOn(record.task)
    switch record.event {
    case .freed(let pfn, let order):
      if !copying.isEmpty { copyGivenBack(pfn) }
      hidden.freed(pfn)
      freed(pfn, order)
    case .lruInserted(let pfn): hidden.lruInserted(pfn)
    case .removalEnded:
      hidden.removalEnded(record.task)
      lockstep.doubts.removalEnded(record.task)
    case .directIOEnded: directIOEnded(record.task)
    case .unpinned(let pfn, let count): unpinned(pfn, count)
    case .lossBegan(let cpu):
      missing.insert(cpu)
      forgetEverything()
    case .lost(let cpu, let lost):
      missing.remove(cpu)
      noteLoss(cpu, lost)
      forgetEverything()
    case .migrationSet(let page, let pfn, let type, _, _, _):
      tellAudits()
      migrationSet(page, pfn, type)
    case .migrationRemoved(let page, let pfn, let order, _, _):
      tellAudits()
      migrationRemoved(page, pfn, order)
    case .unfollowed(let what, let range):
      count(what.gap)
      if let mm = record.mm {
        unseen.note(what, in: mm)
        if what == .pin, hugetlb.isSeen { pinnedHugetlb(mm) }
      }
      if case .remoteAccess = what { accessedRemotely(record.mm, range) }
    case .snapshotEnded(let index): snapshotEnded(index)
    case .collapseBegan(let pfn, let missing):
      tellAudits()
      noteScanned(pfn, missing: missing)
      isolatedForCollapse(pfn)
    case .swapWritten(let pfn): swapWritten(pfn)
    case .mmCreated, .mmTeardownBegan, .mmTeardownProceeded, .mmExited, .vmaMapped, .unmapped, .removalBegan,
      .directIOBegan, .pinBegan, .pinEnded,
      .protected, .moved, .advised, .fault, .populated, .argumentPage, .stackPlaced, .appeared,
      .ksmMerged,
      .ksmMergedWithZero, .scanned, .collapsed, .collapseFailed, .forkBegan, .forkCopied, .forkCopiedPinned,
      .forkCounted,
      .forkEnded,
      .forkAborted, .reclaimed, .swappedOut, .snapshotBegan, .underWay:
      noteTold(record.event)
      if let mm = record.mm { apply(record.event, mm) } else { count(.eventsWithoutMM) }
    }
    if hasTakenStep {
      hasTakenStep = false
      if lockstep.baseline.memory.hasChangedTables { audits.tablesChanged(&lockstep.baseline, record) }
    }
  }

  private mutating func noteTold(_ event: MMEvent) {
    if case .fault = event { told.faults &+= 1 }
    if case .forkEnded = event { told.forks &+= 1 }
  }

  /// Of the event, before anything follows from it.
  @inline(__always)
  private mutating func tellAudits() {
    if audits.areInterested(in: current.event) { audits.saw(current, lockstep.baseline) }
  }

  private mutating func apply(_ event: MMEvent, _ mm: MMID) {
    if case .mmCreated(let origin) = event {
      if case .fork = origin { return }  // `forkBegan` follows and makes it
      run(.createMM(mm, origin))
      layouts[mm] = VMAMap()
      doubtWhileMissing(mm)
      // One that comes into view after a loss may be two: a task that left it, or took another's place, unseen.
      if case .attached = origin, lossTime != nil { lockstep.doubts.add(mm, .everything, .loss) }
      return
    }
    guard lockstep.baseline.memory.isLive(mm) else {
      count(.eventsAfterExit)
      return
    }
    tellAudits()
    if !populating.isEmpty { notePopulation(event, mm) }
    switch event {
    case .mmTeardownBegan:
      run(.exitBegin(mm))
      hidden.teardownBegan(mm, by: current.task)
    case .mmTeardownProceeded(let remaining, let unmapped, let flushed):
      hidden.teardownProceeded(mm, remaining: remaining, unmapped: unmapped, flushed: flushed)
    case .mmExited: exited(mm)
    case .vmaMapped(let range, let backing, let protection):
      layouts[mm]?.set(range, VMAFacts(backing: backing, protection: protection))
    case .unmapped(let range): unmapped(mm, range)
    case .removalBegan(let range):
      noteTouched(mm, range)
      hidden.removalBegan(current.task, mm, range)
      lockstep.doubts.removalBegan(current.task, mm, range)
    case .directIOBegan(let range, let write): directIOBegan(mm, range, write: write)
    case .pinBegan(let range, let flags): pinBegan(mm, range, flags)
    case .pinEnded(let range): pinEnded(mm, range)
    case .protected(let range, let protection): protected(mm, range, protection)
    case .moved(let source, let destination, let keepsSource): moved(mm, source, destination, keepsSource)
    case .advised(let range, let advice): advised(mm, range, advice)
    case .fault(let page, let access, let outcome): fault(mm, page, access, outcome)
    case .populated(let range, let outcome): populated(mm, range, outcome)
    case .argumentPage(let pfn):
      programs[mm, default: NewProgram()].arguments.append(pfn)
      hidden.allocated(pfn, on: current.cpu)
    case .stackPlaced(let end): stackPlaced(mm, end)
    case .appeared(let pfn, let order): appeared(mm, pfn, order)
    case .ksmMerged(let pfn): ksmMerged(mm, pfn)
    case .ksmMergedWithZero: ksmMergedWithZero(mm)
    case .scanned(let scan): scanned(mm, scan)
    case .collapsed(let new, let order):
      accounts.noteCollapse()
      collapsed(mm, new, order)
    case .collapseFailed: collapsing[current.task] = nil
    case .forkBegan(let child): forkBegan(mm, child)
    case .forkCopied(let child, let range): forkCopied(mm, child, range)
    case .forkCopiedPinned(let child, let pfn): copiedPinned(child, pfn)
    case .forkCounted(let child, let member, let pages):
      if case .anonymous = member { programs[child, default: NewProgram()].counted = pages }
    case .forkEnded(let child): forkEnded(mm, child)
    case .forkAborted(let child): forkAborted(mm, child)
    case .reclaimed(let pages): if !lockstep.baseline.memory.isDying(mm) { dropped.reclaimed(mm, pages) }
    case .swappedOut(let pages): swappedOut(mm, pages)
    case .snapshotBegan(let index): snapshotBegan(mm, index)
    case .underWay(let what): underWay(mm, what)
    case .mmCreated, .freed, .lruInserted, .removalEnded, .directIOEnded, .unpinned, .migrationSet, .migrationRemoved,
      .swapWritten,
      .collapseBegan, .snapshotEnded, .lossBegan, .lost, .unfollowed:
      break
    }
  }

  // — results

  /// Histories are empty: see `ReplayResult.tell`.
  package mutating func finish(capture: CaptureSummary) -> ReplayResult {
    settleAllOpenDecisions()
    settleAllCopies()
    settleLeavingPages()
    lockstep.checkState()
    noteContradictions()
    for cpu in missing { losses[cpu] = .some(nil) }
    let end = lossTime ?? lastTime
    var capture = capture
    capture.occurrences = occurrences
    var result = ReplayResult(
      capture: capture, encodings: lockstep.accounts, divergences: lockstep.divergences,
      audits: (capture.capabilities.contains(.pageFaults) ? [] : [forks.audit])
        + audits.results(pageShift: capture.pageShift, capture.capabilities),
      loss: LossSummary(
        perCPU: losses.sorted { $0.key < $1.key }.map { (cpu: $0.key, count: $0.value) },
        unknownAddressSpaces: lossTime == nil ? 0 : UInt64(layouts.count)),
      verification: verifier.account, events: events, gaps: gaps,
      trustedNanoseconds: firstTime.map { end.nanoseconds &- $0.nanoseconds } ?? 0)
    // A capture that cannot show them has no number of them.
    result.forks = capture.capabilities.contains(.forks) ? told.forks : nil
    result.faults = capture.capabilities.contains(.pageFaults) ? told.faults : nil
    result.timeline = finishedTimeline
    result.processes = accounts.processes.told
    return result
  }

  /// The whole state is looked at where a snapshot ends, as often as it costs little beside the events between: some ten
  /// rules are asked of every entry of every world.
  mutating func checkStateIfDue() {
    guard events &- eventsAtCheck >= 16 * UInt64(lockstep.entryCount) else { return }
    eventsAtCheck = events
    lockstep.checkState()
  }

  /// Where today's world breaks a rule of today's kernel.
  private mutating func noteContradictions() {
    for rule in lockstep.baselineRules.counts { gaps[.stateContradictions] += rule.broken.definite }
  }

  // — for the extensions

  @discardableResult
  mutating func run(_ operation: Operation, _ transition: Transition? = nil, followsKernel: Bool = false) -> Outcome {
    let path = operation.transition
    let context = JudgingContext(
      sequence: current.sequence, time: current.time, transition: transition ?? path, events: events)
    hasTakenStep = true
    let interest = AuditInterests(path)
    let isAudited = audits.areInterested(in: interest)
    if isAudited { audits.before(operation, interest, lockstep.baseline, lockstep.doubts, current) }
    let outcome = lockstep.apply(operation, context, followsKernel: followsKernel)
    if isAudited { audits.after(operation, interest, outcome, lockstep.baseline, current) }
    if keepsAccounts { accounts.note(operation, outcome, current) }
    return outcome
  }

  func facts(_ mm: MMID, _ page: VirtualPage) -> VMAFacts { layouts[mm]?.facts(at: page) ?? VMAMap.unknown }

  mutating func count(_ gap: Gap) { gaps.add(gap) }

  /// What was counted turned out to be none.
  mutating func uncount(_ gap: Gap) { gaps[gap] -= gaps[gap] > 0 ? 1 : 0 }

  mutating func forget(_ mm: MMID) {
    layouts[mm] = nil
    programs[mm] = nil
    unseen.forget(mm)
    dropped.forget(mm)
    hugetlb.forget(mm)
    anonymousVMAs.forget(mm)
    earlyTables.forget(mm)
    lockstep.doubts.forget(mm)
    copying[mm] = nil
    endDirectIO(of: mm)
    hidden.teardownEnded(mm)
  }

  private mutating func exited(_ mm: MMID) {
    settleOpenDecisions(of: mm)
    noteHugetlbRemoved(mm, .everything)
    run(.exitEnd(mm))
    forget(mm)
  }

  private mutating func noteLoss(_ cpu: CPU, _ lost: UInt64?) {
    if let before = losses[cpu] {
      losses[cpu] = .some(before.flatMap { a in lost.map { a &+ $0 } })
    } else {
      losses[cpu] = .some(lost)
    }
  }

  /// What is made while records are missing may be gone again.
  mutating func doubtWhileMissing(_ mm: MMID) {
    if !missing.isEmpty { lockstep.doubts.add(mm, .everything, .loss) }
  }

  /// After a gap nothing that was known of entries holds: what comes into being later is known again.
  private mutating func forgetEverything() {
    if lossTime == nil { lossTime = current.time }
    accounts.noteLoss()
    openDecisions.removeAll()
    settleAllCopies()
    forgetLeavingPages()
    copying.removeAll()
    forgetDirectIO()
    migrating.removeAll()
    pendingMerges.removeAll()
    collapsing.removeAll()
    scanning.removeAll()
    unmappedToSwap.removeAll()
    cached.removeAll()
    dropped = DroppedPages()
    populating.removeAll()
    snapshots.removeAll()
    for mm in layouts.keys.sorted() {
      run(.zap(mm, .everything))
      lockstep.markIncomplete(mm)
      lockstep.doubts.add(mm, .everything, .loss)
    }
  }
}
