// SPDX-License-Identifier: GPL-2.0-only

internal import Anonymize
internal import ArgumentParser
internal import Capture
internal import FoundationEssentials
internal import Glibc
internal import MMEvents
internal import SystemPackage

struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Record the memory-management events of a command, of processes, or of the host.",
    usage: """
      cowscope record [OPTIONS] [--] COMMAND [ARGUMENT...]
      cowscope record [OPTIONS] -p PID[,PID...]
      cowscope record [OPTIONS] -a
      """,
    discussion: """
      COMMAND is started only when tracing runs; its children and threads are followed. record exits with the status \
      of COMMAND (128 + N when signal N ended it, 127 when it does not exist); without COMMAND with 0. The recording \
      ends with COMMAND, with the last of the PIDs, after --duration, or at Ctrl-C or SIGTERM; a COMMAND that still \
      runs then is sent SIGTERM. Processes that COMMAND leaves behind are named, and go on.

      Under sudo, COMMAND runs as the user who called sudo: --user and --root say otherwise.

      Everything is set in two trace instances of our own (cowscope-PID-host and -task), and probes in a group of our \
      own (cowscope_PID), which are removed at the end whatever happened, SIGKILL included. Where the kernel refuses \
      probes, the recording does without. The capture is its owner's alone: it tells where the kernel and the \
      command have their memory.

      Needs root and a mounted tracefs: cowscope check.
      """)

  @Option(name: [.short, .long], help: "The capture directory; an older one there is moved to NAME.old.")
  var output = Cowscope.defaultCapture

  @Option(
    name: .short,
    help: ArgumentHelp(
      "Follow these running processes, the children they have, and those they will have.", valueName: "pid,..."))
  var pids: PIDList?

  @Flag(name: .short, help: "Record the faults and system calls of every task of the host.")
  var all = false

  @Option(help: ArgumentHelp("End after so many seconds.", valueName: "seconds"))
  var duration: Double?

  @Option(
    help: ArgumentHelp(
      "Look at the page tables of the followed processes so often; 0: only at the start and the end. (default: 1000 with a command, else 0)",
      valueName: "ms"))
  var snapshotEvery: Int?

  @Flag(help: "Stop a process (SIGSTOP) while its page tables are looked at: exact, at the price of a pause.")
  var freeze = false

  /// There was a smaller set once.
  @Option(help: .hidden)
  var events: String?

  @Option(help: "Trace clock (default: local where the TSC is the clocksource, else mono).")
  var clock: String?

  @Option(
    help: ArgumentHelp(
      "Ring buffer per CPU of each of the two instances. (default: 32, less on small hosts)", valueName: "MiB"))
  var buffer: Int?

  @Option(
    help: ArgumentHelp(
      "Set probes in the kernel that show which pages are pinned, where it lets us (auto), or not (off).",
      valueName: "auto|off"))
  var probes = ProbeChoice.auto

  @Option(help: ArgumentHelp("Run the command as this user.", valueName: "name|uid"))
  var user: String?

  @Flag(help: "Run the command as root under sudo too.")
  var root = false

  @Flag(help: "Keep only what can be shared: see anonymize.")
  var anonymize = false

  @Flag(name: .short, help: "Say nothing but errors.")
  var quiet = false

  @Argument(parsing: .captureForPassthrough, help: "The command to record, and its arguments.")
  var words: [String] = []

  /// In MiB.
  private static let largestBuffer = 4096

  /// The command, without the dashes that may precede it.
  private var command: [String] { words.first == "--" ? Array(words.dropFirst()) : words }

  /// As it was typed, but always with the dashes: they tell readers where the command begins.
  private var commandLine: [String] {
    command.isEmpty ? CommandLine.arguments : CommandLine.arguments.dropLast(words.count) + ["--"] + command
  }

  func validate() throws {
    if events != nil {
      throw ValidationError(
        "--events is gone: with fewer events a copy cannot be told from a lost race. All are recorded.")
    }
    // Everything from the first word that is no option of ours is the command's, unless it looks like an option.
    if let first = words.first, first != "--", first.hasPrefix("-") {
      if ["--help", "-h"].contains(first) { throw CleanExit.helpRequest(self) }
      throw ValidationError("Unknown option '\(first)'")
    }
    if command.isEmpty && (user != nil || root) { throw ValidationError("--user and --root are for a command.") }
    if user != nil && root { throw ValidationError("Give either --user or --root, not both.") }
    if pids != nil && !command.isEmpty { throw ValidationError("Give either -p or a command, not both.") }
    if pids == nil && command.isEmpty && !all { throw ValidationError("Give a command, or -p PID, or -a.") }
    if let buffer, !(1...Self.largestBuffer).contains(buffer) { throw ValidationError("--buffer: 1 to 4096 MiB.") }
    if let snapshotEvery, snapshotEvery < 0 { throw ValidationError("--snapshot-every must not be negative.") }
    if let duration, !(duration > 0 && duration < 1e6) { throw ValidationError("--duration must be positive.") }
  }

  func run() throws {
    let target: RecordingOptions.Target =
      if !command.isEmpty { .command(command) } else if let pids { .processes(pids.pids) } else { .host }
    var options = RecordingOptions(
      target: target, wholeHost: all, output: anonymize ? output + ".recorded" : output,
      snapshotMilliseconds: snapshotEvery ?? (command.isEmpty ? 0 : 1000),
      commandLine: commandLine, recorder: Cowscope.version)
    options.clock = clock
    options.bufferKiB = buffer.map { $0 << 10 }
    options.freezes = freeze
    options.setsProbes = probes == .auto
    options.user = try commandUser()
    options.durationMilliseconds = duration.map { Int($0 * 1000) }
    let result: RecordingResult
    do {
      result = try Recording(options, say: talk).run()
    } catch {
      Talk.say(error.description)
      if case .command(_, let code) = error { throw ExitCode(code == .noSuchFileOrDirectory ? 127 : 126) }
      throw ExitCode(1)
    }
    if anonymize { try keepAnonymized() }
    summarize(result)
    for change in result.interference {
      Talk.say("\(change) by somebody else while it recorded: \(output) lacks what came after that")
    }
    if case .commandEnded(let status) = result.end, status.shellStatus != 0 { throw ExitCode(status.shellStatus) }
    if !result.interference.isEmpty { throw ExitCode(1) }
  }

  /// The recording as such goes when its anonymous copy is there.
  private func keepAnonymized() throws {
    let recorded = output + ".recorded"
    let summary = try AnonymizeCommand.anonymize(recorded, to: output, .random())
    try OutputDirectory.remove(recorded)
    for line in summary.lines { talk("\(output): \(line)") }
  }

  private func commandUser() throws -> CommandUser? {
    if let user { return try CommandUser.named(user) }
    return root || command.isEmpty ? nil : try CommandUser.invoking(ProcessInfo.processInfo.environment)
  }

  private func summarize(_ result: RecordingResult) {
    talk(
      "\(output): \(result.records) records, \(result.bytes >> 10) KiB, \(result.snapshots) snapshots, "
        + (result.lost == 0 ? "none lost" : "\(result.lost) LOST"))
    if let size = result.sufficientBufferKiB {
      talk(
        "\(result.bufferKiB >> 10) MiB per CPU were too few: --buffer \(size >> 10) would hold four times the loss"
          + (size >> 10 > Self.largestBuffer ? ", but \(Self.largestBuffer) is the most: record less" : ""))
    }
    for defect in KernelDefect.present(in: HostFacts.release()) {
      talk("this kernel, by its release, has \(defect.name): \(defect.summary)")
    }
    if case .commandEnded = result.end, !result.remaining.isEmpty {
      talk("still running: \(result.remaining.map(String.init).joined(separator: " "))")
    }
  }

  private func talk(_ line: String) {
    if !quiet { Talk.say(line) }
  }
}

enum ProbeChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, off
}

/// Process ids separated by commas.
struct PIDList: ExpressibleByArgument {
  var pids: [Int32]

  init?(argument: String) {
    let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int32($0) }
    pids = numbers.compactMap { $0 }.filter { $0 > 0 }
    if pids.count != numbers.count { return nil }
  }
}
