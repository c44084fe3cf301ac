// SPDX-License-Identifier: GPL-2.0-only

/// `per_cpu/cpuN/stats` of one instance.
package struct BufferStatistics: Equatable, Sendable {
  package var cpu: Int
  /// Events lost because the reader was slower than the writer filled the whole buffer.
  package var overrun = 0
  /// Events lost because nested interrupts filled the buffer before an outer event was committed.
  package var commitOverrun = 0
  /// Events lost with overwriting off.
  package var dropped = 0
  package var read = 0
  /// Still in the buffer.
  package var entries = 0

  package var lost: Int { overrun + commitOverrun + dropped }

  /// Parses "key: value" lines; unknown keys belong to other kernels and are not needed.
  package init(cpu: Int, text: String) {
    self.cpu = cpu
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":"),
        let value = Int(line[line.index(after: colon)...].drop(while: \.isWhitespace))
      else { continue }
      switch line[..<colon] {
      case "overrun": overrun = value
      case "commit overrun": commitOverrun = value
      case "dropped events": dropped = value
      case "read events": read = value
      case "entries": entries = value
      default: break
      }
    }
  }

  /// A buffer size per CPU, in KiB, with which nothing would have been lost here, or `nil` when nothing was.
  ///
  /// An upper bound: room for every lost event beside what was kept, at the mean size of the kept ones, rounded up
  /// to a power of two.
  package func sufficientBufferKiB(current: Int, bytesKept: Int) -> Int? {
    guard lost > 0 else { return nil }
    let bytesPerEvent = max(32, bytesKept / max(read, 1))
    let needed = current + (lost * bytesPerEvent + 1023) / 1024
    var size = 1024
    while size < needed { size *= 2 }
    return size
  }
}
