// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser

/// When a result is to be relied on.
struct TrustOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How much of what was checked may be unknown in a result that is relied on: 0 to 100 (default: 5).",
      valueName: "percent"))
  var maxUnknown: UInt8?

  func validate() throws {
    if let maxUnknown, maxUnknown > 100 { throw ValidationError("--max-unknown is a percentage: 0 to 100") }
  }
}
