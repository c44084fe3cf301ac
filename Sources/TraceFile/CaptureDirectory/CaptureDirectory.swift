// SPDX-License-Identifier: GPL-2.0-only

internal import FoundationEssentials

/// The layout of a capture directory, `NAME.cow/`.
///
///     capture.json        CaptureManifest
///     trace.dat           finished: every record, version 6
///     snapshots.bin       SnapshotFile
///     result.ndjson       what a replay found, if there was one
///     incomplete          exists until everything else is in place
///     header.dat          while recording: the beginning of a version 6 trace.dat, up to and including the CPU count
///     raw/buffers.json    while recording: [RawBuffer], the top-level buffer first
///     raw/NAME.cpuN       while recording: sub-buffers of one CPU, one after the other
///
/// A file that is written all at once has `.new` at the end of its name until it is whole.
///
/// So an outside observer sees three states: recording or died (`incomplete` is there), finished, not a capture.
package struct CaptureDirectory: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  package var manifestPath: String { path + "/capture.json" }
  package var tracePath: String { path + "/trace.dat" }
  package var snapshotPath: String { path + "/snapshots.bin" }
  package var incompletePath: String { path + "/incomplete" }
  package var headerPath: String { path + "/header.dat" }
  package var rawPath: String { path + "/raw" }
  package var rawBuffersPath: String { path + "/raw/buffers.json" }

  /// Whether a file directly in a capture has a name that we write. Only such files are ever removed.
  package static func isOurs(file name: String) -> Bool {
    let files: Set = ["capture.json", "trace.dat", "snapshots.bin", "result.ndjson", "incomplete", "header.dat"]
    return files.contains(withoutDraftSuffix(name))
  }

  /// The same in `raw/`: the list, or `NAME.cpuN`.
  package static func isOurs(rawFile name: String) -> Bool {
    if withoutDraftSuffix(name) == "buffers.json" { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, parts[1].hasPrefix("cpu") else { return false }
    let number = parts[1].utf8.dropFirst(3)
    return !number.isEmpty && number.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  private static func withoutDraftSuffix(_ name: String) -> String {
    name.hasSuffix(OutputFile.draftSuffix) ? String(name.dropLast(OutputFile.draftSuffix.count)) : name
  }

  package func rawPath(buffer: String, cpu: Int) -> String { "\(path)/raw/\(buffer).cpu\(cpu)" }

  /// One entry of `raw/buffers.json`.
  package struct RawBuffer: Codable, Equatable, Sendable {
    /// Part of the names of the raw files. In the finished file the first buffer becomes the top-level one, without a
    /// name; readers show it so in both states.
    package var name: String
    package var clock: String
    package var subBufferSize: Int
    /// Every CPU that has a raw file.
    package var cpus: [Int]

    package init(name: String, clock: String, subBufferSize: Int, cpus: [Int]) {
      self.name = name
      self.clock = clock
      self.subBufferSize = subBufferSize
      self.cpus = cpus
    }
  }

  package func writeRawBuffers(_ buffers: [RawBuffer]) throws(TraceFileError) {
    let text: Data
    do {
      text = try JSONEncoder().encode(buffers)
    } catch {
      throw TraceFileError(
        file: rawBuffersPath, offset: nil, reason: .malformed("the list cannot be written (\(error))"))
    }
    try OutputFile.replace(rawBuffersPath, with: Array(text))
  }

  package func readRawBuffers() throws(TraceFileError) -> [RawBuffer] {
    let region = try ByteRegion(mapping: rawBuffersPath)
    do {
      return try JSONDecoder().decode([RawBuffer].self, from: unsafe Data(region.bytes(0..<region.count)))
    } catch {
      throw TraceFileError(file: rawBuffersPath, offset: nil, reason: .malformed("the list of buffers (\(error))"))
    }
  }
}

/// What a capture directory says about itself.
package struct CaptureState: Sendable {
  package var directory: CaptureDirectory
  /// `false` while recording, and for ever after a recording that was killed.
  package var isFinished: Bool
  /// `nil` when `capture.json` is missing or unreadable (then a damage says why).
  package var manifest: CaptureManifest?
}
