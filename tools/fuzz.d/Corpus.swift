// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Pipeline
import Report

/// What inputs are made from: the bundled captures and texts, and what was found before (`tools/fuzz.d/corpus/TARGET`).
enum Corpus {
  static func inputs(of target: FuzzTarget, fixtures: String, found: String) throws -> [[UInt8]] {
    func file(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: fixtures + "/" + name))) }
    func files(in directory: String, _ suffix: String) throws -> [[UInt8]] {
      try FileManager.default.contentsOfDirectory(atPath: directory).sorted().filter { $0.hasSuffix(suffix) }.map {
        [UInt8](try Data(contentsOf: URL(filePath: directory + "/" + $0)))
      }
    }
    let captures = ["6.18-shell", "6.1-tour", "6.1-two-nodes", "6.12-tour", "6.12-two-nodes"]
    let own: [[UInt8]] =
      switch target {
      case .binary, .pipeline:
        try [
          "tracefile/shell.dat", "tracefile/two-buffers-zstd.dat", "captures/6.12-arm64-tour.dat",
          "captures/6.12-arm64-two-nodes.dat", "captures/6.1-two-nodes/trace.dat",
        ].map(file) + (target == .pipeline ? [try file("tracefile/lost-page.txt")] : [])
      case .text: try ["tracefile/lost-page.txt", "tracefile/shell-report.txt"].map(file)
      case .manifest: try captures.map { try file("captures/\($0)/capture.json") }
      case .snapshots: try ["6.1-tour", "6.12-tour"].map { try file("captures/\($0)/snapshots.bin") }
      case .result:
        try ["6.1-two-nodes", "6.12-tour"].map {
          try ResultWriter().lines(of: Analysis(path: fixtures + "/captures/" + $0).replay())
        }
      case .litmus: try files(in: fixtures + "/litmus", ".litmus")
      case .explore:
        try [
          ["fork.model", "fork-encodings.model", "fork.rows"], ["collapse.model", "collapse.rows"],
          ["gup.model", "gup.rows"],
        ].map { try $0.flatMap { try file("interleavings/" + $0) + [0x0a] } }
      case .records: (0..<UInt8(RecordEdits.names.count)).map { [$0] }
      }
    let directory = found + "/" + target.rawValue
    guard FileManager.default.fileExists(atPath: directory) else { return own }
    return own + (try files(in: directory, ""))
  }
}
