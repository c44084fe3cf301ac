// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Pipeline
import Replay
import Report

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "The result of a replay, rendered again.",
    discussion: """
      Reads X/result.ndjson (or X itself, when it is one, or what merge wrote); replays when there is none.
      Without an option: the text report. A file name of "-" is standard output. With a second capture the HTML page \
      compares the two.
      """)

  @Argument(help: "The capture, or a result.ndjson.") var capture = Cowscope.defaultCapture
  @Argument(help: ArgumentHelp("A second one, which --html compares with the first.", valueName: "other"))
  var other: String?
  @Option(help: ArgumentHelp("Write one self-contained HTML page.", valueName: "file")) var html: String?
  @Option(help: ArgumentHelp("Write a trace for ui.perfetto.dev.", valueName: "file")) var perfetto: String?
  @Flag(help: "Print KTAP: one test point for trust, then one per encoding and rule.") var ktap = false
  @OptionGroup var breakdown: BreakdownOptions
  @OptionGroup var trust: TrustOptions
  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    let printed = [html, perfetto].filter { $0 == "-" }.count + (ktap ? 1 : 0)
    if other != nil && html == nil { throw ValidationError("a second capture is compared on the page of --html") }
    if printed > 1 { throw ValidationError("only one report can go to standard output") }
  }

  func run() throws {
    if let merged = try StoredResults.merge(in: capture) { return try render(merged) }
    if let other, try StoredResults.merge(in: other) != nil {
      throw CommandError(path: other, reason: "a merge: the page compares captures; see tools/fleet report OLD NEW")
    }
    let result = try load(capture)
    let second = try other.map(load)
    var output = StandardOutput()
    if let html {
      let page = HTMLReport(tool: Cowscope.version).render(result, comparedWith: second)
      try deliver(Array(page.utf8), to: html, &output)
    }
    if let perfetto { try deliver(try PerfettoTrace().render(result), to: perfetto, &output) }
    if ktap { try output.write(KTAPReport().render(result)) }
    if html == nil && perfetto == nil && !ktap {
      let breakdowns = try breakdown.lines(result)
      try output.write(TextReport(style: StandardOutput.style, detail: verbosity.detail).render(result))
      for text in breakdowns { try output.write(text) }
    }
    try output.flush()
    try result.outcome().exit()
    try second?.outcome().exit()
  }

  private func load(_ path: String) throws -> ReplayResult {
    var result = try StoredResult(path: path, tool: Cowscope.version, notices: verbosity.notices).load()
    if let percent = trust.maxUnknown { result.maxUnknownPercent = percent }
    return result
  }

  private func render(_ merged: MergedResult) throws {
    guard html == nil, perfetto == nil, !ktap, breakdown.by.isEmpty, trust.maxUnknown == nil else {
      throw CommandError(
        path: capture,
        reason: "a merge of \(merged.captureCount) captures has the text report only: --html, --perfetto, "
          + "--ktap, --by and --max-unknown are of one capture")
    }
    var output = StandardOutput()
    try output.write(MergedText(style: StandardOutput.style, detail: verbosity.detail).render(merged, name: capture))
    try output.flush()
    try (merged.isTrusted ? Conclusion.done : .inconclusive).exit()
  }

  private func deliver(_ bytes: [UInt8], to file: String, _ output: inout StandardOutput) throws(CommandError) {
    guard file != "-" else { return try output.write(bytes) }
    try NamedFile.write(bytes, to: file)
    verbosity.note("wrote \(file)")
  }
}
