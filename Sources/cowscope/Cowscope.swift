// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser

@main
struct Cowscope: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cowscope",
    abstract: "What a workload would see if PageAnonExclusive were stored another way.",
    discussion: """
      Records memory-management events of a live host, replays them through a model of PageAnonExclusive and \
      copy-on-write, and runs alternative encodings of the bit in lockstep.

      X is a capture directory, a trace.dat of trace-cmd, or ftrace text.
      Exit status: 0 done; 1 failed; 2 the condition was hit (--fail-on, a disagreement in verify); \
      3 inconclusive; 64 usage.
      """,
    subcommands: [
      Check.self, Record.self, InfoCommand.self, ScriptCommand.self, ReplayCommand.self, ReportCommand.self,
      VerifyCommand.self, DiffCommand.self, Litmus.self, ListCommand.self, ExplainCommand.self,
    ])
}

extension ExitCode {
  /// 2: what the user asked about was found.
  static let conditionHit = ExitCode(2)
  /// 3: loss, or facts never known, leave the answer open.
  static let inconclusive = ExitCode(3)
}
