// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import CBuild
import MMEvents

@main
struct Cowscope: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cowscope",
    abstract: "What a workload would see if PageAnonExclusive were stored another way.",
    discussion: """
      Records memory-management events of a live host, replays them through a model of PageAnonExclusive and \
      copy-on-write, and runs alternative encodings of the bit in lockstep.

      X is a capture directory, a trace.dat of trace-cmd, or ftrace text; where it is left out, trace.cow.
      Exit status: 0 done; 1 failed; 2 the condition was hit (--fail-on, a disagreement in verify); \
      3 inconclusive; 64 usage.
      """,
    version: version,
    subcommands: [
      Check.self, Record.self, AnonymizeCommand.self, InfoCommand.self, ScriptCommand.self, ReplayCommand.self,
      ReportCommand.self, VerifyCommand.self, DiffCommand.self, MergeCommand.self, PageCommand.self, StoryCommand.self,
      Litmus.self,
      ExploreCommand.self,
      ListCommand.self, ExplainCommand.self,
    ])

  /// With the commit it was built from, where that is known: `cowscope 0.1 (5314cf9a32f1)`.
  static let version: String = {
    let commit = unsafe String(cString: cowscope_build_commit())
    return commit.isEmpty ? "cowscope 0.1" : "cowscope 0.1 (\(commit))"
  }()

  /// Where `record` writes, and every other verb reads, when nothing else is said.
  static let defaultCapture = "trace.cow"

  static func main() {
    StandardStreams.prepare()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      exit(saying: error)
    }
  }

  /// Ends the program as `error` asks: help is data, what cannot be understood is a usage error, everything else a
  /// failure whose reason is one line.
  private static func exit(saying error: any Error) -> Never {
    if error is ExitCode { Self.exit(withError: error) }
    let code = exitCode(for: error)
    if code.isSuccess {
      do throws(CommandError) {
        var output = StandardOutput()
        try output.write(fullMessage(for: error) + "\n")
        try output.flush()
      } catch {
        Talk.say(error.description)
        Self.exit(withError: ExitCode.failure)
      }
    } else if code == .validationFailure {
      // The first line names what was typed; the usage follows.
      let lines = fullMessage(for: error).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let first = lines[0].hasPrefix("Error: ") ? String(lines[0].dropFirst("Error: ".count)) : lines[0]
      Talk.write((["cowscope: \(first)"] + lines.dropFirst()).printed())
    } else {
      Talk.say("\(error)")
    }
    Self.exit(withError: code)
  }
}

extension ExitCode {
  /// 2: what the user asked about was found.
  static let conditionHit = ExitCode(2)
  /// 3: loss, or facts never known, leave the answer open.
  static let inconclusive = ExitCode(3)
}
