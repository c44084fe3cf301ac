// SPDX-License-Identifier: GPL-2.0-only

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
