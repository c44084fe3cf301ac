// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Report

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "One rule, cost, encoding, verdict, audit or gap in full.",
    discussion: "Names as reports print them, in any letter case; `cowscope list` has them all.")

  @Argument(help: "The name: I1, C-raw, CONS-copy, ...") var name: String

  func run() throws {
    guard let entry = Catalogue.entry(named: name) else {
      throw ValidationError(
        "nothing is called \"\(name)\"; see `cowscope list rules|encodings|verdicts|costs|audits|gaps|limits`")
    }
    var output = StandardOutput()
    try output.write(entry.rendered)
    try output.flush()
  }
}
