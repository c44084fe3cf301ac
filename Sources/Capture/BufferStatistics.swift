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

  /// A buffer size per CPU, in KiB, that would hold such a loss in one instance with room to spare, or `nil` when
  /// nothing was lost. `bytesKept` is what was read of all CPUs together.
  ///
  /// What was lost depends on when the scheduler let the reader run, and where the load ran: the next run loses
  /// elsewhere and more or less. So what all CPUs lost has room on each, at the mean size of the events that were kept,
  /// and of that four times as much, rounded up to a power of two.
  package static func sufficientBufferKiB(
    _ cpus: [BufferStatistics], current: Int, bytesKept: Int
  ) -> Int? {
    let lost = cpus.reduce(0) { $0 + $1.lost }
    guard lost > 0 else { return nil }
    let bytesPerEvent = max(32, bytesKept / max(cpus.reduce(0) { $0 + $1.read }, 1))
    let needed = margin * (current + (lost * bytesPerEvent + 1023) / 1024)
    var size = 1024
    while size < needed { size *= 2 }
    return size
  }

  private static let margin = 4
}
