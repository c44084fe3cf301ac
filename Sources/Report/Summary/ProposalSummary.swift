// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// One encoding in a plain word, and why.
struct ProposalSummary {
  enum Word: Equatable {
    case breaks(rule: RuleID)
    case mayBreak(rule: RuleID)
    case safe
    case safeButSlower
    /// Nothing was found, in a result that is not to be relied on.
    case notShownUnsafe

    var text: String {
      switch self {
      case .breaks(let rule): "breaks \(rule.rawValue)"
      case .mayBreak(let rule): "may break \(rule.rawValue)"
      case .safe: "safe"
      case .safeButSlower: "safe, slower"
      case .notShownUnsafe: "not shown unsafe"
      }
    }
  }

  let encoding: EncodingResult
  let word: Word
  let why: String

  init(_ encoding: EncodingResult, in result: ReplayResult) {
    self.encoding = encoding
    let found = result.divergences.filter { $0.encoding == encoding.id && $0.count > 0 }.worstFirst
    let broken = found.filter { $0.verdict.isDangerous }
    let states = encoding.states.filter { !$0.broken.isZero }
    let state = states.first { $0.broken.definite > 0 } ?? states.first
    // What is certain comes before what is possible; a verdict, which has a history, before a state.
    if let state, state.broken.definite > 0 || broken.isEmpty, !broken.contains(where: { $0.certainty == .definite }) {
      word = state.broken.definite > 0 ? .breaks(rule: state.rule) : .mayBreak(rule: state.rule)
      why = "\(CountText.entries(state.broken)), in the state at snapshots and at the end"
      return
    }
    if let worst = broken.first(where: { $0.certainty == .definite }) ?? broken.first {
      word = worst.certainty == .definite ? .breaks(rule: worst.rule) : .mayBreak(rule: worst.rule)
      why =
        "\(Numbers.plural(worst.count, "entry", "entries")) \(worst.verdict.rawValue) at \(worst.transition.rawValue), order "
        + "\(worst.order.rawValue), \(worst.certainty.rawValue)"
      return
    }
    let costs = ProposalSummary.costs(encoding, result)
    let slower = found.filter { [.conservativeCopy, .conservativeFault].contains($0.verdict) }
    if !result.trust.isTrusted {
      word = .notShownUnsafe
      why = encoding.checks == 0 ? "no entry was judged" : "in what could be seen; " + costs
    } else {
      word = slower.isEmpty ? .safe : .safeButSlower
      why = costs
    }
  }

  private static func costs(_ encoding: EncodingResult, _ result: ReplayResult) -> String {
    let forks = result.audits.first { $0.name == "forks by rss_stat" }?.figures.first { $0.name == "forks" }?.count ?? 0
    let words = CostKind.headline.compactMap { kind -> String? in
      let amount: String
      switch encoding.observation(ofCost: kind.name, in: result.capture) {
      case .evaluated(let count) where count > 0: amount = Numbers.grouped(count)
      case .bounded(let low, let high): amount = "\(Numbers.grouped(low))..\(Numbers.grouped(high))"
      case .evaluated, .notObservable, nil: return nil
      }
      return "\(amount) \(kind.name)"
    }
    let text = words.prefix(3).joined(separator: ", ")
    if text.isEmpty { return "costs nothing here that is counted" }
    return text + (forks > 0 ? " in \(Numbers.plural(forks, "fork"))" : "")
  }
}

extension Verdict {
  /// Not merely slower: data or a pin is lost, a rule of the kernel broken, or a loop does not end.
  var isDangerous: Bool {
    switch self {
    case .unsafe, .unsafeIO, .dataLoss, .conservativePin, .livelock, .invariantBreak: true
    case .conservativeCopy, .conservativeFault, .lost, .better, .ok: false
    }
  }
}

extension CostKind {
  /// Those that say most, first.
  fileprivate static let headline: [CostKind] = [
    .extraCopies, .extraFaults, .bitmapBytesPeak, .bitmapAllocations, .folioMarkDirty, .pageFlagAtomics,
    .foreignWriteProtects, .extraTLBFlushes,
  ]
}
