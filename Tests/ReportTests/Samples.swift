// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Report

/// Small results made by hand.
enum Sample {
  static func divergence(
    _ encoding: EncodingID = .cRaw, _ verdict: Verdict = .unsafe, _ certainty: Certainty = .definite,
    rule: RuleID = .c1, transition: Transition = .fork, order: UInt8 = 0, count: UInt64 = 3, sequence: UInt64 = 41,
    frame: UInt64? = nil, history: [HistoryEntry] = [forkStory]
  ) -> Divergence {
    Divergence(
      encoding: encoding, verdict: verdict, certainty: certainty, rule: rule, transition: transition,
      order: FolioOrder(order), count: count, firstSequence: Sequence(sequence),
      firstTime: Timestamp(nanoseconds: 2_000_000_123), mm: MMID(1), page: VirtualPage(0x7f00_1234_5),
      frame: frame.map { PFN($0) }, history: history)
  }

  static let forkStory = HistoryEntry(
    sequence: Sequence(40), time: Timestamp(nanoseconds: 2_000_000_001), task: TaskID(4711),
    today: "r D PAE-", encoding: "r D +", text: "fork: shared, P")

  static func result(
    _ divergences: [Divergence] = [], kernel: String = "6.18.44", name: String = "redis.cow"
  ) -> ReplayResult {
    let encodings = EncodingID.standard.map { id in
      var verdicts: [Verdict: CertaintyCounts] = [:]
      for found in divergences where found.encoding == id {
        verdicts[found.verdict, default: CertaintyCounts()][found.certainty] += found.count
      }
      return EncodingResult(
        id: id, checks: 1_234_567, verdicts: verdicts,
        costs: [
          NamedCount(name: "zz_made_up", count: 7), NamedCount(name: "page_flag_atomics", count: 9_876_543_210),
        ])
    }
    return ReplayResult(
      capture: CaptureSummary(
        name: name, kernel: kernel, command: ["redis-server", "--port", "0"], records: 5_000,
        spanNanoseconds: 3_500_000_000, addressSpaces: 2),
      encodings: encodings, divergences: divergences, audits: [],
      loss: LossSummary(perCPU: [], unknownAddressSpaces: 0), verification: agreeing, events: 4_000,
      gaps: GapCounts(), trustedNanoseconds: 3_500_000_000)
  }

  static var agreeing: Verification {
    var verification = Verification()
    verification.decisions.agree = 100
    return verification
  }

  static func disagreement() -> Finding {
    Finding(
      evidence: .decision, cause: "reused, although the model sees other mappers", sequence: Sequence(77),
      time: Timestamp(nanoseconds: 5), mm: MMID(2),
      page: VirtualPage(0x5555), expected: "copy", observed: "reuse", history: [forkStory])
  }

  /// Every field set to something that is not its default.
  static var rich: ReplayResult {
    var result = result([
      divergence(frame: 99), divergence(.aAndEager, .conservativeCopy, .possible, rule: .i1, order: 9, count: 1),
      divergence(.aOr, .better, rule: .a1, count: 12),
    ])
    result.audits = [
      AuditResult(name: "mprotect", figures: [NamedCount(name: "batches", count: 5)], notObservable: ["bug_unsafe"])
    ]
    result.loss = LossSummary(perCPU: [(CPU(0), 12), (CPU(3), nil)], unknownAddressSpaces: 1)
    result.gaps[.hugetlbNotFollowed] = 4
    result.gaps[.contradictoryFaults] = 2
    result.trustedNanoseconds = 1_000_000_007
    result.verification.entries.unknown = 5
    result.verification.pages.disagree = 1
    result.verification.notComparedCauses = [NamedCount(name: "changed", count: 7)]
    result.verification.unknownCauses = [NamedCount(name: "attached", count: 5)]
    result.verification.disagreementCauses = [NamedCount(name: "stale", count: 1)]
    result.verification.firstDisagreement = disagreement()
    result.timeline = timeline
    result.processes = processes
    return result
  }

  /// A server that had been there, and its child, which did nothing that names its pid.
  static var processes: [ProcessAccount] {
    var server = ProcessAccount(mm: MMID(1), task: TaskID(4711), first: Sequence(3), last: Sequence(.max))
    (server.name, server.forks, server.copies, server.reuses) = ("redis-server", 3, 31, 5)
    var child = ProcessAccount(mm: MMID(2), parent: MMID(1), first: Sequence(40), last: Sequence(77))
    child.forks = 1
    return [server, child]
  }

  /// Four stretches of half a second. In the third a CPU's records are lost.
  static var timeline: Timeline {
    var timeline = Timeline(start: Timestamp(nanoseconds: 1_000_000_000), interval: 500_000_000, points: 4)
    timeline.gauges = [
      .exclusivePages: [10, 200, 0, 40], .sharedPages: [0, 100, 0, 7], .unknownPages: [0, 0, 0, 3],
      .swappedPages: [0, 0, 20, 20], .bitmapBytes: [0, 128, 1_280, 64], .pageTables: [3, 6, 9, 9],
      .emptyTables: [0, 1, 2, 2], .missingCPUs: [0, 0, 1, 0],
    ]
    timeline.counts = [
      .forks: [0, 2, 0, 1], .copies: [0, 30, 1, 0], .reuses: [5, 0, 0, 0], .collapses: [0, 0, 1, 0],
      .losses: [0, 0, 1, 1],
    ]
    for id in EncodingID.standard where id != .baseline {
      timeline.divergences[id] = Timeline.Divergences(definite: [0, 0, 0, 0], possible: [0, 0, 0, 0])
    }
    timeline.divergences[.cRaw] = Timeline.Divergences(definite: [0, 3, 0, 0], possible: [0, 0, 0, 0])
    timeline.divergences[.aAndEager] = Timeline.Divergences(definite: [0, 0, 0, 0], possible: [0, 1, 0, 0])
    return timeline
  }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
