// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Foundation
import Replay

/// `cowscope litmus`: runs worked examples against every encoding they speak of.
struct Litmus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "litmus",
    abstract: "Runs small stories about memory against every encoding they speak of.",
    discussion: """
      Without FILE the bundled examples run: share/cowscope/litmus beside the program's directory when installed, \
      else fixtures/litmus above the program or the current directory. The format is described in \
      fixtures/litmus/README.md.

      Exit status: 0 all ok, 1 a file cannot be read or understood, 2 an example is not ok, 64 usage.
      """)

  @Argument(help: "Litmus files, or directories of them.", completion: .file(extensions: ["litmus"]))
  var files: [String] = []

  @Flag(help: "Print KTAP, one test point per example and configuration.")
  var ktap = false

  @Option(help: "Run only this encoding; may be repeated.")
  var encoding: [String] = []

  @Option(help: "Forget this call site in every encoding that has it, such as c.mprotect; may be repeated.")
  var without: [String] = []

  @Option(help: "Run only as on this kernel: 6.1, 6.12, 6.18 or 7.3.")
  var kernel: String?

  func validate() throws {
    _ = try selection()
  }

  func run() throws {
    let selection = try selection()
    let scenarios: [LitmusScenario]
    do {
      scenarios = try load()
    } catch let error as LitmusError {
      throw failure(error.description)
    }
    let results = scenarios.flatMap { LitmusRunner.run($0, selection) }
    guard !results.isEmpty else { throw failure("nothing to run: no example names this kernel and encoding") }
    print(ktap ? Self.ktap(results) : Self.text(results), terminator: "")
    if results.contains(where: { !$0.passed }) { throw ExitCode(2) }
  }

  private func failure(_ message: String) -> ExitCode {
    FileHandle.standardError.write(Data("cowscope litmus: \(message)\n".utf8))
    return ExitCode(1)
  }

  private func selection() throws -> LitmusRunner.Selection {
    var selection = LitmusRunner.Selection()
    for name in encoding {
      guard let id = name == "C" ? EncodingID.cStrict : EncodingID(rawValue: name) else {
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
    guard files.isEmpty else {
      return try files.flatMap { file throws(LitmusError) in
        try LitmusLibrary.isDirectory(file) ? LitmusLibrary.load(directory: file) : LitmusLibrary.load(file: file)
      }
    }
    let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
    guard
      let directory = LitmusLibrary.bundledDirectory(
        executable: program, currentDirectory: FileManager.default.currentDirectoryPath)
    else {
      throw LitmusError(
        file: "fixtures/litmus", line: 1, column: 1,
        reason: "the bundled examples are neither beside the program nor above it; name files to run")
    }
    return try LitmusLibrary.load(directory: directory)
  }

  // — rendering

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
