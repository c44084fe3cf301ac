// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import MMEvents
import Replay
import Report
import Testing

@testable import Pipeline

/// Every (encoding, verdict, cost, rule) over every fixture: what may be said of it follows from what the capture can
/// show.
@Suite("What the fixtures can show")
struct FixtureObservabilityTests {
  struct Fixture: CustomTestStringConvertible {
    var path: String
    /// Beyond what no tracepoint shows.
    var limits: [Capability]

    var testDescription: String { path }
  }

  /// How they were recorded: `fixtures/*/README.md`. A file of trace-cmd does not say what was enabled: what has no
  /// record there is not known to be none. 6.1 has no events of KSM; arm64 has none of faults and TLB flushes.
  static let fixtures = [
    Fixture(path: "captures/6.18-shell", limits: [.snapshots]), Fixture(path: "captures/6.12-tour", limits: []),
    Fixture(path: "captures/6.1-tour", limits: [.merges]),
    Fixture(path: "captures/6.12-two-nodes", limits: [.snapshots]),
    Fixture(path: "captures/6.1-two-nodes", limits: [.merges, .snapshots]),
    Fixture(
      path: "captures/6.12-arm64-tour.dat",
      limits: [
        .pageFaults, .flushes, .migrationEntries, .collapses, .merges, .swapWrites, .signals, .snapshots,
      ]),
    Fixture(
      path: "captures/6.12-arm64-two-nodes.dat",
      limits: [.pageFaults, .flushes, .collapses, .merges, .swapWrites, .signals, .snapshots]),
    Fixture(
      path: "tracefile/shell.dat",
      limits: [.insertions, .migrationEntries, .collapses, .merges, .swapWrites, .snapshots]),
    Fixture(
      path: "tracefile/shell-report.txt",
      limits: [.insertions, .migrationEntries, .collapses, .merges, .swapWrites, .snapshots]),
    Fixture(
      path: "tracefile/two-buffers-zstd.dat",
      limits: [.migrationEntries, .collapses, .merges, .swapWrites, .snapshots]),
  ]

  static let unseen: [Capability] = [.pins, .stableWrites]

  private func replay(_ fixture: Fixture) throws -> ReplayResult {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../fixtures/\(fixture.path)")
    return try Analysis(path: path.standardizedFileURL.path)
      .replay()
  }

  @Test("Capabilities, trust, and what follows for each verdict, cost and rule", arguments: fixtures)
  func everything(_ fixture: Fixture) throws {
    let result = try replay(fixture)
    #expect(result.capture.capabilities.missing == fixture.limits + Self.unseen)
    // Nothing is swapped out or freed lazily in any of them.
    #expect(result.capture.occurrences.isEmpty)
    #expect(result.trust.isTrusted == !fixture.limits.contains(.pageFaults))
    #expect(result.encodings.count == EncodingID.standard.count)
    let kernel = try #require(result.audits.first { $0.name == "kernel" })
    #expect(kernel.isEmpty && kernel.figures.isEmpty == fixture.limits.contains(.pageFaults))
    for encoding in result.encodings where encoding.id != .baseline {
      #expect(encoding.checks > 0)
      for verdict in Verdict.allCases where verdict != .ok { check(verdict, encoding, result) }
      for kind in CostKind.allCases { check(kind, encoding, result) }
      for rule in RuleCatalogue.all where rule.applies(to: encoding.id) { check(rule.id, encoding, result) }
    }
  }

  private func check(_ verdict: Verdict, _ encoding: EncodingResult, _ result: ReplayResult) {
    let isC = encoding.id == .cRaw || encoding.id == .cStrict
    let observation = encoding.observation(of: verdict, in: result.capture)
    let counts = encoding.verdicts[verdict] ?? CertaintyCounts()
    switch verdict {
    case .conservativePin, .livelock: #expect(observation == .notObservable(.pinsUnseen))
    case .dataLoss: #expect(observation == (isC ? .evaluated(counts) : nil))
    case .invariantBreak: #expect(observation == (isC ? nil : .evaluated(counts)))
    case .unsafe, .unsafeIO, .conservativeCopy, .conservativeFault, .lost, .better, .ok:
      #expect(observation == .evaluated(counts))
    }
    // A trace without faults proves nothing for certain.
    if !result.capture.capabilities.contains(.pageFaults) { #expect(counts.definite == 0) }
  }

  private func check(_ kind: CostKind, _ encoding: EncodingResult, _ result: ReplayResult) {
    let observation = encoding.observation(ofCost: kind.name, in: result.capture)
    let seen = encoding.costs.first { $0.name == kind.name }?.count ?? 0
    func entries(_ verdicts: [Verdict]) -> UInt64 {
      verdicts.reduce(0) { sum, verdict in
        let counts = encoding.verdicts[verdict] ?? CertaintyCounts()
        return sum + counts.definite + counts.possible
      }
    }
    func range(_ more: UInt64) -> Observation<UInt64> {
      more == 0 ? .evaluated(seen) : .bounded(seen, seen + more)
    }
    switch kind {
    case .extraCopies: #expect(observation == range(entries([.conservativeCopy])))
    case .extraFaults: #expect(observation == range(entries([.conservativeCopy, .conservativeFault])))
    case .bitmapAllocationFailures where encoding.id == .b:
      #expect(observation == .notObservable(.allocationsNeverFail))
    default:
      #expect(observation == (encoding.id == .cRaw ? .notObservable(.noWorldOfItsOwn) : .evaluated(seen)))
    }
  }

  /// By hand from the definitions: which rules a replay files something under, and which it asks of the whole state, for
  /// a family of encodings.
  private func check(_ rule: RuleID, _ encoding: EncodingResult, _ result: ReplayResult) {
    let observation = encoding.observation(ofRule: rule, in: result.capture)
    let filed: Set<RuleID> =
      switch encoding.id {
      case .cRaw, .cStrict: [.c1, .c2, .c3, .i15, .i16]
      case .b: [.b1, .b3, .i7, .i15, .i16]
      default: [.a1, .i1, .i7, .i15, .i16]
      }
    // What the whole state is asked, where there was any at a snapshot or the end.
    let common: Set<RuleID> = [.i1, .i2, .i3, .i4, .i9, .i12, .i14]
    let asked: Set<RuleID> =
      switch encoding.id {
      case .cRaw: []
      case .cStrict: common.union([.c1])
      case .b: common.union([.b1, .b2, .b3])
      default: common.union([.a1])
      }
    let states = encoding.states.filter { $0.checked > 0 }
    #expect(states.isEmpty || Set(states.map(\.rule)) == asked, "\(encoding.id)")
    if let state = states.first(where: { $0.rule == rule }) {
      #expect(observation == .evaluated(max(encoding.checks, state.checked)), "\(encoding.id) \(rule.rawValue)")
    } else if rule == .i5 || rule == .i6 {
      #expect(observation == .notObservable(.pinsUnseen), "\(rule.rawValue)")
    } else {
      #expect(
        observation == (filed.contains(rule) ? .evaluated(encoding.checks) : nil), "\(encoding.id) \(rule.rawValue)")
    }
  }
}
