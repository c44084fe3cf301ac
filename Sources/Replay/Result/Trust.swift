// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Whether a result is to be relied on, and why not.
package struct Trust: Sendable, Equatable {
  package enum State: String, Sendable {
    case trusted
    case notTrusted = "not-trusted"
  }

  package enum Reason: Sendable, Equatable {
    /// The kernel's own evidence contradicts the model.
    case disagreement(UInt64, of: UInt64)
    /// Of everything that was checked or should have been, too much is unknown.
    case unknown(UInt64, of: UInt64, limitPercent: UInt8)
    /// `nil`: a number that the kernel did not give.
    case loss(CPU, records: UInt64?)
    /// A gap of severity `loss`.
    case gap(Gap, UInt64)
    /// The recording did not end by itself.
    case incomplete
    /// A kind of event that is needed.
    case missing(Capability)
    case noRecords
    /// No entry was judged, in any encoding.
    case nothingJudged
    /// The kernel showed nothing about which the model had an opinion.
    case nothingCompared
  }

  package let reasons: [Reason]

  package var state: State { reasons.isEmpty ? .trusted : .notTrusted }
  package var isTrusted: Bool { reasons.isEmpty }
}

extension ReplayResult {
  package var trust: Trust {
    var reasons: [Trust.Reason] = []
    let total = verification.total
    if capture.records == 0 { reasons.append(.noRecords) }
    if total.disagree > 0 { reasons.append(.disagreement(total.disagree, of: total.checked)) }
    reasons += capture.capabilities.missing.filter { $0.description.isNeeded }.map { .missing($0) }
    reasons += loss.perCPU.filter { $0.count != 0 }.map { .loss($0.cpu, records: $0.count) }
    if capture.isIncomplete { reasons.append(.incomplete) }
    reasons += gaps.met.filter { $0.gap.description.severity == .loss }.map { .gap($0.gap, $0.count) }
    let unknown = total.unknown + gaps.total(.doubt)
    let checked = total.checked + gaps.total(.doubt)
    if unknown.multipliedFullWidth(by: 100) > checked.multipliedFullWidth(by: UInt64(maxUnknownPercent)) {
      reasons.append(.unknown(unknown, of: checked, limitPercent: maxUnknownPercent))
    }
    if verification.aboutFlag.agree + verification.aboutFlag.disagree == 0 { reasons.append(.nothingCompared) }
    let judged = encodings.filter { $0.id != .baseline }
    if !judged.isEmpty, judged.allSatisfy({ $0.checks == 0 }) { reasons.append(.nothingJudged) }
    return Trust(reasons: reasons)
  }
}

extension Verification {
  /// Over all five kinds of evidence.
  package var total: Tally { Self.sum([decisions, entries, pages, tables, scans]) }

  /// Without page tables and scans, which say nothing of the flag.
  package var aboutFlag: Tally { Self.sum([decisions, entries, pages]) }

  private static func sum(_ tallies: [Tally]) -> Tally {
    var total = Tally()
    for tally in tallies {
      total.agree += tally.agree
      total.disagree += tally.disagree
      total.unknown += tally.unknown
    }
    return total
  }
}
