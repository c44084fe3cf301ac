// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser

@main
struct Cowscope: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cowscope", abstract: "Replays memory-management traces against other encodings of PageAnonExclusive.",
    subcommands: [Record.self, Check.self])
}
