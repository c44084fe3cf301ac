// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Explore
import SourceText

struct ExploreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explore", abstract: "Searches every order of a few kernel paths for one that breaks a rule.",
    discussion: """
      Without arguments all bundled rows are searched, in every geometry and for every encoding they speak of. An ID \
      names rows (K-08b, F-20; K and F name them all), a FILE holds models or rows of your own; how to write them is \
      told in docs/explore.md.

      Exit status: 0 as expected; 1 a file cannot be read or understood; 2 something is broken that is not known to \
      be, or holds that is known to be broken; 3 the state limit was hit before that could be told; 64 usage.
      """)

  @Argument(help: "Rows by ID, or files.") var rows: [String] = []
  @Option(help: "sc, tso, weak or all: who may see stores out of order.") var memory: MemoryChoice = .sc
  @Option(help: "Only this encoding (repeatable).") var encoding: [String] = []
  @Option(help: ArgumentHelp("Leave this step out, LABEL or ACTOR.LABEL (repeatable).", valueName: "step"))
  var without: [String] = []
  @Option(help: "Switch a rule of the model on, such as W (repeatable).") var rule: [String] = []
  @Option(help: ArgumentHelp("Only cells with this value, such as geometry=two (repeatable).", valueName: "name=value"))
  var cell: [CellCoordinate] = []
  @Option(help: "Give a cell up after this many states.") var states = SearchOptions().stateLimit
  @Flag(help: "Take every step by itself: no joining of steps that commute, no symmetry.") var everyStep = false
  @Option(help: ArgumentHelp("Write a SPIN model a cell into this directory instead.", valueName: "directory"))
  var promela: String?
  @Flag(help: "Take every step, guard and lock out in turn and say which row notices.") var mutations = false
  @Flag(help: "KTAP, one test point a cell.") var ktap = false
  @Flag(help: "One JSON object a cell and line.") var json = false
  @OptionGroup var verbosity: Verbosity

  func run() throws {
    var library = try InterleavingLibrary.bundled()
    let cells = try ExploreRun.cells(rows, selection, &library)
    if let promela { return try PromelaDirectory(promela).write(cells, library) }
    if mutations {
      return print(MutationRun.text(try MutationRun.run(cells, in: library, searchOptions)), terminator: "")
    }
    let run = ExploreRun(results: try CellRunner.run(cells, in: library, searchOptions))
    var output = StandardOutput()
    try output.write(json ? run.json() : ktap ? run.ktap : run.text(isVerbose: verbosity.verbose))
    try output.flush()
    switch run.conclusion {
    case .asExpected: return
    case .unexpected: throw ExitCode.conditionHit
    case .inconclusive: throw ExitCode.inconclusive
    }
  }

  private var selection: CellSelection {
    var selection = CellSelection()
    selection.memories = memory.models
    selection.encodings = encoding.isEmpty ? nil : encoding
    selection.without = without
    selection.rules = rule
    for coordinate in cell { selection.coordinates[coordinate.name] = coordinate.value }
    return selection
  }

  private var searchOptions: SearchOptions {
    var options = SearchOptions()
    options.stateLimit = states
    options.reductions = !everyStep
    return options
  }
}

enum MemoryChoice: String, ExpressibleByArgument, CaseIterable {
  case sc, tso, weak, all

  var models: [MemoryModel] {
    switch self {
    case .sc: [.sc]
    case .tso: [.tso]
    case .weak: [.weak]
    case .all: MemoryModel.allCases
    }
  }
}

struct CellCoordinate: ExpressibleByArgument {
  var name: String
  var value: String

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return nil }
    (name, value) = (parts[0], parts[1])
  }
}

extension InterleavingLibrary {
  /// The files that came with the program.
  static func bundled() throws -> InterleavingLibrary {
    guard let directory = BundledFiles.directory("interleavings") else {
      throw ModelError(
        file: "fixtures/interleavings", line: 1, reason: "the bundled files are neither beside the program nor above it"
      )
    }
    var library = InterleavingLibrary()
    try library.add(directory: directory)
    return library
  }
}
