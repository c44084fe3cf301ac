// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Pipeline
import Report

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "The results of several captures as one.",
    discussion: """
      Takes files that `replay --result` or `merge` wrote, and directories of them. Counts are summed, peaks are the \
      highest, instances are chosen by hash: any order and any grouping gives the same bytes. The same capture of the \
      same host twice is refused.
      `report` prints what comes out. It is trusted where every capture is.
      """)

  @Argument(help: "Results, or directories of results.") var results: [String]
  @Option(
    name: .shortAndLong, help: ArgumentHelp("Write the merged result here; \"-\": standard output.", valueName: "file"))
  var output: String
  @OptionGroup var verbosity: Verbosity

  func run() throws {
    let files = try StoredResults.files(results)
    guard !files.isEmpty else { throw CommandError(path: results.joined(separator: " "), reason: "no result to merge") }
    let merged = try StoredResults.merged(files)
    let lines = try MergedFile.lines(of: merged)
    if output == "-" {
      var stream = StandardOutput()
      try stream.write(lines)
      try stream.flush()
    } else {
      try NamedFile.write(lines, to: output)
      verbosity.note("\(files.count) results in \(output)")
    }
  }
}
