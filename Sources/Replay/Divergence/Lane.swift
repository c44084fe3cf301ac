// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// One encoding's world and what was found in it.
package struct Lane<E: Encoding>: Sendable {
  package var world: World<E>
  package var log: DivergenceLog

  init(_ facts: KernelFacts, _ switches: SwitchSet, _ options: WorldOptions) {
    world = World(facts: facts, switches: switches, options: options)
    world.becomeFollower()
    log = DivergenceLog(encoding: E.id)
  }

  /// What another encoding has come to, from here on with this encoding's decisions.
  init<Other: Encoding>(continuing other: Lane<Other>) {
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
  func verdict(_ mm: MMID, _ page: VirtualPage) -> Verdict
}

extension Lane: OpenLane {
  package var costs: CostTable { world.costs }

  package mutating func step(
    _ operation: Operation, follows: Bool, _ expected: Outcome, after baseline: World<Baseline>
  ) {
    world.beginOperation(after: baseline)
    let outcome = world.apply(operation, follows: follows)
    world.chargeDifference(outcome, against: expected)
    world.chargeWriteback(baseline.swapWrites)
  }

  package mutating func ownBytes() -> Int { world.ownBytes }

  package mutating func shareEqualState(with baseline: inout World<Baseline>) {
    world.shareEqualState(with: &baseline)
  }

  /// What the entry was last judged.
  package func verdict(_ mm: MMID, _ page: VirtualPage) -> Verdict { world.entry(mm, page).verdict }
}

extension Lane {
  /// What the operation touched here or in the baseline's world; mostly that is the same.
  package mutating func judgeTouched(_ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext) {
    for run in baseline.touched.runs { judge(run, baseline, doubts, context) }
    if world.touched.runs != baseline.touched.runs {
      let own = world.touched.runs
      for run in own { judge(run, baseline, doubts, context) }
    }
    world.touched.removeAll()
  }

  mutating func judge(
    _ run: TouchedPages.Run, _ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext
  ) {
    var page = run.range.start
    while page < run.range.end {
      let base = page.rawValue &>> 9
      let end = min(run.range.end, VirtualPage((base &+ 1) &<< 9))
      if let own = world.region(run.mm, base: base) {
        let other = baseline.region(run.mm, base: base)
        while page < end {
          judge(run, page, world.ref(own, page), other.map { baseline.ref($0, page) }, baseline, doubts, context)
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
    _ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext
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
      ref, encoding: e, baseline, other, doubts, livelocked: run.isLivelocked, isStale: isStale)
    world.record(Replay.judge(evidence), at: ref, &log, run.mm, page, doubts, context)
  }
}
