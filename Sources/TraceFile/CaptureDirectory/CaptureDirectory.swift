// SPDX-License-Identifier: GPL-2.0-only

internal import Foundation

/// The layout of a capture directory, `NAME.cow/`.
///
///     capture.json        CaptureManifest
///     trace.dat           finished: every record, version 6
///     snapshots.bin       SnapshotFile
///     incomplete          exists until everything else is in place
///     header.dat          while recording: the beginning of a version 6 trace.dat, up to and including the CPU count
///     raw/buffers.json    while recording: [RawBuffer], the top-level buffer first
///     raw/NAME.cpuN       while recording: sub-buffers of one CPU, one after the other
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
    do {
      try JSONEncoder().encode(buffers).write(to: URL(fileURLWithPath: rawBuffersPath), options: .atomic)
    } catch {
      throw TraceFileError(
        file: rawBuffersPath, offset: nil, reason: .malformed("the list cannot be written (\(error))"))
    }
  }

  package func readRawBuffers() throws(TraceFileError) -> [RawBuffer] {
    let region = try ByteRegion(mapping: rawBuffersPath)
    do {
      return try JSONDecoder().decode([RawBuffer].self, from: unsafe Data(region.bytes(0..<region.count)))
    } catch {
      throw TraceFileError(file: rawBuffersPath, offset: nil, reason: .malformed("the list of buffers (\(error))"))
    }
  }

  package func open() throws(TraceFileError) -> TraceReader {
    let isIncomplete = exists(incompletePath)
    var contents: TraceContents
    if exists(tracePath) && !(isIncomplete && exists(rawBuffersPath)) {
      contents = try TraceDat.open(try ByteRegion(mapping: tracePath))
    } else if exists(headerPath) {
      contents = try openUnfinished()
    } else {
      throw TraceFileError(file: path, offset: nil, reason: .notACapture)
    }
    var manifest: CaptureManifest?
    do throws(TraceFileError) {
      manifest = try CaptureManifest.read(manifestPath)
    } catch {
      contents.damages.append(error)
    }
    if contents.metadata.kernel == nil { contents.metadata.kernel = manifest?.release }
    return TraceReader(
      contents, capture: CaptureState(directory: self, isFinished: !isIncomplete, manifest: manifest))
  }

  private func openUnfinished() throws(TraceFileError) -> TraceContents {
    let region = try ByteRegion(mapping: headerPath)
    var cursor = ByteCursor(region, isBigEndian: false)
    let header = try TraceDat.readHeader(&cursor)
    guard header.version == "6" else { throw region.error(at: 10, .unsupportedVersion(header.version)) }
    let prefix = try TraceDat.readVersion6Prefix(&cursor, header)
    var contents = TraceContents(
      formats: EventFormats(sources: prefix.sources, longSize: header.longSize, isBigEndian: cursor.isBigEndian))
    contents.metadata = TraceDat.metadata(
      source: "unfinished capture", header: header, options: TraceDatOptions(), isBigEndian: cursor.isBigEndian)
    contents.metadata.cpuCount = Int(prefix.cpus)
    for (index, raw) in try readRawBuffers().enumerated() {
      guard let layout = prefix.layout.resized(to: raw.subBufferSize) else {
        throw TraceFileError(
          file: rawBuffersPath, offset: nil,
          reason: .badLength("sub-buffer size", UInt64(clamping: raw.subBufferSize)))
      }
      var buffer = BufferData(name: index == 0 ? "" : raw.name, clock: raw.clock, layout: layout, cpus: [])
      for cpu in raw.cpus {
        guard let number = UInt16(exactly: cpu) else { continue }
        do throws(TraceFileError) {
          let data = try ByteRegion(mapping: rawPath(buffer: raw.name, cpu: cpu))
          buffer.cpus.append(CPUData(cpu: number, region: data, storage: .raw(0..<data.count)))
        } catch {
          contents.damages.append(error)
        }
      }
      contents.buffers.append(buffer)
    }
    return contents
  }

  private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}

/// What a capture directory says about itself.
package struct CaptureState: Sendable {
  package var directory: CaptureDirectory
  /// `false` while recording, and for ever after a recording that was killed.
  package var isFinished: Bool
  /// `nil` when `capture.json` is missing or unreadable (then a damage says why).
  package var manifest: CaptureManifest?
}
