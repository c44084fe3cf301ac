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
    /// Absent when nothing limits the capture.
    var limits: [String]?

    enum CodingKeys: String, CodingKey {
      case type, version, name, kernel, command, records, limits
      case spanNanoseconds = "span_ns"
      case addressSpaces = "mms"
      case pageShift = "page_shift"
    }
  }

  struct Encoding: Codable {
    var type = "encoding"
    var id: String
    var checks: UInt64
    var verdicts: [String: UInt64]
    var costs: [String: UInt64]
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

  struct History: Codable {
    var sequence: UInt64
    var time: UInt64
    var task: Int32
    var text: String

    enum CodingKeys: String, CodingKey {
      case sequence = "seq"
      case time = "time_ns"
      case task = "pid"
      case text
    }
  }

  struct Audit: Codable {
    var type = "audit"
    var name: String
    var figures: [String: UInt64]
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
    var verification: VerificationObject
    /// What `replay` exits with when nothing else is asked (`--fail-on`).
    var exit: Int32

    enum CodingKeys: String, CodingKey {
      case type, events
      case unknownEvents = "unknown_events"
      case trustedNanoseconds = "trusted_ns"
      case verification = "verify"
      case exit
    }
  }

  /// Read first, to learn which of the above a line is.
  struct Kind: Codable {
    var type: String
  }
}
