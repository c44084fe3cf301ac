// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// What several captures say together.
///
/// Counts are summed, peaks are the highest, instances are chosen by hash: a merge of merges is the merge of their
/// captures, in whatever order. Trust is not merged: each capture is trusted or not, and how many are is counted.
package struct MergedResult: Sendable {
  /// One capture of one host, once.
  struct Key: Hashable, Comparable {
    var kernel: String
    var host: String
    var capture: String

    static func < (a: Key, b: Key) -> Bool {
      (a.kernel, a.host, a.capture) < (b.kernel, b.host, b.capture)
    }
  }

  var parts: [Key: MergedLine.Part] = [:]
  var encodings: [String: MergedLine.Encoding] = [:]
  var divergences: [Signature: MergedLine.Divergence] = [:]
  var audits: [String: MergedLine.Audit] = [:]
  var loss = MergedLine.Loss()
  /// By name.
  var gaps: [String: UInt64] = [:]
  var verification = MergedLine.Verification()
  var timeline: MergedSeries?
  var notMerged: [String: UInt64] = [:]

  /// To add captures to.
  package static let empty = MergedResult()

  /// How many examples of an audit are kept.
  static let examples = 4

  /// A capture, or those of a merge, of which none may be here already: no count can be taken back.
  package mutating func add(_ other: MergedResult) throws(MergeError) {
    for (key, part) in other.parts {
      guard parts[key] == nil else { throw .twice(capture: key.capture, host: part.host, name: part.name) }
      parts[key] = part
    }
    encodings.merge(other.encodings) { $0.merged(with: $1) }
    divergences.merge(other.divergences) { $0.merged(with: $1) }
    audits.merge(other.audits) { $0.merged(with: $1) }
    loss.add(other.loss)
    gaps.merge(other.gaps, uniquingKeysWith: saturatingSum)
    verification.add(other.verification)
    timeline = try MergedSeries.both(timeline, other.timeline)
    verification.coverage = try MergedSeries.both(verification.coverage, other.verification.coverage)
    notMerged.merge(other.notMerged, uniquingKeysWith: saturatingSum)
  }
}

extension MergedSeries {
  /// Of two, one or none.
  fileprivate static func both(_ a: MergedSeries?, _ b: MergedSeries?) throws(MergeError) -> MergedSeries? {
    guard let a, let b else { return a ?? b }
    guard let both = a.merged(with: b) else { throw .stretches(a.interval, b.interval) }
    return both
  }
}

package enum MergeError: Error, Equatable, CustomStringConvertible {
  case twice(capture: String, host: String, name: String)
  /// Of series over time, in ns.
  case stretches(UInt64, UInt64)

  package var description: String {
    switch self {
    case .twice(let capture, let host, let name): "capture \(capture) of host \(host) (\(name)) is there twice"
    case .stretches(let a, let b): "stretches of \(a) ns and of \(b) ns do not divide each other"
    }
  }
}

/// Sums stay at the largest number there is: that, too, is the same in any order.
func saturatingSum(_ a: UInt64, _ b: UInt64) -> UInt64 {
  let (total, isOver) = a.addingReportingOverflow(b)
  return isOver ? .max : total
}

/// A count that is a peak is no part of a sum.
private func isPeak(_ name: String) -> Bool { name.hasSuffix("_peak") }

extension MergedLine.Encoding {
  func merged(with other: Self) -> Self {
    var merged = self
    merged.captures = saturatingSum(captures, other.captures)
    merged.checks = saturatingSum(checks, other.checks)
    merged.verdicts.merge(other.verdicts) { a, b in
      MergedLine.Verdict(
        definite: saturatingSum(a.definite, b.definite), possible: saturatingSum(a.possible, b.possible),
        captures: saturatingSum(a.captures, b.captures))
    }
    for (name, b) in other.costs {
      guard let a = merged.costs[name] else {
        merged.costs[name] = b
        continue
      }
      let join = isPeak(name) ? max : saturatingSum
      merged.costs[name] = MergedLine.Cost(
        low: join(a.low, b.low), high: join(a.high, b.high), captures: saturatingSum(a.captures, b.captures))
    }
    merged.states.merge(other.states) { a, b in
      MergedLine.State(
        checked: saturatingSum(a.checked, b.checked), definite: saturatingSum(a.definite, b.definite),
        possible: saturatingSum(a.possible, b.possible))
    }
    return merged
  }
}

