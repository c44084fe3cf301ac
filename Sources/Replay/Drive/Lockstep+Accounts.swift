// SPDX-License-Identifier: GPL-2.0-only

/// What the lanes found, in the form of the result.
extension Lockstep {
  /// One account per encoding, in the order of `EncodingID`.
  var accounts: [EncodingResult] {
    EncodingID.allCases.compactMap { id in
      switch id {
      case .baseline: EncodingResult(id: id, checks: 0, verdicts: [:], costs: costs(baseline.costs))
      case .aAndLazy: account(aAndLazy?.log, aAndLazy?.world.costs)
      case .aAndEager: account(aAndEager?.log, aAndEager?.world.costs)
      case .aOr: account(aOr?.log, aOr?.world.costs)
      case .b: account(b?.log, b?.world.costs)
      case .cRaw: account(cRaw, CostTable())
      case .cStrict: account(cStrict?.log, cStrict?.world.costs)
      }
    }
  }

  private func account(_ log: DivergenceLog?, _ costs: CostTable?) -> EncodingResult? {
    guard let log, let costs else { return nil }
    return EncodingResult(id: log.encoding, checks: log.checks, verdicts: log.counts, costs: self.costs(costs))
  }

  private func costs(_ table: CostTable) -> [NamedCount] {
    CostKind.allCases.map { NamedCount(name: $0.name, count: table[$0]) }
  }

  /// Every signature of every encoding, the worst first; histories are empty.
  var divergences: [Divergence] {
    let logs = [aAndLazy?.log, aAndEager?.log, aOr?.log, b?.log, cRaw, cStrict?.log].compactMap(\.self)
    let all = logs.flatMap { log in
      log.signatures.map { signature in
        Divergence(
          encoding: log.encoding, verdict: signature.verdict, certainty: signature.certainty,
          rule: rule(log.encoding, signature.verdict), transition: signature.transition.rawValue,
          order: signature.order, count: signature.count, firstSequence: signature.firstSequence,
          firstTime: signature.firstTime, mm: signature.mm, page: signature.page, history: [])
      }
    }
    return all.sorted { a, b in
      if a.verdict != b.verdict { return a.verdict < b.verdict }
      if a.count != b.count { return a.count > b.count }
      return a.firstSequence < b.firstSequence
    }
  }

  /// The rule a verdict says is broken.
  private func rule(_ encoding: EncodingID, _ verdict: Verdict) -> String {
    switch verdict {
    case .invariantBreak: return "I1"
    case .conservativePin: return "I5"
    case .livelock: return "I6"
    case .dataLoss: return "C3"
    case .unsafe, .unsafeIO, .conservativeCopy, .conservativeFault, .lost, .better, .ok: break
    }
    switch encoding {
    case .baseline: return "I2"
    case .aAndLazy, .aAndEager, .aOr: return "A1"
    case .b: return "B1"
    case .cRaw, .cStrict: return "C1"
    }
  }
}
