// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Report
import Testing

@Suite("Exit status")
struct OutcomeTests {
  @Test("A certain UNSAFE is a hit, whatever was lost")
  func certain() {
    var result = Sample.result([Sample.divergence(.aAndEager)])
    #expect(result.outcome(failingOn: .unsafe) == .conditionHit)
    result.loss = LossSummary(perCPU: [(CPU(0), nil)], unknownAddressSpaces: 2)
    result.capture.capabilities = Capabilities()
    #expect(result.outcome(failingOn: .unsafe) == .conditionHit)
  }

  @Test("A possible UNSAFE leaves the answer open")
  func possible() {
    let result = Sample.result([Sample.divergence(.aAndEager, .unsafe, .possible)])
    #expect(result.outcome(failingOn: .unsafe) == .inconclusive)
    #expect(result.unanswered(.unsafe) == [Unanswered(encoding: .aAndEager, verdict: .unsafe, reason: .possible)])
    #expect(result.outcome() == .done)
  }

  @Test("Instruments count where they are named, and then nothing else does", arguments: [EncodingID.cRaw, .aOr])
  func instruments(_ instrument: EncodingID) {
    var result = Sample.result([Sample.divergence(instrument)])
    #expect(result.outcome(failingOn: .divergence) == .done)
    result.named = [.aAndEager]
    #expect(result.outcome(failingOn: .divergence) == .done)
    result.named = [.aAndEager, instrument]
    #expect(result.outcome(failingOn: .unsafe) == .conditionHit)
  }

  @Test("A condition whose verdicts could not be seen has no answer; one that does not need them has")
  func notObservable() {
    var result = Sample.result()
    result.capture.capabilities.remove(.pins)
    #expect(result.outcome(failingOn: .unsafe) == .done)
    #expect(result.outcome(failingOn: .corruption) == .inconclusive)
    #expect(result.unanswered(.corruption).allSatisfy { $0.reason == .notObservable(.pinsUnseen) })
    result = Sample.result([Sample.divergence(.aAndEager, .dataLoss)])
    result.capture.capabilities = Capabilities()
    #expect(result.outcome(failingOn: .corruption) == .conditionHit)
  }

  @Test("A rule that the whole state breaks counts like the verdict that is filed under it")
  func states() throws {
    var result = Sample.result()
    let index = try #require(result.encodings.firstIndex { $0.id == .aAndEager })
    func report() -> String { TextReport(style: Style(isColoured: false)).render(result) }
    result.encodings[index].states = [StateRuleCount(rule: .a1, checked: 9, broken: CertaintyCounts(possible: 2))]
    #expect(result.outcome(failingOn: .unsafe) == .inconclusive)
    #expect(report().contains("A-and-eager  may break A1  2 entries possible, in the state"))
    result.encodings[index].states = [StateRuleCount(rule: .a1, checked: 9, broken: CertaintyCounts(definite: 2))]
    #expect(result.outcome(failingOn: .unsafe) == .conditionHit)
    #expect(report().contains("A-and-eager  breaks A1  2 entries definite, in the state"))
    // I14 is filed under no verdict of `unsafe`.
    result.encodings[index].states = [StateRuleCount(rule: .i14, checked: 9, broken: CertaintyCounts(definite: 1))]
    #expect(result.outcome(failingOn: .unsafe) == .done)
    #expect(result.outcome(failingOn: .divergence) == .conditionHit)
    result.named = [.cStrict]
    #expect(result.outcome(failingOn: .divergence) == .done)
  }

  @Test("What a capture cannot show is told in every form")
  func limits() throws {
    var result = Sample.rich
    result.capture.capabilities.remove(.pageFaults)
    result.capture.capabilities.remove(.merges)
    #expect(result.outcome() == .inconclusive)
    let back = try ResultReader.read(try ResultWriter().lines(of: result))
    #expect(back.capture.capabilities.missing == [.pageFaults, .merges])
    let screen = TextReport(style: Style(isColoured: false)).render(back)
    #expect(screen.contains("  no page faults: "))
    #expect(screen.contains("  limits: no-ksm-merges"))
    #expect(screen.split(separator: "\n").allSatisfy { $0.count <= 100 })
    #expect(HTMLReport().render(back).contains("no-page-faults"))
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

  @Test("verify: an answer that is not to be relied on is none")
  func verifyTrust() {
    var result = Sample.result()
    result.gaps[.malformedRecords] = 1
    #expect(result.verificationOutcome == .inconclusive)
    result.verification.pages.disagree = 1
    #expect(result.verificationOutcome == .conditionHit)
  }
}
