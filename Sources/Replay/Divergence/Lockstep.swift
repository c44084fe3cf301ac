// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// One encoding's world and what was found in it.
package struct Lane<E: Encoding>: Sendable {
  package var world: World<E>
  package var log: DivergenceLog

  init(_ facts: KernelFacts, _ switches: SwitchSet, _ options: WorldOptions) {
    world = World(facts: facts, switches: switches, options: options)
    log = DivergenceLog(encoding: E.id)
  }
}

/// The baseline and the encodings side by side: the same operation in each, every encoding with its own decisions,
/// then the verdict on every entry that was touched in either world.
///
/// This type is also the registry: an encoding is one property here, one line in `init` and one in `forEachLane`.
package struct Lockstep: Sendable {
  package internal(set) var baseline: World<Baseline>
  package private(set) var aAndLazy: Lane<FolioFlag<AndLazy>>?
  package private(set) var aAndEager: Lane<FolioFlag<AndEager>>?
  package private(set) var aOr: Lane<FolioFlag<Or>>?
  package private(set) var b: Lane<PageTableBitmap>?
  package private(set) var cStrict: Lane<PTEBits>?
  /// C-raw: judged on the baseline's own entries.
  package private(set) var cRaw: DivergenceLog?
  /// Every entry of every mm is judged after every operation (stories); otherwise only what was touched (traces).
  package var judgesEverything = false

  package init(
    _ ids: [EncodingID] = EncodingID.allCases, facts: KernelFacts, switches: SwitchSet = .allOn,
    options: WorldOptions = WorldOptions()
  ) {
    baseline = World(facts: facts, switches: switches, options: options)
    for id in ids {
      switch id {
      case .baseline: break
      case .aAndLazy: aAndLazy = Lane(facts, switches, options)
      case .aAndEager: aAndEager = Lane(facts, switches, options)
      case .aOr: aOr = Lane(facts, switches, options)
      case .b: b = Lane(facts, switches, options)
      case .cRaw: cRaw = DivergenceLog(encoding: .cRaw)
      case .cStrict: cStrict = Lane(facts, switches, options)
      }
    }
  }

  /// What the baseline expects of a write-protection fault: asked before `apply(.writeFault)`.
  package func predictWriteFault(_ mm: MMID, _ page: VirtualPage) -> Prediction {
    baseline.predictWriteFault(mm, page)
  }

  /// Applies the operation everywhere and judges. `followsKernel`: the baseline does what the hint says the kernel
  /// did, whatever the model expected; the encodings' worlds follow too if the model was wrong, since then their
  /// state is as wrong as the baseline's. Returns the baseline's outcome.
  @discardableResult
  package mutating func apply(
    _ operation: Operation, _ context: JudgingContext, followsKernel: Bool = false
  ) -> Outcome {
    let modelWasWrong = followsKernel && contradictsPrediction(operation)
    let outcome = baseline.apply(operation, follows: followsKernel)
    Self.step(&aAndLazy, operation, modelWasWrong, outcome, baseline.swapWrites)
    Self.step(&aAndEager, operation, modelWasWrong, outcome, baseline.swapWrites)
    Self.step(&aOr, operation, modelWasWrong, outcome, baseline.swapWrites)
    Self.step(&b, operation, modelWasWrong, outcome, baseline.swapWrites)
    Self.step(&cStrict, operation, modelWasWrong, outcome, baseline.swapWrites)
    judge(context)
    return outcome
  }

  private func contradictsPrediction(_ operation: Operation) -> Bool {
    guard case .writeFault(let mm, let page, _, let hint) = operation else { return false }
    switch (baseline.predictWriteFault(mm, page), hint) {
    case (.mustReuse, .copied(let hiddenReference)):
      return !hiddenReference || baseline.claim(mm, page) == .exclusive
    case (.mustCopy, .reused): return true
    case (.alreadyWritable, .copied): return true
    case (.mustReuse, .reused), (.mustCopy, .copied), (.eitherWay, _), (.notMapped, _), (.mustReplace, _),
      (.alreadyWritable, .reused), (.alreadyWritable, .unobserved), (.mustReuse, .unobserved), (.mustCopy, .unobserved):
      return false
    }
  }

  private static func step<E: Encoding>(
    _ lane: inout Lane<E>?, _ operation: Operation, _ modelWasWrong: Bool, _ expected: Outcome,
    _ baselineWrites: UInt64
  ) {
    guard let outcome = lane?.world.apply(operation, follows: modelWasWrong) else { return }
    lane?.world.chargeDifference(outcome, against: expected)
    lane?.world.chargeWriteback(baselineWrites)
  }

  // — judging

  /// Judges what the last operation touched, in the baseline's world or the encoding's.
  package mutating func judge(_ context: JudgingContext) {
    if judgesEverything { touchEverything() }
    Self.judge(&aAndLazy, baseline, context)
    Self.judge(&aAndEager, baseline, context)
    Self.judge(&aOr, baseline, context)
    Self.judge(&b, baseline, context)
    Self.judge(&cStrict, baseline, context)
    if var log = cRaw {
      cRaw = nil
      for run in baseline.touched.runs { judgeRaw(run, &log, context) }
      cRaw = log
    }
    baseline.touched.removeAll()
  }

  private static func judge<E: Encoding>(
    _ lane: inout Lane<E>?, _ baseline: borrowing World<Baseline>, _ context: JudgingContext
  ) {
    lane?.judgeTouched(baseline, context)
  }

  private mutating func touchEverything() { baseline.touchEverything() }

  private mutating func judgeRaw(_ run: TouchedPages.Run, _ log: inout DivergenceLog, _ context: JudgingContext) {
    var page = run.range.start
    while page < run.range.end {
      defer { page = page.advanced(by: 1) }
      guard let ref = baseline.find(run.mm, page) else { continue }
      let entry = baseline.entry(ref)
      guard entry.kind.refersToFolio || entry.kind == .swap else { continue }
      log.checks += 1
      let evidence = baseline.evidence(
        ref, encoding: PTEBits.rawClaim(baseline, entry), baseline: Baseline.claim(baseline, ref, entry),
        livelocked: false, staleAgainst: nil)
      baseline.record(Replay.judge(evidence), at: ref, &log, run.mm, page, context)
    }
  }
}

