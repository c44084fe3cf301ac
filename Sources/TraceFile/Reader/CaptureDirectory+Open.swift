// SPDX-License-Identifier: GPL-2.0-only

internal import FoundationEssentials

/// Reading a capture, finished or not.
extension CaptureDirectory {
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
    for stats in manifest?.cpuStats ?? [] where !contents.buffers.isEmpty {
      // The top-level buffer has no name in the file.
      let index = contents.buffers.firstIndex { $0.name == stats.buffer } ?? 0
      guard let cpu = UInt16(exactly: stats.cpu) else { continue }
      contents.buffers[index].note(
        CPUData.Counted(read: stats.read, lost: stats.overrun &+ stats.dropped), onCPU: cpu, of: tracePath)
    }
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
          // What was still in the ring buffer is nowhere.
          buffer.cpus.append(
            CPUData(cpu: number, region: data, storage: .raw(0..<data.count), isCut: data.count > 0))
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
