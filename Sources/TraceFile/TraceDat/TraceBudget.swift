// SPDX-License-Identifier: GPL-2.0-only

/// How much a file may ask for: memory and time stay in proportion to its size, whatever it says of itself.
struct TraceBudget {
  /// What all chunks together may decompress to. Nothing of a real trace comes near a hundredth; a file of a few
  /// kilobytes may have mostly empty sub-buffers.
  private(set) var bytes: Int
  /// CPUs of all buffers: four of the largest machine's.
  private(set) var streams = 1 << 15
  /// A chunk is more than its header.
  private(set) var chunks: Int
  /// Places of the file that hold a CPU's data already.
  private var taken: [Range<Int>] = []

  init(of region: ByteRegion) {
    bytes = max(64 << 20, region.count.multipliedReportingOverflow(by: 128).partialValue)
    chunks = region.count / 8
  }

  mutating func takeStream() -> Bool {
    streams -= 1
    return streams >= 0
  }

  mutating func takeChunk(_ uncompressedSize: Int) -> Bool {
    chunks -= 1
    bytes -= uncompressedSize
    return chunks >= 0 && bytes >= 0
  }

  /// Files of recorders hold each CPU's data once. Whoever comes second at a place gets nothing.
  mutating func take(_ range: Range<Int>) -> Bool {
    guard !range.isEmpty else { return true }
    // Sorted by place: those before end before those after begin.
    var (low, high) = (0, taken.count)
    while low < high {
      let middle = (low + high) / 2
      if taken[middle].upperBound <= range.lowerBound { low = middle + 1 } else { high = middle }
    }
    if low < taken.count, taken[low].overlaps(range) { return false }
    taken.insert(range, at: low)
    return true
  }
}