extension Lane {
  /// What the operation touched here or in the baseline's world; mostly that is the same.
  mutating func judgeTouched(_ baseline: borrowing World<Baseline>, _ context: JudgingContext) {
    for run in baseline.touched.runs { judge(run, baseline, context) }
    if world.touched.runs != baseline.touched.runs {
      let own = world.touched.runs
      for run in own { judge(run, baseline, context) }
    }
    world.touched.removeAll()
  }

  mutating func judge(
    _ run: TouchedPages.Run, _ baseline: borrowing World<Baseline>, _ context: JudgingContext
  ) {
    var page = run.range.start
    while page < run.range.end {
      let base = page.rawValue &>> 9
      let end = min(run.range.end, VirtualPage((base &+ 1) &<< 9))
      if let own = world.region(run.mm, base: base) {
        let other = baseline.region(run.mm, base: base)
        while page < end {
          judge(run, page, world.ref(own, page), other.map { baseline.ref($0, page) }, baseline, context)
          page = page.advanced(by: 1)
        }
      } else {
        page = end
      }
    }
  }

  @inline(__always)
  private mutating func judge(
    _ run: TouchedPages.Run, _ page: VirtualPage, _ ref: EntryRef, _ other: EntryRef?,
    _ baseline: borrowing World<Baseline>, _ context: JudgingContext
  ) {
    let entry = world.entry(ref)
    guard entry.kind.refersToFolio || entry.kind == .swap || entry.kind == .zeroPage else {
      if entry.verdict != .ok { world.tables.setVerdict(.ok, possible: false, at: ref) }
      return
    }
    log.checks += 1
    let e = E.claim(world, ref, entry)
    let b = other.map { Baseline.claim(baseline, $0, baseline.entry($0)) } ?? .shared
    let isStale = world.options.followsContent && world.isStale(run.mm, page, against: baseline)
    if e == b, entry.verdict == .ok, !isStale, world.agreesPlainly(ref, entry, e) { return }
    let evidence = world.evidence(
      ref, encoding: e, baseline: b, livelocked: run.isLivelocked, staleAgainst: isStale)
    world.record(Replay.judge(evidence), at: ref, &log, run.mm, page, context)
  }
}

