// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Testing
import TraceFile

/// A small trace.dat of a shell command on kernel 6.18, and ways to make others from it.
enum Fixture {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let shell = root.appendingPathComponent("fixtures/tracefile/shell.dat").path

  static func bytes() throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: shell))) }

  /// A directory for one test, removed when the closure ends.
  static func withScratch<T>(_ body: (String) throws -> T) throws -> T {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("tracefile-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer {
      do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record("cannot remove \(path): \(error)") }
    }
    return try body(path)
  }

  static let hasTraceCmd = FileManager.default.isExecutableFile(atPath: "/usr/bin/trace-cmd")

  /// Runs a program to its end and returns what it printed on stdout.
  @discardableResult
  static func run(_ program: String, _ arguments: String...) throws -> String {
    try run(program, arguments: arguments)
  }

  static func run(_ program: String, arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(program) \(arguments) failed")
    return text
  }
}

/// A record copied out of its batch.
struct Copied: Equatable {
  var time: UInt64
  var cpu: UInt16
  var buffer: UInt8
  var lostBefore: Int32
  var id: UInt16
  var payload: [UInt8]
}

extension TraceReader {
  /// Every record, copied.
  func all(batchSize: Int = 100) -> [Copied] {
    var batch = RecordBatch(capacity: batchSize)
    var result: [Copied] = []
    while nextBatch(into: &batch) {
      #expect(batch.firstSequence == UInt64(result.count) + 1)
      result += Copied.all(of: batch)
    }
    return result
  }
}

extension Copied {
  static func all(of batch: borrowing RecordBatch) -> [Copied] {
    (0..<batch.count).map { index in
      let record = batch[index]
      return Copied(
        time: record.timestamp, cpu: record.cpu, buffer: record.buffer, lostBefore: record.lostBefore,
        id: record.eventID, payload: unsafe [UInt8](record.bytes))
    }
  }
}
