// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Replay
import Report

extension Breakdown.Kind: ExpressibleByArgument {}

/// What else the text report tells, row by row.
struct BreakdownOptions: ParsableArguments {
  @Option(help: "Below the report, what was found by process, order of the folio, or site in the kernel (repeatable).")
  var by: [Breakdown.Kind] = []
  @Option(help: ArgumentHelp("The column of --by that rows are sorted by, the greatest first.", valueName: "column"))
  var sort: String?

  func validate() throws {
    if sort != nil, by.isEmpty { throw ValidationError("--sort sorts what --by tells") }
  }

  func lines(_ result: ReplayResult) throws -> [String] {
    try by.map { kind in
      var breakdown = Breakdown(kind, of: result)
      if let sort, !breakdown.sort(by: sort) {
        throw ValidationError("--by \(kind.rawValue) has no column '\(sort)': \(breakdown.names)")
      }
      return breakdown.text(StandardOutput.style)
    }
  }
}
