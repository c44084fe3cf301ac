// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Report
import Testing

@Suite("Exit status")
struct OutcomeTests {
  @Test("A certain UNSAFE is a hit, whatever was lost")
  func certain() {
    var result = Sample.result([Sample.divergence()])
    #expect(result.outcome(failingOn: .unsafe) == .conditionHit)
    result.loss = LossSummary(perCPU: [], unknownAddressSpaces: 2)
    #expect(result.outcome(failingOn: .unsafe) == .conditionHit)
  }

  @Test("A possible UNSAFE leaves the answer open")
  func possible() {
    let result = Sample.result([Sample.divergence(.b, .unsafe, .possible)])
    #expect(result.outcome(failingOn: .unsafe) == .inconclusive)
    #expect(result.outcome() == .done)
  }

  @Test("Loss that no snapshot repaired leaves the answer open; repaired loss does not")
  func loss() {
    var result = Sample.result()
    result.loss = LossSummary(perCPU: [(CPU(0), 5)], unknownAddressSpaces: 0)
    #expect(result.outcome(failingOn: .unsafe) == .done)
    result.loss.unknownAddressSpaces = 1
    #expect(result.outcome(failingOn: .unsafe) == .inconclusive)
    #expect(result.outcome() == .inconclusive)
  }

  @Test("What a capture cannot show leaves the answer open, and is told in every form")
  func limits() throws {
    var result = Sample.rich
    result.loss.unknownAddressSpaces = 0
    result.capture.limits = [.noPageFaults]
    #expect(result.outcome() == .inconclusive)
    let back = try ResultReader.read(try ResultWriter().lines(of: result))
    #expect(back.capture.limits == [.noPageFaults])
    let screen = TextReport(style: Style(isColoured: false)).render(back)
    #expect(screen.contains("  no page faults: "))
    #expect(screen.split(separator: "\n").allSatisfy { $0.count <= 100 })
    #expect(HTMLReport().render(back).contains("no page faults: "))
    result.verification = Verification()
    let verify = VerificationText(style: Style(isColoured: false)).render(result)
    #expect(verify.contains("the trace has no page faults"))
    #expect(verify.split(separator: "\n").allSatisfy { $0.count <= 120 })
  }

  @Test(
    "Each condition includes the milder ones before it",
    arguments: [
      (Verdict.unsafe, [FailureCondition.unsafe, .corruption, .divergence]),
      (.unsafeIO, [.unsafe, .corruption, .divergence]), (.dataLoss, [.corruption, .divergence]),
      (.conservativePin, [.corruption, .divergence]), (.livelock, [.divergence]), (.conservativeCopy, [.divergence]),
      (.conservativeFault, [.divergence]), (.lost, [.divergence]), (.better, []), (.ok, []),
    ])
  func conditions(verdict: Verdict, conditions: [FailureCondition]) {
    #expect(FailureCondition.allCases.filter { $0.includes(verdict) } == conditions)
  }

  @Test("verify: one disagreement is a hit, no evidence is no answer")
  func verify() {
    var result = Sample.result()
    #expect(result.verificationOutcome == .done)
    result.verification.entries.disagree = 1
    #expect(result.verificationOutcome == .conditionHit)
    result.verification = Verification()
    result.verification.decisions.unknown = 10
    #expect(result.verificationOutcome == .inconclusive)
  }
}
