// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
import MMEvents
package import Replay

/// Reads `result.ndjson` back, so that `report` and `diff` need no second replay.
///
/// Lines of a type it does not know are passed over: a newer writer of the same version may add some.
package struct ResultReader {
  private let decoder = JSONDecoder()
  private var capture: CaptureSummary?
  private var encodings: [EncodingResult] = []
  private var divergences: [Divergence] = []
  private var audits: [AuditResult] = []
  private var loss = LossSummary(perCPU: [], unknownAddressSpaces: 0)
  private var gaps = GapCounts()
  private var named: [EncodingID] = []
  private var maxUnknownPercent: UInt8 = 5
  private var timeline: Timeline?
  private var processes: [ProcessAccount] = []
  /// Types of lines that were passed over.
  private var notRead: Set<String> = []

  /// Fails on anything that is not a complete result of a version this reader knows.
  package static func read(_ bytes: [UInt8]) throws(ReportError) -> ReplayResult {
    try readNamingRest(bytes).result
  }

  /// With the types of the lines that were passed over.
  static func readNamingRest(_ bytes: [UInt8]) throws(ReportError) -> (result: ReplayResult, notRead: Set<String>) {
    var reader = ResultReader()
    var number = 0
    for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
      number += 1
      if line.isEmpty { continue }
      if let result = try reader.take(Data(line), number: number) { return (result, reader.notRead) }
    }
    throw number <= 1 ? .badLine(1, reason: "not a result: no capture line") : .incomplete
  }

  /// Returns the result when the line was the `summary`.
  private mutating func take(_ line: Data, number: Int) throws(ReportError) -> ReplayResult? {
    switch try decode(ResultLine.Kind.self, line, number).type {
    case "capture":
      // Asked first: the names of another version need not be these.
      let version = try decode(ResultLine.Version.self, line, number).version
      guard version == ResultLine.version else { throw .unsupportedVersion(version) }
      try takeCapture(try decode(ResultLine.Capture.self, line, number), number)
    case "encoding": try takeEncoding(try decode(ResultLine.Encoding.self, line, number), number)
    case "divergence": try takeDivergence(try decode(ResultLine.Divergence.self, line, number), number)
    case "audit":
      audits.append(try decode(ResultLine.Audit.self, line, number).result)
    case "process": processes.append(try decode(ResultLine.Process.self, line, number).account)
    case "timeline":
      timeline = try decode(ResultLine.Timeline.self, line, number).timeline
      if timeline == nil { throw .badLine(number, reason: "not a timeline") }
    case "loss": try takeLoss(try decode(ResultLine.Loss.self, line, number), number)
    case "gap":
      let line = try decode(ResultLine.Gap.self, line, number)
      guard let gap = Gap(name: line.name) else { throw .badLine(number, reason: "unknown gap \"\(line.name)\"") }
      gaps.add(gap, line.count)
    case "summary": return try finish(try decode(ResultLine.Summary.self, line, number), number)
    case let kind: notRead.insert(kind)
    }
    return nil
  }

  private func decode<Line: Decodable>(_ type: Line.Type, _ line: Data, _ number: Int) throws(ReportError) -> Line {
    do {
      return try decoder.decode(type, from: line)
    } catch {
      throw .badLine(number, reason: "not a \(Line.self) object of a result")
    }
  }

  private mutating func takeCapture(_ line: ResultLine.Capture, _ number: Int) throws(ReportError) {
    capture = CaptureSummary(
      name: line.name, kernel: line.kernel, command: line.command, records: line.records,
      spanNanoseconds: line.spanNanoseconds, addressSpaces: line.addressSpaces, pageShift: line.pageShift)
    for name in line.limits {
      guard let capability = Capability(limit: name) else {
        throw .badLine(number, reason: "unknown limit \"\(name)\"")
      }
      capture?.capabilities.remove(capability)
    }
    for name in line.occurrences {
      guard let occurrence = Occurrence(rawValue: name) else {
        throw .badLine(number, reason: "unknown occurrence \"\(name)\"")
      }
      capture?.occurrences.insert(occurrence)
    }
    capture?.isIncomplete = line.incomplete ?? false
    for name in line.named ?? [] { named.append(try encoding(name, number)) }
    maxUnknownPercent = line.trust.maxUnknownPercent
  }

  private mutating func takeEncoding(_ line: ResultLine.Encoding, _ number: Int) throws(ReportError) {
    var verdicts: [Verdict: CertaintyCounts] = [:]
    for (name, value) in line.verdicts {
      guard case .counted(let definite, let possible) = value, definite > 0 || possible > 0 else { continue }
      verdicts[try verdict(name, number)] = CertaintyCounts(definite: definite, possible: possible)
    }
    let costs = line.costs.sorted { $0.key < $1.key }.map { name, value in
      // The upper end, and what is not observable, follow from the rest.
      switch value {
      case .exactly(let count), .between(let count, _): NamedCount(name: name, count: count)
      case .notObservable: NamedCount(name: name, count: 0)
      }
    }
    var states: [StateRuleCount] = []
    for (name, state) in (line.states ?? [:]).sorted(by: { $0.key < $1.key }) {
      states.append(
        StateRuleCount(
          rule: try rule(name, number), checked: state.checked,
          broken: CertaintyCounts(definite: state.definite, possible: state.possible)))
    }
    encodings.append(
      EncodingResult(
        id: try encoding(line.id, number), checks: line.checks, verdicts: verdicts, costs: costs, states: states))
  }

  private mutating func takeDivergence(_ line: ResultLine.Divergence, _ number: Int) throws(ReportError) {
    guard let certainty = Certainty(rawValue: line.certainty) else {
      throw .badLine(number, reason: "certainty \"\(line.certainty)\" is neither definite nor possible")
    }
    guard let transition = Transition(rawValue: line.transition) else {
      throw .badLine(number, reason: "unknown transition \"\(line.transition)\"")
    }
    guard line.order < 32 else { throw .badLine(number, reason: "folio order \(line.order)") }
    divergences.append(
      Divergence(
        encoding: try encoding(line.encoding, number), verdict: try verdict(line.verdict, number),
        certainty: certainty, rule: try rule(line.rule, number), transition: transition, order: FolioOrder(line.order),
        count: line.count, firstSequence: Sequence(line.firstSequence),
        firstTime: Timestamp(nanoseconds: line.firstTime), mm: MMID(line.mm), page: try page(line.address, number),
        frame: line.frame.map { PFN($0) }, history: line.history.map(HistoryEntry.init)))
  }

  private mutating func takeLoss(_ line: ResultLine.Loss, _ number: Int) throws(ReportError) {
    var perCPU: [(cpu: CPU, count: UInt64?)] = []
    for (name, count) in line.perCPU {
      guard let cpu = UInt16(name) else { throw .badLine(number, reason: "CPU \"\(name)\" is not a number") }
      perCPU.append((CPU(cpu), count))
    }
    loss = LossSummary(
      perCPU: perCPU.sorted { $0.cpu < $1.cpu }, unknownAddressSpaces: line.unknownAddressSpaces)
  }

  private func finish(_ line: ResultLine.Summary, _ number: Int) throws(ReportError) -> ReplayResult {
    guard let capture else { throw .badLine(number, reason: "a summary without a capture line before it") }
    var result = ReplayResult(
      capture: capture, encodings: encodings, divergences: divergences, audits: audits, loss: loss,
      verification: try verification(line.verification, number), events: line.events,
      gaps: gaps, trustedNanoseconds: line.trustedNanoseconds)
    result.forks = line.denominators?.forks
    result.faults = line.denominators?.faults
    result.named = named
    result.maxUnknownPercent = maxUnknownPercent
    result.timeline = timeline
    result.processes = processes
    return result
  }

  private func verification(_ object: VerificationObject, _ number: Int) throws(ReportError) -> Verification {
    var verification = Verification()
    verification.decisions = object.decisions.tally
    verification.entries = object.entries.tally
    verification.pages = object.pages.tally
    verification.tables = object.tables?.tally ?? Tally()
    verification.scans = object.scans?.tally ?? Tally()
    verification.unknownCauses = object.unknownCauses.named
    verification.notComparedCauses = (object.notCompared ?? [:]).named
    verification.disagreementCauses = object.disagreementCauses.named
    verification.coverage = (object.coverage ?? []).map(\.slice)
    if let first = object.firstDisagreement {
      guard let evidence = Finding.Evidence(rawValue: first.evidence) else {
        throw .badLine(number, reason: "evidence \"\(first.evidence)\" is not decision, entry, page or table")
      }
      verification.firstDisagreement = Finding(
        evidence: evidence, cause: first.cause, sequence: Sequence(first.sequence),
        time: Timestamp(nanoseconds: first.time),
        mm: MMID(first.mm), page: try page(first.address, number), expected: first.expected,
        observed: first.observed, history: first.history.map(HistoryEntry.init))
    }
    return verification
  }

  private func verdict(_ name: String, _ number: Int) throws(ReportError) -> Verdict {
    guard let verdict = Verdict(rawValue: name) else { throw .badLine(number, reason: "unknown verdict \"\(name)\"") }
    return verdict
  }

  private func rule(_ name: String, _ number: Int) throws(ReportError) -> RuleID {
    guard let rule = RuleID(rawValue: name) else { throw .badLine(number, reason: "unknown rule \"\(name)\"") }
    return rule
  }

  private func encoding(_ name: String, _ number: Int) throws(ReportError) -> EncodingID {
    guard let id = EncodingID(rawValue: name) else { throw .badLine(number, reason: "unknown encoding \"\(name)\"") }
    return id
  }

  private func page(_ address: String, _ number: Int) throws(ReportError) -> VirtualPage {
    guard address.hasPrefix("0x"), let value = UInt64(address.dropFirst(2), radix: 16) else {
      throw .badLine(number, reason: "address \"\(address)\" is not hexadecimal")
    }
    return VirtualPage(value >> UInt64(capture?.pageShift ?? 12))
  }
}

extension [String: UInt64] {
  /// In the order of the names: an object in JSON has no other.
  fileprivate var named: [NamedCount] { sorted { $0.key < $1.key }.map { NamedCount(name: $0.key, count: $0.value) } }
}

extension HistoryEntry {
  init(_ line: ResultLine.History) {
    self.init(
      sequence: Sequence(line.sequence), time: Timestamp(nanoseconds: line.time), task: TaskID(line.task),
      mm: line.mm.map { MMID($0) }, today: line.today, encoding: line.encoding, text: line.text,
      isDeciding: line.decides ?? false)
  }
}
