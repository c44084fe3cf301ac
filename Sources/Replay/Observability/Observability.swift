// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The one place where verdicts, costs and rules declare what has to be seen for them.
extension Verdict {
  /// Whether the encoding can come to hold it, by definition.
  package func applies(to encoding: EncodingID) -> Bool { encoding.canHold(self) }

  /// What stands in the way of observing it at all.
  fileprivate func obstacle(in capture: CaptureSummary) -> Obstacle? {
    switch self {
    case .unsafe, .invariantBreak, .conservativeCopy, .conservativeFault, .lost, .better, .ok: nil
    case .unsafeIO: capture.showsStableWrites ? nil : .stableWritesUnseen
    case .dataLoss: capture.showsDirtyData ? nil : .dirtyDataUnseen
    // Only a pin asks for an unshare fault again and again.
    case .conservativePin, .livelock: capture.capabilities.contains(.pins) ? nil : .pinsUnseen
    }
  }
}

extension CaptureSummary {
  /// What reclaim writes and what it frees tells what was dirty; where nothing was reclaimed and nothing freed lazily
  /// there is nothing to lose.
  fileprivate var showsDirtyData: Bool {
    showsReclaim || (showsNoSwapOut && !occurrences.contains(.lazyFree))
  }

  private var showsReclaim: Bool {
    capabilities.contains(.swapWrites) && capabilities.contains(.frees) && capabilities.contains(.counters)
  }

  fileprivate var showsStableWrites: Bool { capabilities.contains(.stableWrites) || showsNoSwapOut }

  /// Pages that go to swap move a counter.
  private var showsNoSwapOut: Bool { capabilities.contains(.counters) && !occurrences.contains(.swapOut) }
}

extension EncodingResult {
  /// `nil` where the encoding cannot come to hold the verdict, by definition.
  package func observation(of verdict: Verdict, in capture: CaptureSummary) -> Observation<CertaintyCounts>? {
    // What was seen was observable.
    if let counts = verdicts[verdict], !counts.isZero { return .evaluated(counts) }
    guard verdict.applies(to: id) else { return nil }
    if let obstacle = verdict.obstacle(in: capture) { return .notObservable(obstacle) }
    return checks == 0 ? .notObservable(.nothingJudged) : .evaluated(CertaintyCounts())
  }

  /// Of a cost this version knows by name, and of any other.
  package func observation(ofCost name: String, in capture: CaptureSummary) -> Observation<UInt64>? {
    guard let cost = costs.first(where: { $0.name == name }) else { return nil }
    guard let kind = CostKind.allCases.first(where: { $0.name == name }) else { return .evaluated(cost.count) }
    return observation(of: kind, cost.count, in: capture)
  }

  private func observation(of kind: CostKind, _ seen: UInt64, in capture: CaptureSummary) -> Observation<UInt64> {
    switch kind {
    // A write to what today's kernel maps writable leaves no event: every entry that came to hold the verdict may have
    // been written, or not.
    case .extraCopies: return bounded(seen, most: count([.conservativeCopy, .conservativePin]))
    case .extraFaults:
      return bounded(seen, most: count([.conservativeCopy, .conservativeFault, .conservativePin, .livelock]))
    case .extraWritebackPages:
      if id.role == .audit { return .notObservable(.noWorldOfItsOwn) }
      return id.canHold(.dataLoss) && !capture.showsDirtyData ? .notObservable(.dirtyDataUnseen) : .evaluated(seen)
    case .bitmapAllocationFailures:
      if id.role == .audit { return .notObservable(.noWorldOfItsOwn) }
      return id.allocates && seen == 0 ? .notObservable(.allocationsNeverFail) : .evaluated(seen)
    case .pageFlagAtomics, .structPageLines, .bitmapLines, .bitmapBytesNow, .bitmapBytesPeak, .bitmapAllocations,
      .foreignEntryWalks, .foreignWriteProtects, .extraTLBFlushes, .folioMarkDirty:
      return id.role == .audit ? .notObservable(.noWorldOfItsOwn) : .evaluated(seen)
    }
  }

  private func bounded(_ seen: UInt64, most more: UInt64) -> Observation<UInt64> {
    more == 0 ? .evaluated(seen) : .bounded(seen, seen + more)
  }

  /// An upper bound: whatever may be, too.
  private func count(_ verdicts: [Verdict]) -> UInt64 {
    verdicts.reduce(0) { sum, verdict in
      let counts = self.verdicts[verdict] ?? CertaintyCounts()
      return sum + counts.definite + counts.possible
    }
  }

  /// Of a rule as a replay can find it broken: by the verdicts that are filed under it. `nil` where there are none, so
  /// that no replay can ever say that it is broken. The value: how many entries were judged.
  package func observation(ofRule rule: RuleID, in capture: CaptureSummary) -> Observation<UInt64>? {
    if let asked = states.first(where: { $0.rule == rule }), asked.checked > 0 {
      return .evaluated(max(checks, asked.checked))
    }
    let verdicts = Verdict.allCases.filter { verdict in
      verdict != .better && verdict != .ok && verdict.rules(of: id).contains(rule)
    }
    let observations = verdicts.compactMap { observation(of: $0, in: capture) }
    var obstacle: Obstacle?
    for observation in observations {
      switch observation {
      case .evaluated, .bounded: return .evaluated(checks)
      case .notObservable(let reason): obstacle = obstacle ?? reason
      }
    }
    return obstacle.map { .notObservable($0) }
  }
}
