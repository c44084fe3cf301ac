// SPDX-License-Identifier: GPL-2.0-only

internal import ArgumentParser
internal import Capture
internal import MMEvents

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say whether this host can record, one requirement a line.",
    discussion: """
      Lines start with "ok", "limited" (recording works; the consequence is told) or "missing" (it does not). \
      Exits with 0 when a recording would work, else with 1. Nothing on the host is changed: one trace instance and \
      probes are made and removed again.
      """)

  func run() throws {
    let (requirements, canRecord) = EnvironmentCheck.run()
    var lines: [String] = []
    let width = requirements.map(\.name.count).max() ?? 0
    for requirement in requirements {
      let name = requirement.name + String(repeating: " ", count: width - requirement.name.count)
      switch requirement.state {
      case .ok: lines.append("ok       \(name)  \(requirement.detail)")
      case .limited(let consequence): lines.append("limited  \(name)  \(requirement.detail): \(consequence)")
      case .missing(let reason): lines.append("missing  \(name)  \(requirement.detail): \(reason)")
      }
    }
    var output = StandardOutput()
    try output.write(lines.printed())
    try output.flush()
    if !canRecord { throw ExitCode(1) }
  }
}
