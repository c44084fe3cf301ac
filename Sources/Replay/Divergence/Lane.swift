// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// One encoding's world and what was found in it.
package struct Lane<E: Encoding>: Sendable {
  package var log: DivergenceLog
  /// The last, as its length is the encoding's.
  package var world: World<E>

  init(_ facts: KernelFacts, _ switches: SwitchSet, _ options: WorldOptions) {
    world = World(facts: facts, switches: switches, options: options)
    world.memory.becomeFollower()
    log = DivergenceLog(encoding: E.id)
  }

  /// What another encoding has come to, from here on with this encoding's decisions.
  init<Other: Encoding>(continuing other: Lane<Other>) where E.State == NoState, Other.State == NoState {
    world = World(continuing: other.world)
    log = other.log.renamed(E.id)
  }
}

/// A lane whose encoding is known at run time only.
package protocol OpenLane: Sendable {
  var log: DivergenceLog { get }
  var costs: CostTable { get }
  /// Bytes of page state that this world has alone. (Mutating: what only reads a lane that may be `nil` copies it.)
  mutating func ownBytes() -> Int
  mutating func step(
    _ operation: Operation, follows: Bool, _ expected: Outcome, after baseline: World<Baseline>)
  mutating func shareEqualState(with baseline: inout World<Baseline>)
  mutating func judgeTouched(_ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext)
  /// `step`, then `judgeTouched`.
  mutating func stepAndJudge(
    _ operation: Operation, follows: Bool, _ expected: Outcome, after baseline: World<Baseline>, _ doubts: Doubts,
    _ context: JudgingContext)
  mutating func forgetTouched()
  mutating func checkState(_ baseline: World<Baseline>, _ doubts: Doubts)
  func verdict(_ mm: MMID, _ page: VirtualPage) -> Verdict
  func standing(_ mm: MMID, _ page: VirtualPage) -> EntryStanding
  /// `nil` where it is the lane of another encoding.
  func lane<E: Encoding>(of encoding: E.Type) -> Lane<E>?
}

extension Lane: OpenLane {
  package var costs: CostTable { world.costs }

  package mutating func step(
    _ operation: Operation, follows: Bool, _ expected: Outcome, after baseline: World<Baseline>
  ) {
    world.memory.beginOperation(after: baseline.memory)
    let outcome = world.apply(operation, follows: follows)
    world.chargeDifference(outcome, against: expected)
    world.chargeWriteback(baseline.swapWrites)
  }

  package mutating func stepAndJudge(
    _ operation: Operation, follows: Bool, _ expected: Outcome, after baseline: World<Baseline>, _ doubts: Doubts,
    _ context: JudgingContext
  ) {
    step(operation, follows: follows, expected, after: baseline)
    judgeTouched(baseline, doubts, context)
  }

  package mutating func ownBytes() -> Int { world.memory.ownBytes }

  package mutating func shareEqualState(with baseline: inout World<Baseline>) {
    world.memory.shareEqual(with: &baseline.memory)
  }

  package mutating func forgetTouched() { world.forgetTouched() }

  package mutating func checkState(_ baseline: World<Baseline>, _ doubts: Doubts) {
    log.stateRules.check(world, against: baseline, doubts)
  }

  /// What the entry was last judged.
  package func verdict(_ mm: MMID, _ page: VirtualPage) -> Verdict { world.memory.entry(mm, page).verdict }

  package func standing(_ mm: MMID, _ page: VirtualPage) -> EntryStanding { world.standing(mm, page) }

  package func lane<Other: Encoding>(of encoding: Other.Type) -> Lane<Other>? { self as? Lane<Other> }
}

extension Lane {
  /// What the operation touched in the baseline's world or here; mostly that is the same.
  package mutating func judgeTouched(_ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext) {
    for run in baseline.touched.runs { judge(run, baseline, doubts, context, counts: true) }
    if world.touched.runs != baseline.touched.runs {
      let own = world.touched.runs
      for run in own { judge(run, baseline, doubts, context, counts: false) }
    }
    if !world.relooked.runs.isEmpty {
      let own = world.relooked.runs
      for run in own { judge(run, baseline, doubts, context, counts: false) }
    }
    judgeLosses(baseline, doubts, context)
    forgetTouched()
  }

