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
  static let maximumSize = 16 << 20

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
