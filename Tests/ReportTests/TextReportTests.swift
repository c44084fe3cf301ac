// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Report
import Testing

@Suite("Text report")
struct TextReportTests {
  private func render(_ result: ReplayResult, _ detail: TextReport.Detail = .screen) -> String {
    TextReport(style: Style(isColoured: false), detail: detail).render(result)
  }

  @Test("Every line fits 100 columns, with the longest names and the largest numbers")
  func width() {
    var result = Sample.rich
    for index in result.encodings.indices {
      for verdict in Verdict.allCases {
        result.encodings[index].verdicts[verdict] = CertaintyCounts(
          definite: 999_999_999_999, possible: 999_999_999_999)
      }
      result.encodings[index].costs = [NamedCount(name: "bitmap_allocations", count: 888_888)]
    }
    for gap in Gap.allCases { result.gaps[gap] = 999_999_999_999 }
    for line in render(result, .everything).split(separator: "\n") {
      #expect(line.count <= 100, "\(line.count): \(line)")
    }
  }

  @Test("The worst divergence comes first: severity, then certainty, then count")
  func worstFirst() throws {
    let report = render(
      Sample.result([
        Sample.divergence(.aAndEager, .conservativeFault, transition: .pin, count: 1_000),
        Sample.divergence(.aAndLazy, .unsafe, .possible, transition: .ksm, count: 500),
        Sample.divergence(.cStrict, .unsafe, transition: .numa, count: 1),
        Sample.divergence(.cStrict, .unsafe, transition: .mprotect, count: 2),
      ]))
    let places = try ["at mprotect, order 0; 2", "at numa, order 0; 1", "at ksm, order 0; 5", "at pin, order 0; 1"]
      .map { words in
        try #require(report.firstRange(of: words)?.lowerBound, "\(words) is missing")
      }
    #expect(places == places.sorted())
  }

  @Test("A divergence says how to see it again, with the frame when it is known")
  func reproduce() {
    let report = render(Sample.result([Sample.divergence(.cStrict, sequence: 812, frame: 4242)], name: "my trace.cow"))
    #expect(report.contains("cowscope replay 'my trace.cow' --until 812 --pfn 4242"))
    #expect(report.contains("r D PAE- r D +  fork: shared, P"))
    #expect(report.contains("addr 0x7f0012345000"))
  }

  @Test("Only five divergences and eight lines of history fit the screen; -v has all")
  func brevity() {
    let history = (1...20).map { number in
      HistoryEntry(
        sequence: Sequence(UInt64(number)), time: Timestamp(nanoseconds: 0), task: TaskID(1),
        today: "none", text: "step-\(number).")
    }
    let many = Transition.allCases.prefix(9).map { Sample.divergence(.cStrict, transition: $0, history: history) }
    let screen = render(Sample.result(many))
    #expect(screen.matches(of: #/C-strict: C1 at /#).count == 5)
    #expect(!screen.contains("step-12."))
    #expect(screen.contains("step-13."))
    #expect(screen.contains("12 earlier"))
    #expect(render(Sample.result(many), .everything).matches(of: #/C-strict: C1 at /#).count == 9)
    #expect(render(Sample.result(many), .everything).contains("step-1."))
  }

  @Test("Loss is said in the header, with what it did to knowledge")
  func loss() {
    let report = render(Sample.rich)
    #expect(report.contains("cpu0 12"))
    #expect(report.contains("cpu3 an unknown number"))
    #expect(report.contains("1 mm unknown"))
    #expect(report.contains("before the first loss: 1.000000 s"))
    #expect(render(Sample.result()).contains("lost: nothing"))
  }

  @Test("What was not followed and what was not explained is counted")
  func unknowns() {
    let report = render(Sample.rich)
    #expect(report.contains("hugetlb-not-followed (doubt): 4 faults: faults on hugetlb with a userfaultfd, in pages"))
    #expect(report.contains("contradictory-faults (doubt): 2 faults: faults with contradictory evidence"))
    #expect(render(Sample.result()).contains("Everything in the trace was followed and explained."))
  }

  @Test("The verify line says how often, and the first disagreement says what")
  func verify() {
    let report = render(Sample.rich)
    #expect(report.contains("model and kernel agree 100 of 101 times, 5 more are of unknown state"))
    #expect(report.contains("first disagreement: decision at seq 77, mm2, addr 0x5555000"))
    #expect(report.contains("model: copy; kernel: reuse"))
    var silent = Sample.result()
    silent.verification = Verification()
    #expect(render(silent).contains("nothing to compare"))
  }

  @Test("Colours only when asked for")
  func colours() {
    #expect(!render(Sample.rich, .everything).contains("\u{1b}"))
    #expect(
      TextReport(style: Style(isColoured: true)).render(Sample.result([Sample.divergence(.aAndEager)])).contains(
        "\u{1b}[1;31mUNSAFE\u{1b}[0m"))
  }
}
