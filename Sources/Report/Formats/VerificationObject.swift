// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// `verify --json`, and the `verify` object of a result's summary.
struct VerificationObject: Codable {
  struct Tally: Codable {
    var checked: UInt64
    var agree: UInt64
    var disagree: UInt64
    var unknown: UInt64

    init(_ tally: Replay.Tally) {
      checked = tally.checked
      agree = tally.agree
      disagree = tally.disagree
      unknown = tally.unknown
    }

    var tally: Replay.Tally {
      var tally = Replay.Tally()
      tally.agree = agree
      tally.disagree = disagree
      tally.unknown = unknown
      return tally
    }
  }

  struct Coverage: Codable {
    var start: UInt64
    var end: UInt64
    var checked: UInt64
    var known: UInt64

    enum CodingKeys: String, CodingKey {
      case start = "from_ns"
      case end = "to_ns"
      case checked, known
    }

    init(_ slice: CoverageSlice) {
      start = slice.start
      end = slice.end
      checked = slice.checked
      known = slice.known
    }

    var slice: CoverageSlice { CoverageSlice(start: start, end: end, checked: checked, known: known) }
  }

  struct Finding: Codable {
    var evidence: String
    var cause: String
    var sequence: UInt64
    var time: UInt64
    var mm: UInt32
    var address: String
    var expected: String
    var observed: String
    var history: [ResultLine.History]

    enum CodingKeys: String, CodingKey {
      case evidence, cause
      case sequence = "seq"
      case time = "time_ns"
      case mm
      case address = "addr"
      case expected, observed, history
    }

    init(_ finding: Replay.Finding, pageShift: UInt8) {
      evidence = finding.evidence.rawValue
      cause = finding.cause
      sequence = finding.sequence.rawValue
      time = finding.time.nanoseconds
      mm = finding.mm.rawValue
      address = finding.page.address(pageShift: pageShift)
      expected = finding.expected
      observed = finding.observed
      history = finding.history.map(ResultLine.History.init)
    }
  }

  var version = ResultLine.version
  /// Of `verify --json` only: in a result it stands on the capture line.
  var trust: ResultLine.Trust?
  var decisions: Tally
  var entries: Tally
  var pages: Tally
  /// Not in results of older versions.
  var tables: Tally?
  var scans: Tally?
  var unknownCauses: [String: UInt64]
  var notCompared: [String: UInt64]?
  var disagreementCauses: [String: UInt64]
  var coverage: [Coverage]?
  var firstDisagreement: Finding?
  /// Left out where `--explain` was not asked for.
  var findings: [Finding]?

  enum CodingKeys: String, CodingKey {
    case version, trust, decisions, entries, pages, tables, scans
    case unknownCauses = "unknown_causes"
    case notCompared = "not_compared"
    case disagreementCauses = "disagreement_causes"
    case coverage
    case firstDisagreement = "first_disagreement"
    case findings
  }

  init(_ verification: Verification, pageShift: UInt8, explains: Bool = false) {
    decisions = Tally(verification.decisions)
    entries = Tally(verification.entries)
    pages = Tally(verification.pages)
    tables = Tally(verification.tables)
    scans = Tally(verification.scans)
    unknownCauses = verification.unknownCauses.byName
    notCompared = verification.notComparedCauses.byName
    disagreementCauses = verification.disagreementCauses.byName
    coverage = verification.coverage.map(Coverage.init)
    firstDisagreement = verification.firstDisagreement.map { Finding($0, pageShift: pageShift) }
    if explains { findings = verification.findings.map { Finding($0, pageShift: pageShift) } }
  }

  /// `first_disagreement` is there even when it is `null`: scripts test the value, not the key.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(version, forKey: .version)
    try container.encodeIfPresent(trust, forKey: .trust)
    try container.encode(decisions, forKey: .decisions)
    try container.encode(entries, forKey: .entries)
    try container.encode(pages, forKey: .pages)
    try container.encodeIfPresent(tables, forKey: .tables)
    try container.encodeIfPresent(scans, forKey: .scans)
    try container.encode(unknownCauses, forKey: .unknownCauses)
    try container.encode(notCompared ?? [:], forKey: .notCompared)
    try container.encode(disagreementCauses, forKey: .disagreementCauses)
    try container.encode(coverage ?? [], forKey: .coverage)
    try container.encode(firstDisagreement, forKey: .firstDisagreement)
    try container.encodeIfPresent(findings, forKey: .findings)
  }
}

extension [NamedCount] {
  /// Counts of equal names are added up.
  var byName: [String: UInt64] { Dictionary(map { ($0.name, $0.count) }, uniquingKeysWith: +) }
}

extension ResultLine.History {
  init(_ entry: HistoryEntry) {
    self.init(
      sequence: entry.sequence.rawValue, time: entry.time.nanoseconds, task: entry.task.rawValue,
      mm: entry.mm?.rawValue, today: entry.today, encoding: entry.encoding, text: entry.text,
      decides: entry.isDeciding ? true : nil)
  }
}
