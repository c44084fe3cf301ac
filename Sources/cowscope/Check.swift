// SPDX-License-Identifier: GPL-2.0-only

internal import ArgumentParser
internal import Capture

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say whether this host can record, one requirement a line.",
    discussion: """
      Lines start with "ok", "limited" (recording works; the consequence is told) or "missing" (it does not). \
      Exits with 0 when a recording would work, else with 1. Nothing on the host is changed: one trace instance is \
      made and removed again.
      """)

  func run() throws {
    let (requirements, canRecord) = EnvironmentCheck.run()
    let width = requirements.map(\.name.count).max() ?? 0
    for requirement in requirements {
      let name = requirement.name + String(repeating: " ", count: width - requirement.name.count)
      switch requirement.state {
      case .ok: print("ok       \(name)  \(requirement.detail)")
      case .limited(let consequence): print("limited  \(name)  \(requirement.detail): \(consequence)")
      case .missing(let reason): print("missing  \(name)  \(requirement.detail): \(reason)")
      }
    }
    if !canRecord { throw ExitCode(1) }
  }
}
