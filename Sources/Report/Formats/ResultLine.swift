// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// The lines of `replay --json` and `result.ndjson` as they stand in the file. The names are a contract: scripts
/// read them. A change that breaks a reader raises `version`.
enum ResultLine {
  static let version = 2

  struct Capture: Codable {
    var type = "capture"
    var version = ResultLine.version
    var name: String
    var kernel: String
    var command: [String]
    var records: UInt64
    var spanNanoseconds: UInt64
    var addressSpaces: UInt64
    var pageShift: UInt8
    /// What the capture cannot show, by name.
    var limits: [String]
    var occurrences: [String]
    /// Defects that the kernel has by its release; absent when it has none for certain. Not read back.
    var knownDefects: [String]?
    /// Absent when the recording ended by itself.
    var incomplete: Bool?
    /// The encodings that the user named; absent when none was.
    var named: [String]?
    var trust: Trust

    enum CodingKeys: String, CodingKey {
      case type, version, name, kernel, command, records, limits, occurrences, incomplete, named, trust
      case spanNanoseconds = "span_ns"
      case addressSpaces = "mms"
      case pageShift = "page_shift"
      case knownDefects = "known_defects"
    }
  }

  /// Only the limit is read back: the rest follows from the result.
  struct Trust: Codable {
    var state: String
    var reasons: [Reason]
    var sentence: String
    var maxUnknownPercent: UInt8

    struct Reason: Codable {
      var name: String
      var count: UInt64?
      var of: UInt64?
      var cpu: UInt16?
      /// The gap or the limit it is about.
      var what: String?

      init(name: String, count: UInt64? = nil, of: UInt64? = nil, cpu: UInt16? = nil, what: String? = nil) {
        (self.name, self.count, self.of, self.cpu, self.what) = (name, count, of, cpu, what)
      }
    }

    enum CodingKeys: String, CodingKey {
      case state, reasons, sentence
      case maxUnknownPercent = "max_unknown_percent"
    }
  }

  struct Encoding: Codable {
    var type = "encoding"
    var id: String
    var checks: UInt64
    var verdicts: [String: Verdict]
    var costs: [String: Cost]
    /// Absent where the state was never looked at.
    var states: [String: State]?
  }

  /// A rule that was asked of the whole state.
  struct State: Codable {
    var checked: UInt64
    var definite: UInt64
    var possible: UInt64
  }

  /// Two counts that are never added up.
  enum Verdict: Codable {
    case counted(definite: UInt64, possible: UInt64)
    case notObservable

    private struct Counts: Codable {
      var definite: UInt64
      var possible: UInt64
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if try ResultLine.isNotObservable(container) {
        self = .notObservable
      } else {
        let counts = try container.decode(Counts.self)
        self = .counted(definite: counts.definite, possible: counts.possible)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .counted(let definite, let possible):
        try container.encode(Counts(definite: definite, possible: possible))
      case .notObservable: try container.encode(ResultLine.notObservable)
      }
    }
  }

