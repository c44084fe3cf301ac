// SPDX-License-Identifier: GPL-2.0-only

import Anonymize
import Explore
import Foundation
import Pipeline
import Replay
import Report
import Stories
import TraceFile

/// One way into the program for bytes from strangers. Errors are answers; traps, hangs and hunger are not.
enum FuzzTarget: String, CaseIterable {
  /// A trace.dat of version 6 or 7: every record and every format of it.
  case binary
  /// Ftrace text likewise.
  case text
  /// `capture.json` of a capture that is replayed.
  case manifest
  /// `snapshots.bin` of a capture that is replayed.
  case snapshots
  /// A stored result: read, and rendered in every format.
  case result
  case litmus
  /// Models and rows of interleavings, searched for a while.
  case explore
  /// A trace, replayed and anonymized.
  case pipeline
  /// Records of a real trace that are left out, go elsewhere or have other fields: see `RecordEdits`.
  case records

  func run(_ bytes: [UInt8], in scratch: FuzzScratch) {
    do {
      switch self {
      case .binary, .text: try Self.read(bytes)
      case .manifest, .snapshots: try replay(bytes, in: scratch)
      case .result: try Self.render(bytes)
      case .litmus: try Self.play(String(decoding: bytes, as: UTF8.self))
      case .explore: try Self.search(String(decoding: bytes, as: UTF8.self))
      case .pipeline: try Self.replay(trace: bytes, in: scratch)
      case .records: try scratch.bases.run(bytes)
      }
    } catch {
      return  // Said why.
    }
  }

  private static func read(_ bytes: [UInt8]) throws {
    let reader = try TraceFile.open(bytes: bytes, name: "fuzz")
    var batch = RecordBatch()
    while reader.nextBatch(into: &batch) {}
    for name in reader.formats.names {
      _ = try? reader.formats.format(named: String(name.split(separator: ":").last ?? ""))
    }
    _ = (reader.summary(), reader.damages.map(\.description), reader.gaps)
  }

  private func replay(_ bytes: [UInt8], in scratch: FuzzScratch) throws {
    let name = self == .manifest ? "capture.json" : "snapshots.bin"
    if self == .snapshots {
      let path = try scratch.write(bytes, "snapshots.bin")
      let file = try SnapshotFile.open(path)
      guard file.count > 0 else { return }
    }
    let capture = try scratch.capture(self == .manifest ? "6.1-two-nodes" : "6.12-tour")
    try Data(bytes).write(to: URL(filePath: capture + "/" + name))
    try Self.analyze(capture, to: scratch)
  }

  private static func replay(trace bytes: [UInt8], in scratch: FuzzScratch) throws {
    try analyze(try scratch.write(bytes, "trace.dat"), to: scratch)
  }

  /// All that is done with a capture.
  static func analyze(_ path: String, to scratch: FuzzScratch) throws {
    _ = try? Analysis(path: path, readsAhead: false).info()
    if let result = try? Analysis(path: path, readsAhead: false).replay() {
      _ = try render(ResultWriter().lines(of: result))
    }
    let output = scratch.path("anonymous")
    try? FileManager.default.removeItem(atPath: output)
    let anonymizer = try CaptureAnonymizer(path, secret: Secret((1, 2)))
    if anonymizer.manifest == nil {
      _ = try anonymizer.write(to: output)
    } else {
      try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
      _ = try anonymizer.write(into: CaptureDirectory(output))
    }
  }

  private static func render(_ bytes: [UInt8]) throws {
    let result = try ResultReader.read(bytes)
    _ = try ResultWriter().lines(of: result)
    _ = TextReport(style: Style(isColoured: false), detail: .everything).render(result)
    _ = (HTMLReport().render(result), KTAPReport().render(result), try PerfettoTrace().render(result))
  }

  private static func play(_ text: String) throws {
    for scenario in try LitmusParser.parse(text, file: "fuzz.litmus") {
      _ = LitmusRunner.run(scenario)
      for kernel in LitmusKernel.allCases { _ = try? StoryProgram(scenario, kernel) }
    }
  }

  private static func search(_ text: String) throws {
    var library = InterleavingLibrary()
    try library.add(text: text, file: "fuzz.model")
    var options = SearchOptions()
    options.stateLimit = 500
    for row in library.rows.prefix(4) {
      for cell in try CellSelection().cells(of: row, in: library).prefix(4) {
        _ = try CellRunner.run(cell, in: library, options)
      }
    }
  }
}
