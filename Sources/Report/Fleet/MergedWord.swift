// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// What the captures of a merge say of one encoding, in the words of a single report. They claim no more than those of
/// the captures: `safe` where each of them was replayed against it and is trusted.
struct MergedWord {
  let text: String
  let why: String

  init(_ encoding: MergedLine.Encoding, in result: MergedResult) {
    let found = result.divergences.filter { $0.value.encoding == encoding.id && $0.value.count > 0 }
      .sorted { $0.key < $1.key }
    let broken = found.filter { $0.key.verdict.isDangerous }
    let states = encoding.states.sorted { $0.key < $1.key }
    if let worst = broken.first(where: { $0.key.certainty == .definite }) {
      self.init("breaks \(worst.key.rule.rawValue)", worst.value)
    } else if let state = states.first(where: { $0.value.definite > 0 }) {
      self.init("breaks \(state.key)", state.value)
    } else if let worst = broken.first {
      self.init("may break \(worst.key.rule.rawValue)", worst.value)
    } else if let state = states.first(where: { $0.value.possible > 0 }) {
      self.init("may break \(state.key)", state.value)
    } else {
      self.init(unbroken: encoding, found.map(\.key.verdict), in: result)
    }
  }

  /// Nothing was found that breaks a rule.
  private init(unbroken encoding: MergedLine.Encoding, _ found: [Verdict], in result: MergedResult) {
    let captures = Numbers.plural(UInt64(result.parts.count), "capture")
    let judged = "\(Numbers.plural(encoding.checks, "entry", "entries")) judged"
    if encoding.captures < UInt64(result.parts.count) {
      text = "not shown unsafe"
      why = "replayed in \(Numbers.grouped(encoding.captures)) of \(captures); \(judged)"
    } else if !result.isTrusted || encoding.checks == 0 {
      text = "not shown unsafe"
      why = "\(Numbers.grouped(result.trustedCount)) of \(captures) trusted; \(judged)"
    } else {
      text = found.contains { [.conservativeCopy, .conservativeFault].contains($0) } ? "safe, slower" : "safe"
      why = "in each of \(captures); \(judged)"
    }
  }

  private init(_ text: String, _ found: MergedLine.Divergence) {
    self.text = text
    why =
      "\(Numbers.plural(found.count, "entry", "entries")) \(found.verdict) at \(found.transition), order "
      + "\(found.order), \(found.certainty), in \(Numbers.plural(found.captures, "capture"))"
  }

  private init(_ text: String, _ state: MergedLine.State) {
    self.text = text
    let counts = CertaintyCounts(definite: state.definite, possible: state.possible)
    why = "\(CountText.entries(counts)), in the state at snapshots and at the end"
  }
}