extension MergedLine.Divergence {
  private var rank: ExemplarRank {
    ExemplarRank(
      exemplar.capture, exemplar.host, exemplar.kernel, encoding, verdict, certainty, rule, transition, String(order),
      String(exemplar.sequence), String(exemplar.mm), exemplar.address)
  }

  func merged(with other: Self) -> Self {
    var merged = rank < other.rank ? self : other
    merged.count = saturatingSum(count, other.count)
    merged.captures = saturatingSum(captures, other.captures)
    return merged
  }
}

extension MergedLine.Example {
  var rank: ExemplarRank {
    ExemplarRank(capture, host, kernel, example.text, String(example.mm), example.page ?? "", String(example.sequence))
  }
}

extension MergedLine.Audit {
  func merged(with other: Self) -> Self {
    var merged = self
    merged.captures = saturatingSum(captures, other.captures)
    for (name, b) in other.figures {
      guard let a = merged.figures[name] else {
        merged.figures[name] = b
        continue
      }
      merged.figures[name] = MergedLine.Shown(
        count: isPeak(name) ? max(a.count, b.count) : saturatingSum(a.count, b.count),
        captures: saturatingSum(a.captures, b.captures))
    }
    merged.examples = Self.chosen(examples + other.examples)
    return merged
  }

  /// Findings, which have a history, before mere instances; among each the smallest hashes, in their order.
  static func chosen(_ examples: [MergedLine.Example]) -> [MergedLine.Example] {
    let ranked = examples.map { (isInstance: $0.example.history == nil, rank: $0.rank, example: $0) }
    let sorted = ranked.sorted { a, b in
      a.isInstance != b.isInstance ? b.isInstance : a.rank < b.rank
    }
    return sorted.prefix(MergedResult.examples).map(\.example)
  }
}

extension MergedLine.Loss {
  mutating func add(_ other: Self) {
    records = saturatingSum(records, other.records)
    captures = saturatingSum(captures, other.captures)
    uncounted = saturatingSum(uncounted, other.uncounted)
    unknownAddressSpaces = saturatingSum(unknownAddressSpaces, other.unknownAddressSpaces)
  }
}

extension MergedLine.Tally {
  mutating func add(_ other: Self) {
    agree = saturatingSum(agree, other.agree)
    disagree = saturatingSum(disagree, other.disagree)
    unknown = saturatingSum(unknown, other.unknown)
  }
}

extension MergedLine.Verification {
  mutating func add(_ other: Self) {
    decisions.add(other.decisions)
    entries.add(other.entries)
    pages.add(other.pages)
    tables.add(other.tables)
    scans.add(other.scans)
    unknownCauses.merge(other.unknownCauses, uniquingKeysWith: saturatingSum)
    notCompared.merge(other.notCompared, uniquingKeysWith: saturatingSum)
    disagreementCauses.merge(other.disagreementCauses, uniquingKeysWith: saturatingSum)
    guard let theirs = other.disagreement else { return }
    guard let ours = disagreement, ours.rank < theirs.rank else {
      disagreement = theirs
      return
    }
  }
}

extension MergedLine.Disagreement {
  fileprivate var rank: ExemplarRank {
    ExemplarRank(exemplar.capture, exemplar.host, exemplar.kernel, evidence, cause, String(exemplar.sequence))
  }
}

extension MergedLine.Shown {
  mutating func add(_ count: UInt64?) {
    guard let count else { return }
    self.count = saturatingSum(self.count, count)
    captures += 1
  }
}

extension MergedLine.Denominators {
  mutating func add(_ part: ResultLine.Denominators) {
    trustedNanoseconds = saturatingSum(trustedNanoseconds, part.trustedNanoseconds)
    events = saturatingSum(events, part.events)
    entries = saturatingSum(entries, part.entries)
    forks.add(part.forks)
    faults.add(part.faults)
  }
}
