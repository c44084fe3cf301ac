// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import MMEvents
import Pipeline
import Replay
import Report

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Replays a capture against the encodings and prints the report.",
    discussion: """
      A replay of the whole capture (no --until, --pfn, --without, --audit) leaves its result in X/result.ndjson, for report and diff.
      --result leaves it in DIR/kernel=R/host=H/capture=HASH.ndjson besides, for merge and tools/fleet; what this program
      found in the same capture before, there or in X/result.ndjson, is not replayed again.
      Exits with 0 when the result is to be relied on, with 3 when it is not: the first line says why.
      --fail-on exits with 2 when the condition holds for certain, with 3 when it only may or cannot be seen. It asks
      about the proposals, or the encodings that --encoding names.
      """)

  @Argument(help: "The capture.") var capture = Cowscope.defaultCapture
  @Option(help: "Only this encoding (repeatable); baseline is always there.") var encoding: [EncodingID] = []
  @Option(help: ArgumentHelp("Leave this call site as it is today (repeatable).", valueName: "site"))
  var without: [CallSite] = []
  @Option(help: "Only this audit (repeatable); `none`: no audit. See `list audits`.") var audit: [AuditName] = []
  @Option(help: "Stop after the event of this sequence number.") var until: Number?
  @Option(help: "Report on this page frame only.") var pfn: Number?
  @Option(help: "Exit with 2 on: \(FailureCondition.allCases.map(\.rawValue).joined(separator: ", ")).")
  var failOn: FailureCondition?
  @Option(help: ArgumentHelp("Leave the result among those of other captures, too.", valueName: "dir"))
  var result: String?
  @Option(help: "With --result: the host's name, which captures do not tell.") var host: String?
  @Option(help: "With --result: what ran there, in one word.") var workload: String?
  @OptionGroup var breakdown: BreakdownOptions
  @OptionGroup var trust: TrustOptions
  @Flag(help: "The result as JSON, one object per line.") var json = false
  @Option(help: KernelRelease.help) var kernel: KernelRelease?
  @OptionGroup var verbosity: Verbosity

  /// The whole capture with all that is standard: what others may take for its result.
  private var isWhole: Bool { until == nil && pfn == nil && without.isEmpty && audit.isEmpty }

  func validate() throws {
    if result == nil, host != nil || workload != nil { throw ValidationError("--host and --workload go with --result") }
    if result != nil, !isWhole || !encoding.isEmpty {
      throw ValidationError("--result is of whole captures: no --encoding, --until, --pfn, --without, --audit")
    }
  }

  func run() throws {
    let place = try self.result.map { directory in
      try ResultPlace(
        of: capture, in: directory, host: host ?? "unknown", workload: workload, kernel: kernel?.text,
        tool: Cowscope.version)
    }
    let result = try found(place)
    let lines = try ResultWriter().lines(of: result)
    if let place {
      try place.store(lines)
      verbosity.note("result in \(place.path)")
    }
    var output = StandardOutput()
    if json {
      try output.write(lines)
    } else {
      let breakdowns = try breakdown.lines(result)
      try output.write(TextReport(style: StandardOutput.style, detail: verbosity.detail).render(result))
      for text in breakdowns { try output.write(text) }
    }
    try output.flush()
    if let failOn { explain(failOn, result) }
    try result.outcome(failingOn: failOn).exit()
  }

  /// What a replay finds; with `--result`, what one found before.
  private func found(_ place: ResultPlace?) throws -> ReplayResult {
    let stored = StoredResult(path: capture, tool: Cowscope.version, notices: verbosity.notices)
    if let place, var result = place.existing() ?? (kernel == nil ? stored.found() : nil), result.isAsked(by: trust) {
      // The same capture may have had another path.
      result.capture.name = capture
      return result
    }
    let result = try Analysis(path: capture, notices: verbosity.notices, kernel: kernel?.text).replay(options)
    if isWhole { stored.store(try ResultWriter().lines(of: result)) }
    return result
  }

  private var options: Analysis.Options {
    var options = Analysis.Options()
    options.encodings = encoding
    options.until = until.map { Sequence($0.value) }
    options.frame = pfn.map { PFN($0.value) }
    options.without = without.flatMap(\.switches)
    options.audits = audit.isEmpty ? nil : audit.compactMap(\.name)
    if let percent = trust.maxUnknown { options.maxUnknownPercent = percent }
    return options
  }
}

extension ReplayResult {
  /// Whether a replay that is asked so would find it.
  fileprivate func isAsked(by trust: TrustOptions) -> Bool {
    named.isEmpty && maxUnknownPercent == trust.maxUnknown ?? Analysis.Options().maxUnknownPercent
  }
}

extension ReplayCommand {
  /// Why `--fail-on` has no answer.
  private func explain(_ condition: FailureCondition, _ result: ReplayResult) {
    guard result.outcome(failingOn: condition) == .inconclusive else { return }
    for line in UnansweredText.lines(result.unanswered(condition)) {
      verbosity.warn("--fail-on \(condition.rawValue): \(line)")
    }
  }
}

extension Verbosity {
  var detail: TextReport.Detail { quiet ? .brief : verbose ? .everything : .screen }
}

extension Conclusion {
  /// Ends the command with the status that says it.
  func exit() throws(ExitCode) {
    switch self {
    case .done: return
    case .conditionHit: throw .conditionHit
    case .inconclusive: throw .inconclusive
    }
  }
}
