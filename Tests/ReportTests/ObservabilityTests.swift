// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Report
import Testing

@Suite("What can be observed")
struct ObservabilityTests {
  private func capture(without missing: [Capability], _ occurrences: Set<Occurrence> = []) -> CaptureSummary {
    var capture = Sample.result().capture
    for capability in missing { capture.capabilities.remove(capability) }
    capture.occurrences = occurrences
    return capture
  }

  private func encoding(_ id: EncodingID, _ verdicts: [Verdict: CertaintyCounts] = [:]) -> EncodingResult {
    EncodingResult(
      id: id, checks: 10, verdicts: verdicts, costs: CostKind.allCases.map { NamedCount(name: $0.name, count: 0) })
  }

  private let tracepoints: [Capability] = [.pins, .stableWrites]

  @Test("Tracepoints show no pin, whatever happened: CONS-pin and LIVELOCK, I5 and I6 are not observable")
  func pins() {
    let capture = capture(without: tracepoints)
    for id in EncodingID.allCases where id != .baseline {
      for verdict in [Verdict.conservativePin, .livelock] {
        #expect(encoding(id).observation(of: verdict, in: capture) == .notObservable(.pinsUnseen))
      }
      for rule in [RuleID.i5, .i6] {
        #expect(encoding(id).observation(ofRule: rule, in: capture) == .notObservable(.pinsUnseen))
      }
      #expect(encoding(id).observation(of: .unsafe, in: capture) == .evaluated(CertaintyCounts()))
    }
  }

  @Test("Data can be lost where something is reclaimed or freed lazily, and only by who gives the dirty bit a meaning")
  func dirtyData() {
    #expect(encoding(.aAndEager).observation(of: .dataLoss, in: capture(without: tracepoints)) == nil)
    let quiet = capture(without: tracepoints)
    #expect(encoding(.cStrict).observation(of: .dataLoss, in: quiet) == .evaluated(CertaintyCounts()))
    for occurrence in Occurrence.allCases {
      // What reclaim writes and frees tells what was dirty.
      let seen = capture(without: tracepoints, [occurrence])
      #expect(encoding(.cStrict).observation(of: .dataLoss, in: seen) == .evaluated(CertaintyCounts()))
      let busy = capture(without: tracepoints + [.swapWrites], [occurrence])
      #expect(encoding(.cStrict).observation(of: .dataLoss, in: busy) == .notObservable(.dirtyDataUnseen))
      #expect(encoding(.cStrict).observation(ofRule: .c3, in: busy) == .notObservable(.dirtyDataUnseen))
      let cost = CostKind.extraWritebackPages.name
      #expect(encoding(.cStrict).observation(ofCost: cost, in: busy) == .notObservable(.dirtyDataUnseen))
      #expect(encoding(.aAndEager).observation(ofCost: cost, in: busy) == .evaluated(0))
    }
    // Without counters nobody knows that nothing went to swap.
    let blind = capture(without: tracepoints + [.counters])
    #expect(encoding(.cStrict).observation(of: .dataLoss, in: blind) == .notObservable(.dirtyDataUnseen))
    #expect(encoding(.aAndEager).observation(of: .unsafeIO, in: blind) == .notObservable(.stableWritesUnseen))
  }

  @Test("UNSAFE-io matters where something was swapped out")
  func stableWrites() {
    #expect(
      encoding(.aAndEager).observation(of: .unsafeIO, in: capture(without: tracepoints))
        == .evaluated(CertaintyCounts()))
    #expect(
      encoding(.aAndEager).observation(of: .unsafeIO, in: capture(without: tracepoints, [.swapOut]))
        == .notObservable(.stableWritesUnseen))
    #expect(
      encoding(.aAndEager).observation(of: .unsafeIO, in: capture(without: [.pins], [.swapOut]))
        == .evaluated(CertaintyCounts()))
  }

  @Test("Writes that leave no event make copies and faults a range: from what was seen to one for each entry")
  func ranges() {
    let capture = capture(without: tracepoints)
    let found = encoding(
      .aAndEager,
      [.conservativeCopy: CertaintyCounts(definite: 4, possible: 1), .conservativeFault: CertaintyCounts(definite: 2)])
    #expect(found.observation(ofCost: "extra_copies", in: capture) == .bounded(0, 5))
    #expect(found.observation(ofCost: "extra_faults", in: capture) == .bounded(0, 7))
    #expect(encoding(.aAndEager).observation(ofCost: "extra_copies", in: capture) == .evaluated(0))
    let raw = encoding(.cRaw, [.conservativeCopy: CertaintyCounts(definite: 9)])
    #expect(raw.observation(ofCost: "extra_copies", in: capture) == .bounded(0, 9))
    #expect(raw.observation(ofCost: "bitmap_lines", in: capture) == .notObservable(.noWorldOfItsOwn))
  }

  @Test("What was seen was observable; what was not looked at is not \"never\"")
  func seen() {
    let capture = capture(without: tracepoints)
    let hit = CertaintyCounts(definite: 0, possible: 1)
    #expect(
      encoding(.aAndEager, [.conservativePin: hit]).observation(of: .conservativePin, in: capture) == .evaluated(hit))
    var idle = encoding(.aAndEager)
    idle.checks = 0
    #expect(idle.observation(of: .unsafe, in: capture) == .notObservable(.nothingJudged))
  }

  @Test("The text says n/o, once why, and never only of what could be seen")
  func text() throws {
    var result = Sample.result()
    result.capture = capture(without: tracepoints)
    let report = TextReport(style: Style(isColoured: false)).render(result)
    let why = "not observable here: CONS-pin, LIVELOCK, I5, I6: no event shows FOLL_PIN in this capture"
    #expect(report.matches(of: try Regex("no event shows FOLL_PIN")).count == 1)
    #expect(report.contains(why))
    let never = try #require(report.split(separator: "\n").first { $0.contains("never in") })
    #expect(never.contains("never in 1,234,567 entries: UNSAFE") && !never.contains("CONS-pin"))
    let json = String(decoding: try ResultWriter().lines(of: result), as: UTF8.self)
    #expect(json.contains(#""CONS-pin":"not-observable""#))
    #expect(json.contains(#""UNSAFE":{"definite":0,"possible":0}"#))
  }
}
