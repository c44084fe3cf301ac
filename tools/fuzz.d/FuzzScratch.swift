// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TraceFile

/// A directory in memory for what is read by its path, and the captures that inputs are put into.
final class FuzzScratch {
  let fixtures: String
  private let directory: String
  lazy var bases = RecordEdits(self)

  init(fixtures: String) throws {
    self.fixtures = fixtures
    let parent = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    directory = parent + "/cowscope-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(atPath: directory) }

  func path(_ name: String) -> String { directory + "/" + name }

  func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let path = path(name)
    try Data(bytes).write(to: URL(filePath: path))
    return path
  }

  /// A copy of a bundled capture; without the recorder's counters, which would take every change for a loss.
  func capture(_ name: String) throws -> String {
    let copy = path(name)
    if !FileManager.default.fileExists(atPath: copy) {
      try FileManager.default.copyItem(atPath: fixtures + "/captures/" + name, toPath: copy)
    }
    let manifest = CaptureDirectory(copy).manifestPath
    for file in ["capture.json", "snapshots.bin"] {
      try? FileManager.default.removeItem(atPath: copy + "/" + file)
      try FileManager.default.copyItem(atPath: "\(fixtures)/captures/\(name)/\(file)", toPath: copy + "/" + file)
    }
    var plain = try CaptureManifest.read(manifest)
    plain.cpuStats = []
    try plain.write(manifest)
    return copy
  }
}
