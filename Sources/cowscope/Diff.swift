// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Pipeline
import Report

struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Two results by signature: new, gone, grown, shrunk.",
    discussion: "Each side is a capture, or a result.ndjson kept from an earlier replay.")

  @Argument(help: "The earlier result.") var old = Cowscope.defaultCapture + ".old"
  @Argument(help: "The later result.") var new = Cowscope.defaultCapture
  @Flag(help: "One JSON object per changed signature, then a summary.") var json = false
  @OptionGroup var verbosity: Verbosity

  func run() throws {
    for path in [old, new] where try StoredResults.merge(in: path) != nil {
      throw CommandError(path: path, reason: "a merge: diff compares captures; see tools/fleet report OLD NEW")
    }
    let before = try StoredResult(path: old, tool: Cowscope.version, notices: verbosity.notices).load()
    let after = try StoredResult(path: new, tool: Cowscope.version, notices: verbosity.notices).load()
    var output = StandardOutput()
    if json {
      try output.write(try ResultDiff(old: before, new: after).json())
    } else {
      try output.write(DiffText(style: StandardOutput.style).render(old: before, new: after))
    }
    try output.flush()
  }
}
