// SPDX-License-Identifier: GPL-2.0-only

/// The lines of a merged result as they stand in the file, one kind of object a type. Counts of several captures are
/// kept with the number of captures that could show them: what one capture cannot show is not 0 in it.
enum MergedLine {
  /// What follows from the parts; only `version` and `not_merged` are read back.
  struct Header: Codable {
    var type = "merge"
    var version = ResultLine.version
    var captures: UInt64
    var trusted: UInt64
    var hosts: UInt64
    var kernels: [String: UInt64]
    var tools: [String: UInt64]
    var trust: Trust
    var denominators: Denominators
    /// The same of the captures that are trusted.
    var trustedDenominators: Denominators
    /// Lines of a kind that this version cannot merge, and in how many captures.
    var notMerged: [String: UInt64]

    enum CodingKeys: String, CodingKey {
      case type, version, captures, trusted, hosts, kernels, tools, trust, denominators
      case trustedDenominators = "trusted_denominators"
      case notMerged = "not_merged"
    }
  }

  struct Trust: Codable {
    var state: String
    /// Why captures are not trusted, by the name of the reason, and how many.
    var reasons: [String: UInt64]
    var sentence: String
  }

  /// Sums; `forks` and `faults` with the number of captures that show them.
  struct Denominators: Codable, Equatable {
    var trustedNanoseconds: UInt64 = 0
    var events: UInt64 = 0
    var entries: UInt64 = 0
    var forks = Shown()
    var faults = Shown()

    enum CodingKeys: String, CodingKey {
      case trustedNanoseconds = "trusted_ns"
      case events
      case entries = "checked_entries"
      case forks, faults
    }
  }

  struct Shown: Codable, Equatable {
    var count: UInt64 = 0
    var captures: UInt64 = 0
  }

  /// One capture.
  struct Part: Codable, Equatable {
    var type = "part"
    var capture: String
    var host: String
    var kernel: String
    var tool: String
    var workload: String?
    var thp: String?
    var mthp: [String: String]
    /// The path under which it was replayed.
    var name: String
    var isTrusted: Bool
    /// Names of `trust`'s reasons, each once.
    var reasons: [String]
    var denominators: ResultLine.Denominators

    enum CodingKeys: String, CodingKey {
      case type, capture, host, kernel, tool, workload, thp, mthp, name, reasons, denominators
      case isTrusted = "trusted"
    }
  }

  struct Encoding: Codable, Equatable {
    var type = "encoding"
    var id: String
    /// In how many captures it was replayed.
    var captures: UInt64
    var checks: UInt64
    var verdicts: [String: Verdict]
    var costs: [String: Cost]
    var states: [String: State]
  }

  struct Verdict: Codable, Equatable {
    var definite: UInt64 = 0
    var possible: UInt64 = 0
    /// In how many captures it could be observed.
    var captures: UInt64 = 0
  }

  /// A sum, or of a peak the highest.
  struct Cost: Codable, Equatable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var captures: UInt64 = 0
  }

  struct State: Codable, Equatable {
    var checked: UInt64 = 0
    var definite: UInt64 = 0
    var possible: UInt64 = 0
  }

  /// All occurrences of one signature in all captures.
  struct Divergence: Codable, Equatable {
    var type = "divergence"
    var encoding: String
    var verdict: String
    var certainty: String
    var rule: String
    var transition: String
    var order: UInt8
    var count: UInt64
    /// In how many captures it was found.
    var captures: UInt64
    var exemplar: Exemplar
  }

  /// A capture that was chosen by hash, and where in it.
  struct Exemplar: Codable, Equatable {
    var capture: String
    var host: String
    var kernel: String
    var name: String
    var sequence: UInt64
    var time: UInt64
    var mm: UInt32
    var address: String
    var frame: UInt64?
    var history: [ResultLine.History]

    enum CodingKeys: String, CodingKey {
      case capture, host, kernel, name, mm, history
      case sequence = "seq"
      case time = "time_ns"
      case address = "addr"
      case frame = "pfn"
    }
  }

  struct Audit: Codable, Equatable {
    var type = "audit"
    var name: String
    var captures: UInt64
    var figures: [String: Shown]
    var examples: [Example]
  }

  struct Example: Codable, Equatable {
    var capture: String
    var host: String
    var kernel: String
    var name: String
    var example: ResultLine.Audit.Example
  }

  struct Loss: Codable, Equatable {
    var type = "loss"
    var records: UInt64 = 0
    /// Captures that lost records, and those of them whose kernel gave no number.
    var captures: UInt64 = 0
    var uncounted: UInt64 = 0
    var unknownAddressSpaces: UInt64 = 0

    enum CodingKeys: String, CodingKey {
      case type, records, captures, uncounted
      case unknownAddressSpaces = "unknown_mms"
    }
  }

  struct Verification: Codable, Equatable {
    var decisions = Tally()
    var entries = Tally()
    var pages = Tally()
    var tables = Tally()
    var scans = Tally()
    var unknownCauses: [String: UInt64] = [:]
    var notCompared: [String: UInt64] = [:]
    var disagreementCauses: [String: UInt64] = [:]
    /// Of the captures in which the kernel disagrees, one chosen by hash.
    var disagreement: Disagreement?
    /// `checked` and `known`; absent where no capture has it.
    var coverage: MergedSeries?

    enum CodingKeys: String, CodingKey {
      case decisions, entries, pages, tables, scans, disagreement, coverage
      case unknownCauses = "unknown_causes"
      case notCompared = "not_compared"
      case disagreementCauses = "disagreement_causes"
    }
  }

  struct Tally: Codable, Equatable {
    var agree: UInt64 = 0
    var disagree: UInt64 = 0
    var unknown: UInt64 = 0
  }

  struct Disagreement: Codable, Equatable {
    var evidence: String
    var cause: String
    var expected: String
    var observed: String
    var exemplar: Exemplar
  }

  /// Counts over time; gauges are not merged.
  struct Timeline: Codable {
    var type = "timeline"
    var series: MergedSeries
  }

  struct Summary: Codable {
    var type = "summary"
    var verification: Verification
    /// 0: every capture is trusted; 3: not.
    var exit: Int32

    enum CodingKeys: String, CodingKey {
      case type, exit
      case verification = "verify"
    }
  }
}
