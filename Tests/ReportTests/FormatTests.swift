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

  /// What each subtest says of each rule: `ok`, `not ok`, `SKIP`, `XFAIL`.
  private func points(_ result: ReplayResult) -> [String: [String: String]] {
    var points: [String: [String: String]] = [:]
    var encoding = ""
    for line in lines(result) {
      if let match = line.firstMatch(of: /^    # Subtest: (.*)$/) { encoding = String(match.1) }
      guard let match = line.firstMatch(of: /^    (ok|not ok) [0-9]+ ([^ ]+)(?: # (SKIP|XFAIL) .*)?$/) else { continue }
      points[encoding, default: [:]][String(match.2)] = String(match.3 ?? match.1)
    }
    return points
  }

  @Test("Plans count their test points, numbered from 1 without a gap, at both levels")
  func plan() throws {
    var expected: [Int: Int] = [:]
    var number: [Int: Int] = [:]
    for line in lines(Sample.rich) {
      let level = line.prefix { $0 == " " }.count / 4
      if line.hasSuffix("KTAP version 1") {
        if let plan = expected[level], level > 0 { #expect(number[level] == plan) }
        number[level] = 0
      }
      if let match = line.firstMatch(of: /^ *1\.\.([0-9]+)$/) { expected[level] = Int(match.1) }
      if let match = line.firstMatch(of: #/^ *(?:not )?ok ([0-9]+) /#) {
        number[level, default: 0] += 1
        #expect(Int(match.1) == number[level])
      }
    }
    // Trust, and every encoding but today's.
    #expect(number[0] == EncodingID.standard.count && number[0] == expected[0])
  }

  @Test("Trust has a test point of its own, the first; without it nothing is ok")
  func trust() {
    var result = Sample.result()
    #expect(lines(result).contains { $0.hasPrefix("ok 1 trust # trusted: model and kernel agree 100 of 100") })
    #expect(points(result)["A-and-eager"]?["A1"] == "ok")
    result.capture.isIncomplete = true
    #expect(lines(result).contains { $0.hasPrefix("not ok 1 trust # NOT TRUSTED: the recording did not end") })
    #expect(points(result)["A-and-eager"]?["A1"] == "SKIP")
  }

  @Test("A rule broken for certain is not ok, one that only may be is skipped, instruments are expected to fail")
  func results() {
    let result = Sample.result([
      Sample.divergence(.cRaw, .unsafe, rule: .c1), Sample.divergence(.cStrict, .unsafe, rule: .c1),
      Sample.divergence(.aAndEager, .unsafe, .possible, rule: .a1), Sample.divergence(.aOr, .better, rule: .i8),
    ])
    let points = points(result)
    #expect(points["C-raw"]?["C1"] == "XFAIL")
    #expect(points["C-strict"]?["C1"] == "not ok")
    #expect(points["A-and-eager"]?["A1"] == "SKIP")
    #expect(points["A-or"]?["A1"] == "ok")
    #expect(points["A-or"]?["I8"] == nil)
    let lines = lines(result)
    #expect(lines.contains { $0.hasPrefix("ok ") && $0.hasSuffix(" C-raw") })
    #expect(lines.contains { $0.hasPrefix("not ok ") && $0.hasSuffix(" C-strict") })
    #expect(lines.contains { $0.hasPrefix("    # UNSAFE at fork, order 0: 3 entries, definite, first at seq 41") })
  }

  @Test("A point for each verdict that the encoding can hold, beside the rules")
  func verdicts() {
    let points = points(
      Sample.result([
        Sample.divergence(.cRaw, .unsafe), Sample.divergence(.cStrict, .unsafe, count: 3),
        Sample.divergence(.aAndEager, .conservativeCopy, .possible, rule: .i1),
      ]))
    #expect(points["C-raw"]?["UNSAFE"] == "XFAIL" && points["C-strict"]?["UNSAFE"] == "not ok")
    #expect(points["B"]?["UNSAFE"] == "ok" && points["A-and-eager"]?["CONS-copy"] == "SKIP")
    // Only C keeps the claim in the dirty bit; BETTER is no failure.
    #expect(points["C-strict"]?["DATA-LOSS"] == "ok" && points["B"]?["DATA-LOSS"] == nil)
    for rules in points.values { #expect(rules["BETTER"] == nil) }
  }

  @Test("Totals at the end of each level: trust and six encodings, of which one fails")
  func totals() {
    #expect(lines(Sample.result()).last == "# Totals: pass:7 fail:0 xfail:0 xpass:0 skip:0 error:0")
    let lines = lines(Sample.result([Sample.divergence(.cRaw), Sample.divergence(.cStrict)]))
    #expect(lines.last == "# Totals: pass:6 fail:1 xfail:0 xpass:0 skip:0 error:0")
    #expect(lines.filter { $0.hasPrefix("    # Totals: ") }.count == EncodingID.standard.count - 1)
    // C1 and UNSAFE.
    #expect(lines.filter { $0.contains(" fail:0 xfail:2 ") }.count == 1)
    #expect(lines.filter { $0.hasPrefix("    ") && $0.contains(" fail:2 xfail:0 ") }.count == 1)
  }

  @Test("An encoding is not tested for the rules of another, nor for what no replay can find broken")
  func applicability() {
    let points = points(Sample.result())
    #expect(points["A-and-eager"]?["A1"] == "ok" && points["A-and-eager"]?["C1"] == nil)
    #expect(points["baseline"] == nil)
    for rules in points.values { #expect(rules["I13"] == nil && rules["B2"] == nil && rules["I8"] == nil) }
  }

  @Test("What could not be seen is skipped")
  func unobservable() {
    var result = Sample.result()
    #expect(points(result)["A-and-eager"]?["I5"] == "ok")
    result.capture.capabilities.remove(.pins)
    #expect(points(result)["A-and-eager"]?["I5"] == "SKIP" && points(result)["A-and-eager"]?["I6"] == "SKIP")
    #expect(points(result)["A-and-eager"]?["A1"] == "ok")
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
    #expect(instants.map(\.name) == ["fork: shared, P", "UNSAFE"])
    #expect(instants.map(\.ts) == [2_000_000.001, 2_000_000.123])
    #expect(Set(instants.map(\.pid)).count == 1)
    #expect(events.filter { $0.ph == "C" }.count == 1)
  }

  @Test("One named process per encoding")
  func processes() throws {
    let bytes = try PerfettoTrace().render(Sample.result())
    let events = try JSONDecoder().decode(File.self, from: Data(bytes)).traceEvents
    #expect(events.filter { $0.name == "process_name" }.map(\.pid) == Array(1...EncodingID.standard.count))
  }
}
