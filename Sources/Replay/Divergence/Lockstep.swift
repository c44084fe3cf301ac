// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// The baseline and the encodings side by side: the same operation in each, every encoding with its own decisions,
/// then the verdict on every entry that was touched in either world.
///
/// The encodings of the discussion have lanes of their own, so that the hot loop is compiled for each; any other of
/// the registry runs as an `OpenLane`.
package struct Lockstep: Sendable {
  package internal(set) var baseline: World<Baseline>
  package private(set) var aAndLazy: Lane<FolioFlag<AndLazy>>?
  package private(set) var aAndEager: Lane<FolioFlag<AndEager>>?
  package private(set) var aOr: Lane<FolioFlag<Or>>?
  package private(set) var b: Lane<PageTableBitmap>?
  package private(set) var cStrict: Lane<PTEBits>?
  /// Encodings of the registry that have no lane of their own.
  package private(set) var others: [any OpenLane] = []
  /// C-raw: judged on the baseline's own entries.
  package private(set) var cRaw: DivergenceLog?
  /// Every entry of every mm is judged after every operation (stories); otherwise only what was touched (traces).
  package var judgesEverything = false

  package init(
    _ ids: [EncodingID] = EncodingID.allCases, facts: KernelFacts, switches: SwitchSet = .allOn,
    options: WorldOptions = WorldOptions(), registry: [any Encoding.Type] = EncodingRegistry.all
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
      default:
        guard let encoding = registry.first(where: { $0.id == id }) else {
          preconditionFailure("the registry has no encoding \(id.rawValue)")
        }
        others.append(Self.openLane(encoding, facts, switches, options))
      }
    }
  }

  private static func openLane<E: Encoding>(
    _ encoding: E.Type, _ facts: KernelFacts, _ switches: SwitchSet, _ options: WorldOptions
  ) -> any OpenLane { Lane<E>(facts, switches, options) }

  /// What every encoding but the baseline found, and what it cost, in the order of reports. C-raw costs nothing.
  package var findings: [(log: DivergenceLog, costs: CostTable)] {
    var all: [(log: DivergenceLog, costs: CostTable)] = []
    func add<E: Encoding>(_ lane: Lane<E>?) {
      if let lane { all.append((lane.log, lane.world.costs)) }
    }
    add(aAndLazy)
    add(aAndEager)
    add(aOr)
    add(b)
    if let cRaw { all.append((cRaw, CostTable())) }
    add(cStrict)
    return all + others.map { ($0.log, $0.costs) }
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
    let writes = baseline.swapWrites
    aAndLazy?.step(operation, follows: modelWasWrong, outcome, baselineWrites: writes)
    aAndEager?.step(operation, follows: modelWasWrong, outcome, baselineWrites: writes)
    aOr?.step(operation, follows: modelWasWrong, outcome, baselineWrites: writes)
    b?.step(operation, follows: modelWasWrong, outcome, baselineWrites: writes)
    cStrict?.step(operation, follows: modelWasWrong, outcome, baselineWrites: writes)
    for index in others.indices {
      others[index].step(operation, follows: modelWasWrong, outcome, baselineWrites: writes)
    }
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

  // — judging

  /// Judges what the last operation touched, in the baseline's world or the encoding's.
  package mutating func judge(_ context: JudgingContext) {
    if judgesEverything { baseline.touchEverything() }
    aAndLazy?.judgeTouched(baseline, context)
    aAndEager?.judgeTouched(baseline, context)
    aOr?.judgeTouched(baseline, context)
    b?.judgeTouched(baseline, context)
    cStrict?.judgeTouched(baseline, context)
    for index in others.indices { others[index].judgeTouched(baseline, context) }
    if var log = cRaw {
      cRaw = nil
      for run in baseline.touched.runs { judgeRaw(run, &log, context) }
      cRaw = log
    }
    baseline.touched.removeAll()
  }

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
