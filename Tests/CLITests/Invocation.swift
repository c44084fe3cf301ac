// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport

/// The built `cowscope`, run as a user runs it.
struct Invocation {
  let status: Int32
  let output: String
  let talk: String

  /// The binary lies beside the test bundle, whose own executable is the running process.
  static let binary: URL = Invocation.directory.appending(path: "cowscope")

  private static let directory: URL = {
    let arguments = CommandLine.arguments.map { URL(filePath: $0).deletingLastPathComponent() }
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let candidates = [own] + arguments
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0.appending(path: "cowscope").path) } ?? own
  }()

  init(_ arguments: String..., environment: [String: String] = [:]) throws {
    try self.init(Invocation.binary, arguments, environment)
  }

  init(_ arguments: [String]) throws { try self.init(Invocation.binary, arguments, [:]) }

  /// A command line for bash; `$cowscope` is the binary.
  init(shell line: String, environment: [String: String] = [:]) throws {
    let variables = environment.merging(["cowscope": Invocation.binary.path]) { first, _ in first }
    try self.init(URL(filePath: "/bin/bash"), ["-c", line], variables)
  }

  private init(_ program: URL, _ arguments: [String], _ environment: [String: String]) throws {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let inherited = ProcessInfo.processInfo.environment.filter { $0.key != "NO_COLOR" }
    process.environment = inherited.merging(environment) { _, given in given }
    // Files, not pipes: whatever the command writes, it can never block on a pipe that nobody empties.
    let scratch = try Scratch()
    let output = try scratch.create("stdout")
    let talk = try scratch.create("stderr")
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = talk
    try process.run()
    process.waitUntilExit()
    status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    self.output = try scratch.read("stdout")
    self.talk = try scratch.read("stderr")
  }
}
