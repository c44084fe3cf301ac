// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Which entries are judged after an operation.
package enum JudgingScope: Sendable {
  /// What it touched: traces.
  case touched
  /// Every entry of every mm: stories.
  case everything
  /// None: only what the worlds come to is wanted.
  case nothing
}

/// The baseline and the encodings side by side: the same operation in each, every encoding with its own decisions,
/// then the verdict on every entry that was touched in either world.
///
/// The variants of A stand for each other as long as they can; every other encoding of the registry is an `OpenLane`,
/// for some of which the hot loop is compiled (`CompiledLane.swift`).
package struct Lockstep: Sendable {
  package internal(set) var baseline: World<Baseline>
  private var a: FolioFlagLanes
  /// All encodings but those, in the order of the registry.
  private var lanes: [any OpenLane] = []
  /// C-raw: judged on the baseline's own entries.
  private var raw = DivergenceLog(encoding: .cRaw)
  private var judgesRaw: Bool
  package var scope = JudgingScope.touched
  /// What is in doubt of any entry.
  package internal(set) var doubts = Doubts()
  private var sharing: SharingSchedule

  package init(
    _ ids: [EncodingID] = EncodingID.standard, facts: KernelFacts, switches: SwitchSet = .allOn,
    options: WorldOptions = WorldOptions(), registry: [any Encoding.Type] = EncodingRegistry.all,
    sharingAllowance: Int = 8 << 20
  ) {
    sharing = SharingSchedule(allowance: sharingAllowance)
    baseline = World(facts: facts, switches: switches, options: options)
    a = FolioFlagLanes(ids, facts, switches, options)
    judgesRaw = ids.contains(.cRaw)
    let own = Set(ids).subtracting(FolioFlagLanes.ids + [.baseline, .cRaw])
    for encoding in registry where own.contains(encoding.id) {
      lanes.append(makeLane(encoding, facts, switches, options))
    }
    precondition(lanes.count == own.count, "the registry has not all of \(own.map(\.rawValue))")
  }

  /// Entries that came to hold a verdict so far, of every encoding but the baseline.
  var divergenceTotals: [(encoding: EncodingID, totals: CertaintyCounts)] {
    let all = a.divergenceTotals + lanes.map { ($0.log.encoding, $0.log.totals) }
    return cRaw.map { all + [($0.encoding, $0.totals)] } ?? all
  }

  /// Bytes that an encoding has allocated beside page tables; `nil` where none that allocates is replayed.
  var bitmapBytes: UInt64? { lanes.first { $0.log.encoding.allocates }?.costs[.bitmapBytesNow] }

  /// What every encoding but the baseline found, and what it cost, in the order of reports. C-raw costs nothing.
  package var findings: [(log: DivergenceLog, costs: CostTable)] {
    var all = a.findings + lanes.map { ($0.log, $0.costs) }
    guard let cRaw else { return all }
    // An audit stands before the encoding it belongs to.
    let order = EncodingRegistry.ids
    let after = order.drop { $0 != cRaw.encoding }
    let place = all.firstIndex { after.contains($0.log.encoding) || !order.contains($0.log.encoding) } ?? all.endIndex
    all.insert((cRaw, CostTable()), at: place)
    return all
  }

  /// `nil` where it is not judged.
  package var cRaw: DivergenceLog? { judgesRaw ? raw : nil }

  package var aAndLazy: Lane<FolioFlag<AndLazy>>? { a.lazy }
  package var aAndEager: Lane<FolioFlag<AndEager>>? { a.eager }
  package var aOr: Lane<FolioFlag<Or>>? { a.or }

  /// `nil` where the encoding is not replayed, or is one of A.
  package func lane<E: Encoding>(_ encoding: E.Type) -> Lane<E>? { lanes.lazy.compactMap { $0.lane(of: E.self) }.first }

  /// The same, of an encoding known at run time.
  package func openLane(_ encoding: EncodingID) -> (any OpenLane)? { lanes.first { $0.log.encoding == encoding } }

  func folioFlagStanding(_ mm: MMID, _ page: VirtualPage, in encoding: EncodingID) -> EntryStanding? {
    a.standing(mm, page, in: encoding)
  }

  mutating func leaveOut(_ encoding: EncodingID) {
    if FolioFlagLanes.ids.contains(encoding) { a.leaveOut(encoding) }
    if encoding == .cRaw { judgesRaw = false }
    lanes.removeAll { $0.log.encoding == encoding }
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
    let modelWasWrong = followsKernel && baseline.expectsOtherwise(operation)
    baseline.memory.beginOperation()
    let outcome = baseline.apply(operation, follows: followsKernel)
    if scope == .touched {
      // One lane after the other, while what it touched is in the cache.
      a.stepAndJudge(operation, follows: modelWasWrong, outcome, after: baseline, doubts, context)
      for index in lanes.indices {
        lanes[index].stepAndJudge(operation, follows: modelWasWrong, outcome, after: baseline, doubts, context)
      }
      judgeRaw(context)
      baseline.forgetTouched()
    } else {
      a.step(operation, follows: modelWasWrong, outcome, after: baseline)
      for index in lanes.indices { lanes[index].step(operation, follows: modelWasWrong, outcome, after: baseline) }
      judge(context)
    }
    if sharing.looks(after: operation), sharing.isDue(ownBytes()) { shareEqualState() }
    return outcome
  }

  // — memory

  /// What the encodings' worlds have that no other world uses, in bytes.
  private mutating func ownBytes() -> Int {
    var bytes = a.ownBytes()
    for index in lanes.indices { bytes += lanes[index].ownBytes() }
    return bytes
  }

  /// Page state that is equal in an encoding's world and the baseline's is stored once, until one of the two changes
  /// it.
  private mutating func shareEqualState() {
    a.shareEqualState(with: &baseline)
    for index in lanes.indices { lanes[index].shareEqualState(with: &baseline) }
    sharing.done(leaving: ownBytes())
  }

  // — judging

  /// What the whole state of today's world was asked: where it does not hold, the model is wrong.
  package private(set) var baselineRules = StateRules()

  /// Asks every rule that a state can show of every entry of every world.
  package mutating func checkState() {
    if scope == .nothing { return }
    baselineRules.check(baseline, against: baseline, doubts)
    a.checkState(baseline, doubts)
    for index in lanes.indices { lanes[index].checkState(baseline, doubts) }
  }

  /// Entries of today's world.
  package var entryCount: Int { baseline.entryCount }

  /// Judges what the last operation touched, in the baseline's world or the encoding's.
  package mutating func judge(_ context: JudgingContext) {
    switch scope {
    case .nothing:
      a.forgetTouched()
      for index in lanes.indices { lanes[index].forgetTouched() }
    case .everything:
      baseline.touchEverything()
      judgeTouched(context)
    case .touched: judgeTouched(context)
    }
    baseline.forgetTouched()
  }

  private mutating func judgeTouched(_ context: JudgingContext) {
    a.judgeTouched(baseline, doubts, context)
    for index in lanes.indices { lanes[index].judgeTouched(baseline, doubts, context) }
    judgeRaw(context)
  }

  private mutating func judgeRaw(_ context: JudgingContext) {
    guard judgesRaw else { return }
    for run in baseline.touched.runs { judgeRaw(run, context, counts: true) }
    for run in baseline.relooked.runs { judgeRaw(run, context, counts: false) }
  }

  private mutating func judgeRaw(_ run: TouchedPages.Run, _ context: JudgingContext, counts: Bool) {
    var page = run.range.start
    while page < run.range.end {
      let base = page.rawValue &>> 9
      let end = min(run.range.end, VirtualPage((base &+ 1) &<< 9))
      guard let table = baseline.memory.table(run.mm, base: base) else {
        page = end
        continue
      }
      while page < end {
        judgeRaw(run.mm, page, baseline.memory.ref(table, page), context, counts: counts)
        page = page.advanced(by: 1)
      }
    }
  }

  @inline(__always)
  private mutating func judgeRaw(
    _ mm: MMID, _ page: VirtualPage, _ ref: EntryRef, _ context: JudgingContext, counts: Bool
  ) {
    let entry = baseline.memory.entry(ref)
    guard entry.isJudged else { return }
    if counts { raw.checks += 1 }
    guard entry.kind != .zeroPage else { return }
    let claim = PTEBits.rawClaim(baseline, entry)
    let flag = Baseline.claim(baseline, ref, entry)
    if claim == flag, entry.verdict == .ok, baseline.memory.agreesPlainly(ref, entry, claim) { return }
    let look = Look(ref: ref, claim: claim, other: ref, flag: flag)
    let evidence = baseline.memory.evidence(look, doubts, largeFolios: baseline.facts.largeFolioReuse)
    let isDoubtful = baseline.isDoubtful(mm, page, doubts)
    baseline.memory.record(Replay.judge(evidence), at: ref, &raw, mm, page, isDoubtful: isDoubtful, context)
  }
}

extension World<Baseline> {
  /// What the kernel was seen to do at a write fault is not what this world expects.
  func expectsOtherwise(_ operation: Operation) -> Bool {
    guard case .writeFault(let mm, let page, _, let hint) = operation else { return false }
    switch (predictWriteFault(mm, page), hint) {
    case (.mustReuse, .copied(let hiddenReference)):
      return !hiddenReference || claim(mm, page) == .exclusive
    case (.mustCopy, .reused): return true
    case (.alreadyWritable, .copied): return true
    case (.mustReuse, .reused), (.mustCopy, .copied), (.eitherWay, _), (.notMapped, _), (.mustReplace, _),
      (.alreadyWritable, .reused), (.alreadyWritable, .unobserved), (.mustReuse, .unobserved), (.mustCopy, .unobserved):
      return false
    }
  }
}