extension World {
  /// Nearly every entry: claim and baseline agree, and nothing about the entry contradicts them.
  @inline(__always)
  func agreesPlainly(_ ref: EntryRef, _ entry: Entry, _ claim: Claim) -> Bool {
    switch claim {
    case .shared: !entry.writable && !entry.shadowStack
    case .exclusive: isTrulyExclusive(ref) == .exclusive
    case .unknown: true
    }
  }

  /// Gathers what the verdict on one entry rests on.
  package func evidence(
    _ ref: EntryRef, encoding: Claim, baseline: Claim, livelocked: Bool, staleAgainst isStale: Bool?
  ) -> Evidence {
    let entry = tables.entry(ref)
    var evidence = Evidence(
      baseline: baseline, encoding: encoding, truth: .exclusive, isWritable: false, isPinned: false,
      reusePasses: true, isUnderStableWriteback: false, isLivelocked: false, isStale: isStale ?? false)
    if encoding != .shared {
      evidence.truth = isTrulyExclusive(ref)
      evidence.isUnderStableWriteback = entry.kind == .present && isUnderStableWriteback(FolioID(entry.index))
    }
    if encoding != .exclusive {
      evidence.isWritable = entry.writable || entry.shadowStack
      if baseline != .shared {
        evidence.isPinned = isPinHit(ref, entry)
        evidence.reusePasses = entry.kind == .present ? reuseCheck(ref) == .passes : wouldReuse(ref, entry)
        evidence.isLivelocked = livelocked || entry.verdict == .livelock
      }
    }
    return evidence
  }

  /// The reuse check of an entry that is not present, as if it were: nobody else, also not on another page of the
  /// large folio cached for it.
  private func wouldReuse(_ ref: EntryRef, _ entry: Entry) -> Bool {
    guard isTrulyExclusive(ref) == .exclusive else { return false }
    guard entry.kind == .swap, slots[entry.index].folio != noIndex else { return true }
    let own = tables[ref.region].mm
    return folios.mappings(of: FolioID(slots[entry.index].folio)).allSatisfy { tables[$0.region].mm == own }
  }

  func isUnderStableWriteback(_ folio: FolioID) -> Bool {
    folios[folio].flags.isSuperset(of: [.writeback, .stableWrites])
  }

  /// Stores the verdict in the entry and counts the change.
  mutating func record(
    _ judgement: Judgement, at ref: EntryRef, _ log: inout DivergenceLog, _ mm: MMID, _ page: VirtualPage,
    _ context: JudgingContext
  ) {
    let entry = tables.entry(ref)
    let isPossible = judgement.certainty == .possible
    guard entry.verdict != judgement.verdict || entry.verdictIsPossible != isPossible else { return }
    let order = entry.kind.refersToFolio ? folios.order(FolioID(entry.index)) : .base
    if judgement.verdict != .ok {
      log.count(judgement.verdict, judgement.certainty, order: order, mm: mm, page: page, context)
      if entry.kind.refersToFolio { folios[FolioID(entry.index)].flags.insert(.diverged) }
    }
    if judgement.losesExclusivity, entry.verdict == .ok {
      log.count(.lost, judgement.certainty, order: order, mm: mm, page: page, context)
    }
    tables.setVerdict(judgement.verdict, possible: isPossible, at: ref)
  }

  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func touchEverything() {
    for mm in mms {
      guard let mm else { continue }
      for ref in liveRefs(mm.id, .everything) { touch(ref) }
    }
  }

  mutating func chargeWriteback(_ baselineWrites: UInt64) {
    costs[.extraWritebackPages] = swapWrites > baselineWrites ? swapWrites - baselineWrites : 0
  }

  /// Extra faults and copies are what the outcome shows beyond the baseline's.
  mutating func chargeDifference(_ outcome: Outcome, against expected: Outcome) {
    if case .copied = outcome, expected.keptPage { costs[.extraCopies] += 1 }
    if expected == .noFault, outcome.tookFault { costs[.extraFaults] += 1 }
  }
}
