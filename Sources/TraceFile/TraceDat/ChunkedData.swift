// SPDX-License-Identifier: GPL-2.0-only

/// An independently compressed piece of one CPU's data in a version 7 file.
struct CompressedChunk: Sendable {
  /// The compressed bytes in the region.
  var range: Range<Int>
  var uncompressedSize: Int
}

/// Neighbouring chunks that hold whole sub-buffers together. Recorders end their chunks with a sub-buffer, so a run is
/// one chunk; `trace-cmd convert` cuts an instance with large sub-buffers anywhere.
struct ChunkRun: Sendable {
  var chunks: [CompressedChunk]

  var uncompressedSize: Int { chunks.reduce(0) { $0 + $1.uncompressedSize } }
  var fileOffset: Int { chunks.first?.range.lowerBound ?? 0 }

  /// A run longer than this is none; the sizes are made up.
  private static let maximumSize = 16 << 20

  static func group(_ chunks: [CompressedChunk], subBufferSize: Int) -> [ChunkRun] {
    var runs: [ChunkRun] = []
    var size = 0
    for chunk in chunks {
      if size == 0 { runs.append(ChunkRun(chunks: [])) }
      runs[runs.count - 1].chunks.append(chunk)
      size += chunk.uncompressedSize
      if size % subBufferSize == 0 || size > maximumSize { size = 0 }
    }
    return runs
  }

  func decompress(_ region: ByteRegion, _ compression: Compression) throws(TraceFileError) -> ByteRegion {
    let size = uncompressedSize
    guard size <= Compression.maximumSize else {
      throw region.error(at: fileOffset, .badLength("uncompressed size", UInt64(size)))
    }
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
    var end = 0
    for chunk in chunks {
      let part = unsafe UnsafeMutableRawBufferPointer(rebasing: output[end..<(end + chunk.uncompressedSize)])
      if let message = unsafe compression.decompress(region.bytes(chunk.range), into: part) {
        unsafe output.deallocate()
        throw region.error(at: chunk.range.lowerBound, .decompression(message))
      }
      end += chunk.uncompressedSize
    }
    return unsafe ByteRegion(owning: output, file: region.file, fileOffset: UInt64(fileOffset))
  }
}

extension TraceDat {
  /// The layout that the data of a version 7 buffer have.
  ///
  /// `trace-cmd convert` (3.1.6) writes the page size of its own machine into the BUFFER option of every instance,
  /// whatever size the sub-buffers of the file are, and then cannot read the file itself. So where the option and the
  /// file's header differ, the beginning of the data decides.
  static func layout(
    stated: SubBufferLayout, header: SubBufferLayout, of cpus: [CPUData]
  ) -> SubBufferLayout {
    guard stated != header else { return stated }
    for data in cpus {
      guard let sample = sample(of: data) else { continue }
      if isIntact(sample, as: stated) { continue }
      return isIntact(sample, as: header) ? header : stated
    }
    return stated
  }

  private static let sampleSize = 1 << 20

  private static func sample(of data: CPUData) -> ByteRegion? {
    switch data.storage {
    case .raw(let range):
      let bytes = unsafe data.region.bytes(range.prefix(sampleSize))
      return ByteRegion(copying: unsafe Array(bytes), file: data.region.file)
    case .chunks(let runs, let compression):
      var run = ChunkRun(chunks: [])
      for chunk in runs.lazy.flatMap(\.chunks) where run.uncompressedSize < sampleSize { run.chunks.append(chunk) }
      return try? run.decompress(data.region, compression)
    }
  }

  private static func isIntact(_ sample: ByteRegion, as layout: SubBufferLayout) -> Bool {
    let records = UnsafeMutableBufferPointer<RawRecord>.allocate(capacity: layout.maximumRecords)
    defer { unsafe records.deallocate() }
    var offset = 0
    while offset + layout.size <= sample.count {
      let bytes = unsafe sample.bytes(offset..<(offset + layout.size))
      if unsafe SubBuffer.decode(bytes, layout: layout, cpu: 0, buffer: 0, into: records).damage != nil { return false }
      offset += layout.size
    }
    return true
  }
}