  /// A number, `[low, high]`, or not observable.
  enum Cost: Codable {
    case exactly(UInt64)
    case between(UInt64, UInt64)
    case notObservable

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if try ResultLine.isNotObservable(container) {
        self = .notObservable
      } else if let number = try? container.decode(UInt64.self) {
        self = .exactly(number)
      } else {
        let ends = try container.decode([UInt64].self)
        guard ends.count == 2, ends[0] <= ends[1] else {
          throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a range")
        }
        self = .between(ends[0], ends[1])
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .exactly(let number): try container.encode(number)
      case .between(let low, let high): try container.encode([low, high])
      case .notObservable: try container.encode(ResultLine.notObservable)
      }
    }
  }

  private static let notObservable = "not-observable"

  private static func isNotObservable(_ container: any SingleValueDecodingContainer) throws -> Bool {
    guard let word = try? container.decode(String.self) else { return false }
    guard word == notObservable else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "neither a count nor \(notObservable)")
    }
    return true
  }

  struct Divergence: Codable {
    var type = "divergence"
    var encoding: String
    var verdict: String
    var certainty: String
    var rule: String
    var transition: String
    var order: UInt8
    var count: UInt64
    var firstSequence: UInt64
    var firstTime: UInt64
    var mm: UInt32
    /// Hexadecimal with `0x`: addresses do not fit the 53 bits many JSON readers keep.
    var address: String
    var frame: UInt64?
    var history: [History]

    enum CodingKeys: String, CodingKey {
      case type, encoding, verdict, certainty, rule, transition, order, count
      case firstSequence = "first_seq"
      case firstTime = "first_time_ns"
      case mm
      case address = "addr"
      case frame = "pfn"
      case history
    }
  }

  struct History: Codable, Equatable {
    var sequence: UInt64
    var time: UInt64
    var task: Int32
    /// Absent where the entry is the page's own.
    var mm: UInt32?
    var today: String
    /// Absent where today's kernel alone is in question.
    var encoding: String?
    var text: String
    /// Absent where it does not.
    var decides: Bool?

    enum CodingKeys: String, CodingKey {
      case sequence = "seq"
      case time = "time_ns"
      case task = "pid"
      case mm, today, encoding, text, decides
    }
  }

  struct Audit: Codable {
    struct Example: Codable, Equatable {
      var text: String
      var mm: UInt32
      /// Hexadecimal page number; left out where there is none.
      var page: String?
      var sequence: UInt64
      /// Of findings only: what happened to the page, oldest first.
      var history: [History]?

      enum CodingKeys: String, CodingKey {
        case text, mm, page, history
        case sequence = "seq"
      }

      init(_ example: AuditExample) {
        text = example.text
        mm = example.mm.rawValue
        page = example.page.map { String($0.rawValue, radix: 16) }
        sequence = example.sequence.rawValue
        history = example.isFinding ? example.history.map(History.init) : nil
      }

      var example: AuditExample {
        var example = AuditExample(
          text, mm: MMID(mm), page: page.flatMap { UInt64($0, radix: 16) }.map { VirtualPage($0) },
          sequence: Sequence(sequence))
        example.isFinding = history != nil
        example.history = (history ?? []).map(HistoryEntry.init)
        return example
      }
    }

    var type = "audit"
    var name: String
    var figures: [String: Cost]
    /// Left out where there is none.
    var examples: [Example]?

    init(_ audit: AuditResult) {
      name = audit.name
      figures = audit.figures.byName.mapValues(Cost.exactly)
      for figure in audit.notObservable { figures[figure] = .notObservable }
      let all = audit.examples.map(Example.init)
      examples = all.isEmpty ? nil : all
    }

    /// The figures in the order of the audit's description, those it does not name by name.
    var result: AuditResult {
      let known = AuditRegistry.audit(named: name)?.description.figures.map(\.name) ?? []
      let order = known.filter { figures[$0] != nil } + figures.keys.filter { !known.contains($0) }.sorted()
      var (counts, notObservable): ([NamedCount], [String]) = ([], [])
      for figure in order {
        if case .exactly(let count) = figures[figure] {
          counts.append(NamedCount(name: figure, count: count))
        } else {
          notObservable.append(figure)
        }
      }
      return AuditResult(
        name: name, figures: counts, notObservable: notObservable,
        examples: (examples ?? []).map(\.example))
    }
  }

  struct Loss: Codable {
    var type = "loss"
    /// CPU number to records lost; `null` where the kernel gave no count.
    var perCPU: [String: UInt64?]
    var unknownAddressSpaces: UInt64

    enum CodingKeys: String, CodingKey {
      case type
      case perCPU = "per_cpu"
      case unknownAddressSpaces = "unknown_mms"
    }
  }

  /// One row of the table of gaps. Only name and count are read back: the rest is the table's.
  struct Gap: Codable {
    var type = "gap"
    var name: String
    var count: UInt64
    var severity: String
    var unit: String

    init(_ gap: MMEvents.Gap, _ count: UInt64) {
      let description = gap.description
      name = description.name
      self.count = count
      severity = description.severity.rawValue
      unit = description.unit
    }
  }

  struct Summary: Codable {
    var type = "summary"
    var events: UInt64
    /// What the gaps of severity `doubt` and `loss` count.
    var unknownEvents: UInt64
    var trustedNanoseconds: UInt64
    var denominators: Denominators?
    var verification: VerificationObject
    /// What `replay` exits with when nothing else is asked (`--fail-on`).
    var exit: Int32

    enum CodingKeys: String, CodingKey {
      case type, events
      case unknownEvents = "unknown_events"
      case trustedNanoseconds = "trusted_ns"
      case verification = "verify"
      case denominators, exit
    }
  }

  /// What every count of a result is a count among. Not in results of older versions.
  struct Denominators: Codable, Equatable {
    var trustedNanoseconds: UInt64
    var events: UInt64
    /// Judged, by the encoding that judged most.
    var entries: UInt64
    /// `null` where the capture does not show them.
    var forks: UInt64?
    var faults: UInt64?

    enum CodingKeys: String, CodingKey {
      case trustedNanoseconds = "trusted_ns"
      case events
      case entries = "checked_entries"
      case forks, faults
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(trustedNanoseconds, forKey: .trustedNanoseconds)
      try container.encode(events, forKey: .events)
      try container.encode(entries, forKey: .entries)
      try container.encode(forks, forKey: .forks)
      try container.encode(faults, forKey: .faults)
    }
  }

  struct Version: Codable {
    var version: Int
  }

  /// Read first, to learn which of the above a line is.
  struct Kind: Codable {
    var type: String
  }
}