  /// `counts`: the run is of the baseline's world, whose entries are the ones that are counted as checked, the same for
  /// every encoding.
  mutating func judge(
    _ run: TouchedPages.Run, _ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext, counts: Bool
  ) {
    var page = run.range.start
    while page < run.range.end {
      let base = page.rawValue &>> 9
      let end = min(run.range.end, VirtualPage((base &+ 1) &<< 9))
      let own = world.memory.table(run.mm, base: base)
      let other = baseline.memory.table(run.mm, base: base)
      guard own != nil || (counts && other != nil) else {
        page = end
        continue
      }
      while page < end {
        let otherRef = other.map { baseline.memory.ref($0, page) }
        let otherEntry = otherRef.map { baseline.memory.entry($0) } ?? .none
        if counts, otherEntry.isJudged { log.checks += 1 }
        if let own { judge(run, page, world.memory.ref(own, page), otherRef, otherEntry, baseline, doubts, context) }
        page = page.advanced(by: 1)
      }
    }
  }

  @inline(__always)
  private mutating func judge(
    _ run: TouchedPages.Run, _ page: VirtualPage, _ ref: EntryRef, _ other: EntryRef?, _ otherEntry: Entry,
    _ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext
  ) {
    let entry = world.memory.entry(ref)
    guard entry.isJudged else {
      if entry.verdict != .ok { world.tables.setVerdict(.ok, possible: false, at: ref) }
      return
    }
    let e = E.claim(world, ref, entry)
    // Whoever does not claim the zero page has nothing there that could be kept.
    if entry.kind == .zeroPage, e == .shared {
      if entry.verdict != .ok { world.tables.setVerdict(.ok, possible: false, at: ref) }
      return
    }
    let b = other.map { Baseline.claim(baseline, $0, otherEntry) } ?? .shared
    let isStale = world.options.followsContent && world.isStale(run.mm, page, against: baseline)
    if e == b, entry.verdict == .ok, !isStale, world.memory.agreesPlainly(ref, entry, e) { return }
    let look = Look(
      ref: ref, claim: e, other: other, flag: b, isLivelocked: run.isLivelocked, isStale: isStale)
    let evidence = world.memory.evidence(look, baseline.memory, doubts, largeFolios: world.facts.largeFolioReuse)
    record(Replay.judge(evidence), ref, run.mm, page, doubts, context)
  }

  /// What no entry shows: data that reclaim dropped, pins whose page was taken away.
  private mutating func judgeLosses(_ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext) {
    guard !world.reclaimed.isEmpty || !world.pins.isEmpty else { return }
    for lost in world.lostData(against: baseline) { record(.dataLoss, lost.mm, lost.page, doubts, context) }
    for pin in world.detachedPins(against: baseline) { record(.conservativePin, pin.mm, pin.page, doubts, context) }
  }

  private mutating func record(
    _ verdict: Verdict, _ mm: MMID, _ page: VirtualPage, _ doubts: Doubts, _ context: JudgingContext
  ) {
    guard let ref = world.memory.find(mm, page), world.memory.entry(ref).verdict == .ok else { return }
    let judgement = Judgement(verdict: verdict, certainty: .definite, losesExclusivity: false)
    record(judgement, ref, mm, page, doubts, context)
  }

  private mutating func record(
    _ judgement: Judgement, _ ref: EntryRef, _ mm: MMID, _ page: VirtualPage, _ doubts: Doubts,
    _ context: JudgingContext
  ) {
    let isDoubtful = world.isDoubtful(mm, page, doubts)
    world.memory.record(judgement, at: ref, &log, mm, page, isDoubtful: isDoubtful, context)
  }
}

extension Entry {
  /// Entries that verdicts are about: what names a page of a folio or a swap slot, and the zero page, which nobody may
  /// claim.
  @inline(__always)
  var isJudged: Bool { refersToFolio || kind == .swap || kind == .zeroPage }
}
