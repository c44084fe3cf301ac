// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
import MMEvents
import Replay
import Report
import Testing

@Suite("KTAP")
struct KTAPTests {
  private func lines(_ result: ReplayResult) -> [String] {
    KTAPReport().render(result).split(separator: "\n").map(String.init)
  }

  @Test("The plan counts the test points, numbered from 1 without a gap")
  func plan() throws {
    let lines = lines(Sample.rich)
    #expect(lines[0] == "KTAP version 1")
    let numbers = lines.compactMap { $0.firstMatch(of: #/^(?:not )?ok ([0-9]+) /#).flatMap { Int($0.1) } }
    #expect(lines[1] == "1..\(numbers.count)")
    #expect(numbers == Array(1...numbers.count))
  }

  @Test("A rule broken for certain is not ok, one that only may be is skipped, the rest is ok")
  func results() {
    let lines = lines(
      Sample.result([
        Sample.divergence(.cRaw, .unsafe, rule: "C1"), Sample.divergence(.b, .unsafe, .possible, rule: "B1"),
        Sample.divergence(.aOr, .better, rule: "A1"),
      ]))
    #expect(lines.filter { $0.hasPrefix("not ok") }.count == 1)
    #expect(lines.contains { $0.hasPrefix("not ok") && $0.hasSuffix(" C-raw: C1") })
    #expect(lines.contains { $0.hasPrefix("ok") && $0.contains(" B: B1 # SKIP") })
    #expect(lines.contains { $0.hasPrefix("ok") && $0.hasSuffix(" A-or: A1") })
    #expect(lines.contains { $0.hasPrefix("# UNSAFE at fork, order 0: 3 times, definite, first at seq 41") })
  }

  @Test("An encoding is not tested for the rules of another")
  func applicability() {
    let lines = lines(Sample.result())
    #expect(lines.contains { $0.hasSuffix(" B: B1") })
    #expect(!lines.contains { $0.hasSuffix(" B: C1") })
    #expect(!lines.contains { $0.hasSuffix(" baseline: A1") })
  }
}

@Suite("HTML")
struct HTMLTests {
  @Test("The file needs nothing else: no script, no link, no image")
  func selfContained() {
    let html = HTMLReport().render(Sample.rich)
    for forbidden in ["<script", "<link", "<img", "http:", "https:", "url(", "@import"] {
      #expect(!html.contains(forbidden), "\(forbidden)")
    }
    #expect(html.contains("prefers-color-scheme: dark"))
  }

  @Test("Names from a trace cannot become markup")
  func escaping() {
    let history = [
      HistoryEntry(sequence: Sequence(1), time: Timestamp(nanoseconds: 0), task: TaskID(1), text: "<b>\"&'")
    ]
    let html = HTMLReport().render(
      Sample.result([Sample.divergence(transition: "<i>", history: history)], name: "<script>alert(1)</script>"))
    #expect(!html.contains("<script"))
    #expect(!html.contains("<b>") && !html.contains("<i>"))
    #expect(html.contains("&lt;b&gt;&quot;&amp;&#39;"))
  }

  @Test("Each divergence folds, with its history inside")
  func histories() {
    let html = HTMLReport().render(Sample.result([Sample.divergence(), Sample.divergence(.b, .better)]))
    #expect(html.matches(of: /<details>/).count == 2)
    #expect(html.matches(of: /fork: shared, P r D PAE-/).count == 2)
  }
}

@Suite("Perfetto")
struct PerfettoTests {
  private struct File: Decodable {
    struct Event: Decodable {
      var ph: String
      var name: String
      var ts: Double
      var pid: Int
      var tid: Int
    }

    var traceEvents: [Event]
  }

  @Test("An instant at the first occurrence and one per history entry, in nanoseconds' precision")
  func instants() throws {
    let bytes = try PerfettoTrace().render(Sample.result([Sample.divergence()]))
    let events = try JSONDecoder().decode(File.self, from: Data(bytes)).traceEvents
    let instants = events.filter { $0.ph == "i" }
    #expect(instants.map(\.name) == ["fork: shared, P r D PAE-", "UNSAFE"])
    #expect(instants.map(\.ts) == [2_000_000.001, 2_000_000.123])
    #expect(Set(instants.map(\.pid)).count == 1)
    #expect(events.filter { $0.ph == "C" }.count == 1)
  }

  @Test("One named process per encoding")
  func processes() throws {
    let bytes = try PerfettoTrace().render(Sample.result())
    let events = try JSONDecoder().decode(File.self, from: Data(bytes)).traceEvents
    #expect(events.filter { $0.name == "process_name" }.map(\.pid) == Array(1...EncodingID.allCases.count))
  }
}
