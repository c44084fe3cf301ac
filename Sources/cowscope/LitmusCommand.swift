// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Dispatch
import MMEvents
import Replay
import SourceText
import Stories
import Synchronization

/// `cowscope litmus`: runs worked examples against every encoding they speak of.
struct Litmus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "litmus",
    abstract: "Runs small stories about memory against every encoding they speak of.",
    discussion: """
      Without FILE the bundled examples run: share/cowscope/litmus beside the program's directory when installed, \
      else fixtures/litmus above the program or the current directory. The format is described in \
      fixtures/litmus/README.md.

      Exit status: 0 all ok, 1 a file cannot be read or understood, 2 an example is not ok, 3 --program cannot be \
      written, 64 usage.
      """)

  @Argument(help: "Litmus files, or directories of them.", completion: .file(extensions: ["litmus"]))
  var files: [String] = []

  @Flag(help: "Print KTAP, one test point per example and configuration.")
  var ktap = false

  @Flag(
    help: ArgumentHelp(
      "Write a C program that does what the example tells, as far as user space can, to standard output.",
      discussion: "A step that it cannot do is named, and nothing written. --kernel says whose lines count: the newest."
    ))
  var program = false

  @Option(help: "Only the example of this ID.")
  var example: String?

  @Option(help: "Run only this encoding; may be repeated.")
  var encoding: [String] = []

  @Option(help: "Forget this call site in every encoding that has it, such as c.mprotect; may be repeated.")
  var without: [String] = []

  @Option(help: "Run only as on this kernel: 6.1, 6.12, 6.18 or 7.3.")
  var kernel: String?

  @Flag(help: "Take out each call site and each kernel path in turn, and say which example notices.")
  var mutations = false

  @Option(
    help: ArgumentHelp(
      "Instead of files, play this many random steps against the encodings that promise to be sound.",
      discussion: "A step that the state of the story does not allow is not counted.")
  )
  var random: Int?

  @Option(help: "The seed of the first random story; each further one has the next.")
  var seed: UInt64 = 1

  func validate() throws {
    _ = try selection()
  }

  func run() throws {
    let selection = try selection()
    if let random {
      try playRandomly(random)
      return
    }
    let scenarios: [LitmusScenario]
    do {
      scenarios = try load()
    } catch let error as LitmusError {
      throw failure(error.description)
    }
    if program { return try writeProgram(of: scenarios, selection.kernel) }
    if mutations {
      try printMutations(scenarios)
      return
    }
    let results = Self.run(scenarios, selection)
    guard !results.isEmpty else { throw failure("nothing to run: no example names this kernel and encoding") }
    try Self.print(ktap ? Self.ktap(results) : Self.text(results))
    if results.contains(where: { !$0.passed }) { throw ExitCode(2) }
  }

  /// Every example is a world of its own: they run on all CPUs, the results in the order of the examples.
  private static func run(_ scenarios: [LitmusScenario], _ selection: LitmusRunner.Selection) -> [LitmusResult] {
    let results = Mutex([[LitmusResult]](repeating: [], count: scenarios.count))
    DispatchQueue.concurrentPerform(iterations: scenarios.count) { index in
      let result = LitmusRunner.run(scenarios[index], selection)
      results.withLock { $0[index] = result }
    }
    return results.withLock { $0.flatMap { $0 } }
  }

  private func failure(_ message: String) -> ExitCode {
    Talk.say(message)
    return ExitCode(1)
  }

  private func selection() throws -> LitmusRunner.Selection {
    var selection = LitmusRunner.Selection()
    for name in encoding {
      guard let id = EncodingID(argument: name) else {
        let known = EncodingID.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("unknown encoding '\(name)'; known: \(known)")
      }
      selection.encodings = (selection.encodings ?? []).union([id])
    }
    let switches = Set(EncodingID.allCases.flatMap { LitmusSwitches.names(of: $0) })
    for name in without where !switches.contains(name) {
      throw ValidationError("unknown call site '\(name)'")
    }
    selection.without = without
    if let kernel {
      guard let known = LitmusKernel(name: Substring(kernel)) else {
        let names = LitmusKernel.allCases.map(\.name).joined(separator: ", ")
        throw ValidationError("unknown kernel '\(kernel)'; known: \(names)")
      }
      selection.kernel = known
    }
    return selection
  }

  private func load() throws -> [LitmusScenario] {
    let all = try loadFiles()
    guard let example else { return all }
    let chosen = all.filter { $0.id == example }
    if chosen.isEmpty { throw failure("no example '\(example)' there") }
    return chosen
  }

  private func loadFiles() throws -> [LitmusScenario] {
    guard files.isEmpty else {
      return try files.flatMap { file throws(LitmusError) in
        try SourceFile.isDirectory(file) ? LitmusLibrary.load(directory: file) : LitmusLibrary.load(file: file)
      }
    }
    guard let directory = BundledFiles.directory("litmus") else {
      throw LitmusError(
        file: "fixtures/litmus", line: 1, column: 1,
        reason: "the bundled examples are neither beside the program nor above it; name files to run")
    }
    return try LitmusLibrary.load(directory: directory)
  }

  /// Stories of 50 steps, until so many were played; the first that is not ok is shrunken and printed as a litmus file.
  private func playRandomly(_ steps: Int) throws {
    var story = seed
    var (played, refused) = (0, 0)
    while played < steps {
      let check = RandomStoryCheck(seed: story, steps: 50, without: without)
      if let finding = check.finding {
        let file = RandomStory.file(finding.lines, seed: finding.seed, without: without)
        try Self.print("# \(finding.what)\n" + file)
        throw ExitCode(2)
      }
      played += check.played
      refused += check.refused
      story += 1
    }
    let seeds = story == seed ? "no seed" : "seeds \(seed)..\(story - 1)"
    try Self.print("\(played) steps played, \(refused) refused by the state, \(seeds): nothing broken\n")
  }

  /// One line per mutation; exit status 2 when one survives.
  private func printMutations(_ scenarios: [LitmusScenario]) throws {
    // Two examples are there for their cost alone, and large.
    let scenarios = scenarios.filter { !["B-23", "P-09"].contains($0.id) }
    var survivors = 0
    for mutation in LitmusMutation.all {
      if let example = LitmusRunner.firstNoticing(mutation, in: scenarios) {
        try Self.print("noticed   \(mutation.name): \(example)\n")
      } else {
        survivors += 1
        try Self.print("survives  \(mutation.name)\n")
      }
    }
    try Self.print("\(LitmusMutation.all.count) mutations, \(survivors) survive\n")
    if survivors > 0 { throw ExitCode(2) }
  }

  private func writeProgram(of scenarios: [LitmusScenario], _ kernel: LitmusKernel?) throws {
    guard scenarios.count == 1, let scenario = scenarios.first else {
      throw failure("--program takes one example, and there are \(scenarios.count): name it with --example")
    }
    guard let kernel = kernel ?? scenario.kernels.max(), scenario.kernels.contains(kernel) else {
      throw failure("\(scenario.id) does not run on that kernel")
    }
    let program: StoryProgram
    do {
      program = try StoryProgram(scenario, kernel)
    } catch {
      let place = error.line.map { "\(scenario.file):\($0): " } ?? "\(scenario.file): "
      Talk.say("\(place)not performable: \(error)")
      throw ExitCode.inconclusive
    }
    var output = StandardOutput()
    try output.write(program.text)
    try output.flush()
  }

  // — rendering

  /// At once: mutations take a while.
  private static func print(_ text: String) throws(CommandError) {
    var output = StandardOutput()
    try output.write(text.split(separator: "\n").map(String.init).printed())
    try output.flush()
  }

  private static func text(_ results: [LitmusResult]) -> String {
    var text = ""
    for result in results where !result.passed {
      text += "not ok  \(result.name)\n        \(result.file):\(result.line): \(result.title)\n"
      for failure in result.failures { text += "        \(failure.description)\n" }
    }
    let examples = Set(results.map(\.scenario)).count
    let failed = results.count { !$0.passed }
    text += "\(examples) examples, \(results.count) test points: \(results.count - failed) ok, \(failed) not ok\n"
    return text
  }

  private static func ktap(_ results: [LitmusResult]) -> String {
    var text = "KTAP version 1\n1..\(results.count)\n"
    for (index, result) in results.enumerated() {
      for failure in result.failures { text += "# \(failure.description)\n" }
      text += "\(result.passed ? "ok" : "not ok") \(index + 1) \(result.name)\n"
    }
    let failed = results.count { !$0.passed }
    text += "# Totals: pass:\(results.count - failed) fail:\(failed) xfail:0 xpass:0 skip:0 error:0\n"
    return text
  }
}
