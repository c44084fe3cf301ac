// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
package import Replay

/// Whether a result is to be relied on, in one sentence: the first line of every report.
package enum TrustText {
  package static func sentence(_ result: ReplayResult) -> String {
    let trust = result.trust
    guard trust.isTrusted else {
      return "NOT TRUSTED: " + trust.reasons.map(words).joined(separator: "; ")
    }
    return "trusted: " + agreement(result) + "; nothing lost"
  }

  /// `model and kernel agree 97 of 100 (3 unknown)`.
  static func agreement(_ result: ReplayResult) -> String {
    let total = result.verification.total
    let doubts = result.gaps.total(.doubt)
    let unknown =
      (total.unknown > 0 ? ["\(Numbers.grouped(total.unknown)) unknown"] : [])
      + (doubts > 0 ? ["\(Numbers.grouped(doubts)) more not followed or not explained"] : [])
    return "model and kernel agree \(Numbers.grouped(total.agree)) of \(Numbers.grouped(total.checked))"
      + (unknown.isEmpty ? "" : " (" + unknown.joined(separator: ", ") + ")")
  }

  static func words(_ reason: Trust.Reason) -> String {
    switch reason {
    case .disagreement(let times, let checked):
      "the kernel disagrees with the model in \(Numbers.grouped(times)) of \(Numbers.grouped(checked))"
    case .unknown(let unknown, let checked, let limit):
      "\(Numbers.grouped(unknown)) of \(Numbers.grouped(checked)) unknown, \(Numbers.percent(unknown, of: checked)); "
        + "more than \(limit)%"
    case .loss(let cpu, let records):
      "cpu\(cpu.rawValue) lost \(records.map { Numbers.plural($0, "record") } ?? "an unknown number of records")"
    case .gap(let gap, let count): "\(gap.description.name): \(GapText.amount(gap, count))"
    case .incomplete: "the recording did not end by itself, the capture is incomplete"
    case .missing(let capability): "no \(capability.description.title) in the trace"
    case .noRecords: "no records"
    case .nothingJudged: "no entry was judged"
    case .nothingCompared: "nothing to compare: the kernel's evidence says nothing about this model"
    }
  }
}
