// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Report

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "The catalogue: events, encodings, rules, verdicts, costs, audits, gaps, limits, defects.")

  @Argument(help: "One of \(CatalogueSection.allCases.map(\.rawValue).joined(separator: ", ")).")
  var section: CatalogueSection

  func run() throws {
    var output = StandardOutput()
    try output.write(Catalogue.listing(of: section))
    try output.flush()
  }
}

extension CatalogueSection: ExpressibleByArgument {}
