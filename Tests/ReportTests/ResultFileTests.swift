// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials
import MMEvents
import Replay
import Report
import Testing

@Suite("result.ndjson")
struct ResultFileTests {
  private func lines(_ result: ReplayResult) throws -> [String] {
    text(try ResultWriter().lines(of: result)).split(separator: "\n").map(String.init)
  }

  @Test("Lines stand in the contract's order, capture first and summary last")
  func order() throws {
    let types = try lines(Sample.rich).map { line in
      try JSONDecoder().decode([String: Only].self, from: Data(line.utf8))["type"]?.text
    }
    #expect(types.first == "capture")
    #expect(types.last == "summary")
    let encodings = Array(repeating: "encoding", count: EncodingID.standard.count)
    let divergences = Array(repeating: "divergence", count: 3)
    let rest = ["audit", "process", "process", "timeline", "loss", "gap", "gap", "summary"]
    let expected = ["capture"] + encodings + divergences + rest
    #expect(types == expected)
  }

  @Test("Every name that scripts rely on is there")
  func names() throws {
    let wanted: [String: [String]] = [
      "capture": ["version"], "encoding": ["id", "checks", "verdicts", "costs"],
      "divergence": [
        "encoding", "verdict", "rule", "transition", "order", "count", "first_seq", "history", "certainty",
      ], "audit": ["name"], "gap": ["name", "count", "severity", "unit"],
      "summary": ["events", "unknown_events", "trusted_ns", "exit"],
    ]
    for line in try lines(Sample.rich) {
      let object = try JSONDecoder().decode([String: Only].self, from: Data(line.utf8))
      let type = try #require(object["type"]?.text)
      for name in wanted[type] ?? [] { #expect(object[name] != nil, "\(type) has no \(name)") }
    }
  }

  @Test("What is written and read back writes the same bytes and prints the same report")
  func roundTrip() throws {
    let written = try ResultWriter().lines(of: Sample.rich)
    let back = try ResultReader.read(written)
    #expect(text(try ResultWriter().lines(of: back)) == text(written))
    let report = TextReport(style: Style(isColoured: false), detail: .everything)
    #expect(report.render(back) == report.render(Sample.rich))
    #expect(HTMLReport().render(back) == HTMLReport().render(Sample.rich))
  }

  @Test("A figure of an audit that could not be seen is no number, in the file and read back")
  func unseenFigure() throws {
    let audit = try #require(try lines(Sample.rich).first { $0.contains(#""type":"audit""#) })
    #expect(audit.contains(#""bug_unsafe":"not-observable""#) && audit.contains(#""batches":5"#))
    let read = try ResultReader.read(try ResultWriter().lines(of: Sample.rich))
    #expect(read.audits == Sample.rich.audits)
    let report = TextReport(style: Style(isColoured: false)).render(Sample.rich)
    #expect(report.contains("not observable here: bug_unsafe"))
  }

  @Test("Processes are read back, with what is not known of them left out")
  func processes() throws {
    let lines = try lines(Sample.rich)
    #expect(
      lines.filter { $0.contains(#""type":"process""#) } == [
        #"{"copies":31,"first_seq":3,"forks":3,"mm":1,"name":"redis-server","pid":4711,"reuses":5,"type":"process"}"#,
        #"{"copies":0,"first_seq":40,"forks":1,"last_seq":77,"mm":2,"parent":1,"reuses":0,"type":"process"}"#,
      ])
    #expect(try ResultReader.read(Array(lines.joined(separator: "\n").utf8)).processes == Sample.processes)
  }

  @Test("A timeline is read back; one with a series that is too short, or with no end of stretches, is none")
  func timeline() throws {
    let lines = try lines(Sample.rich)
    let read = try ResultReader.read(Array(lines.joined(separator: "\n").utf8))
    #expect(read.timeline == Sample.timeline)
    for (right, wrong) in [
      (#""forks":[0,2,0,1]"#, #""forks":[0,2,1]"#), (#""points":4"#, #""points":513"#),
      (#""points":4"#, #""points":0"#), (#""interval_ns":500000000"#, #""interval_ns":0"#),
    ] {
      let index = try #require(lines.firstIndex { $0.contains(right) })
      var damaged = lines
      damaged[index] = damaged[index].replacing(right, with: wrong)
      #expect(throws: ReportError.badLine(index + 1, reason: "not a timeline")) {
        try ResultReader.read(Array(damaged.joined(separator: "\n").utf8))
      }
    }
  }

  @Test("Series of a newer writer are passed over")
  func newerTimeline() throws {
    let lines = try lines(Sample.rich).map {
      $0.replacing(#""counts":{"#, with: #""counts":{"apples":[1,2,3,4],"#)
    }
    let read = try ResultReader.read(Array(lines.joined(separator: "\n").utf8))
    #expect(read.timeline == Sample.timeline)
  }

  @Test("An unknown loss count stays unknown")
  func unknownLoss() throws {
    let back = try ResultReader.read(try ResultWriter().lines(of: Sample.rich))
    #expect(back.loss.perCPU.map(\.cpu) == [CPU(0), CPU(3)])
    #expect(back.loss.perCPU.map(\.count) == [12, nil])
  }

  @Test("Numbers are integers: no line has a fraction or an exponent")
  func integers() throws {
    for line in try lines(Sample.rich) {
      #expect(line.firstMatch(of: /:-?[0-9]+[.eE]/) == nil, "\(line)")
    }
  }

  @Test("A file without its summary is not a result", arguments: [0, 1, 5])
  func cut(kept: Int) throws {
    let bytes = Array(try lines(Sample.rich).prefix(kept).joined(separator: "\n").utf8)
    #expect(throws: ReportError.self) { try ResultReader.read(bytes) }
  }

  @Test("A file cut anywhere is refused, never misread")
  func cutAnywhere() throws {
    let bytes = try ResultWriter().lines(of: Sample.rich)
    // The last byte is the newline after the summary: without it the file is still whole.
    for length in stride(from: 0, to: bytes.count - 1, by: 37) {
      #expect(throws: ReportError.self, "\(length) bytes") { try ResultReader.read(Array(bytes.prefix(length))) }
    }
  }

  @Test("The error names the line")
  func badLine() throws {
    var lines = try lines(Sample.rich)
    lines[2] = lines[2].replacing("A-and-eager", with: "A-and-brave").replacing("A-and-lazy", with: "A-and-brave")
    let bytes = Array(lines.joined(separator: "\n").utf8)
    #expect(throws: ReportError.badLine(3, reason: "unknown encoding \"A-and-brave\"")) {
      try ResultReader.read(bytes)
    }
  }

  @Test("Another version is refused, by its number", arguments: [1, 3])
  func version(_ version: Int) throws {
    let other = text(try ResultWriter().lines(of: Sample.rich)).replacing(
      "\"version\":2}\n{\"checks", with: "\"version\":\(version)}\n{\"checks")
    #expect(throws: ReportError.unsupportedVersion(version)) { try ResultReader.read(Array(other.utf8)) }
  }

  @Test("A gap that this version does not know is not dropped: the file is refused")
  func unknownGap() throws {
    let other = text(try ResultWriter().lines(of: Sample.rich)).replacing("hugetlb-not-followed", with: "no-such-gap")
    #expect(throws: ReportError.self) { try ResultReader.read(Array(other.utf8)) }
  }
}

/// Any JSON value; only strings are kept.
private struct Only: Decodable {
  var text: String?

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      text = try container.decode(String.self)
    } catch {
      text = nil
    }
  }
}
