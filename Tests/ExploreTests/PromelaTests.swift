// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Testing

@testable import Explore

/// A second opinion: SPIN stores as many states as a search without reductions, and agrees on the verdict.
struct PromelaTests {
  static let tools = ["/usr/bin/spin", "/usr/bin/gcc"]
  static var areThere: Bool { tools.allSatisfy { FileManager.default.isExecutableFile(atPath: $0) } }

  @Test(.enabled(if: areThere, "spin and gcc are not installed"), arguments: ["K-01", "K-08a", "K-09", "K-23", "K-30"])
  func spinAgrees(id: String) throws {
    let library = try Bundled.library()
    let row = try #require(library.rows.first { $0.id == id })
    let cell = try #require(try CellSelection().cells(of: row, in: library).first)
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("promela-\(id)-\(getpid())").path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try PromelaDirectory(directory).write([cell], library)
    try run("/usr/bin/spin", ["-a", "\(cell.fileName).pml"], in: directory)
    try run("/usr/bin/gcc", ["-DSAFETY", "-DNOREDUCE", "-w", "-o", "pan", "pan.c"], in: directory)
    let report = try run("\(directory)/pan", ["-m100000", "-E", "-c0", "-n"], in: directory)
    var options = SearchOptions()
    options.reductions = false
    let ours = try CellRunner.run(cell, in: library, options)
    let states = report.split(separator: "\n").first { $0.contains("states, stored") }?.split(separator: " ").first
    #expect(states.map(String.init) == String(ours.exploration.states))
    #expect(report.contains("errors: 0") == (ours.result == .holds))
  }

  @discardableResult
  private func run(_ tool: String, _ arguments: [String], in directory: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
  }
}
