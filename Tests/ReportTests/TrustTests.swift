// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
import MMEvents
import Replay
import Report
import Testing

@Suite("Trust")
struct TrustTests {
  private func reasons(_ change: (inout ReplayResult) -> Void) -> [Trust.Reason] {
    var result = Sample.result()
    change(&result)
    return result.trust.reasons
  }

  @Test("Each reason by itself ends it")
  func reasons() {
    #expect(reasons { _ in } == [])
    #expect(reasons { $0.verification.pages.disagree = 2 } == [.disagreement(2, of: 102)])
    #expect(reasons { $0.capture.isIncomplete = true } == [.incomplete])
    #expect(reasons { $0.capture.records = 0 } == [.noRecords])
    #expect(reasons { for index in $0.encodings.indices { $0.encodings[index].checks = 0 } } == [.nothingJudged])
    #expect(reasons { $0.verification = Verification() } == [.nothingCompared])
    #expect(
      reasons { $0.loss.perCPU = [(CPU(0), 0), (CPU(1), nil), (CPU(2), 7)] }
        == [.loss(CPU(1), records: nil), .loss(CPU(2), records: 7)])
  }

  @Test("A baseline alone, as verify replays it, judges nothing and need not")
  func baselineOnly() {
    #expect(reasons { $0.encodings.removeAll { $0.id != .baseline } } == [])
  }

  @Test("Of the gaps, loss ends it, doubt counts as unknown, info changes nothing", arguments: Gap.allCases)
  func gaps(_ gap: Gap) {
    switch gap.description.severity {
    case .loss: #expect(reasons { $0.gaps[gap] = 1 } == [.gap(gap, 1)])
    // 100 agreed: 5 of 105 are less than 5 %, 6 of 106 are more.
    case .doubt:
      #expect(reasons { $0.gaps[gap] = 5 } == [])
      #expect(reasons { $0.gaps[gap] = 6 } == [.unknown(6, of: 106, limitPercent: 5)])
    case .info: #expect(reasons { $0.gaps[gap] = 1_000_000 } == [])
    }
  }

  @Test("A missing kind of event ends it where it is needed", arguments: Capability.allCases)
  func missing(_ capability: Capability) {
    let found = reasons { $0.capture.capabilities.remove(capability) }
    #expect(found == (capability.description.isNeeded ? [.missing(capability)] : []))
  }

  @Test("Exactly the limit is not above it, and the user may move it")
  func limit() {
    #expect(
      reasons {
        $0.verification.decisions.agree = 95
        $0.verification.decisions.unknown = 5
      } == [])
    #expect(
      reasons {
        $0.maxUnknownPercent = 0
        $0.verification.decisions.unknown = 1
      } == [.unknown(1, of: 101, limitPercent: 0)])
    #expect(
      reasons {
        $0.maxUnknownPercent = 100
        $0.verification.decisions.unknown = 1_000
      } == [])
  }

  @Test("The same sentence stands first in text, HTML, verify, KTAP and JSON")
  func sentence() throws {
    var result = Sample.result()
    result.verification.decisions.unknown = 3
    let trusted = "trusted: model and kernel agree 100 of 103 (3 unknown); nothing lost"
    #expect(TrustText.sentence(result) == trusted)
    result.loss.perCPU = [(CPU(1), nil)]
    let sentence = "NOT TRUSTED: cpu1 lost an unknown number of records"
    #expect(TrustText.sentence(result) == sentence)
    let style = Style(isColoured: false)
    #expect(TextReport(style: style).render(result).split(separator: "\n")[1] == sentence[...])
    #expect(VerificationText(style: style).render(result).split(separator: "\n")[1] == sentence[...])
    #expect(HTMLReport().render(result).contains("<p class=\"headline bad\">\(sentence)</p>\n<nav"))
    #expect(KTAPReport().render(result).contains("not ok 1 trust # \(sentence)\n"))
    let first = try #require(text(try ResultWriter().lines(of: result)).split(separator: "\n").first)
    #expect(
      first.contains(
        #""trust":{"max_unknown_percent":5,"reasons":[{"cpu":1,"name":"loss"}],"sentence":"\#(sentence)","#
          + #""state":"not-trusted"}"#))
  }

  @Test("Nothing is called fine in a result that is not trusted, or of nothing")
  func silence() {
    var result = Sample.result()
    let fine = ["No divergence in 1,234,567 entries", "Everything in the trace was followed", "lost: nothing"]
    let report = TextReport(style: Style(isColoured: false))
    for words in fine { #expect(report.render(result).contains(words)) }
    #expect(report.render(result).contains("A-and-eager  safe"))
    result.gaps[.refusedLines] = 1
    for words in fine { #expect(!report.render(result).contains(words)) }
    #expect(report.render(result).contains("A-and-eager  not shown unsafe"))
  }
}
