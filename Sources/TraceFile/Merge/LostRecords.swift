// SPDX-License-Identifier: GPL-2.0-only

/// Loss of one CPU over a whole capture, as the ring buffer's flags, the file's damages and the recorder's counters
/// show it.
package struct LostRecords: Equatable, Sendable {
  /// Records the kernel counted as lost.
  package var counted: UInt64 = 0
  /// Gaps of unknown size.
  package var uncountedGaps: UInt64 = 0

  package init() {}

  package var isNone: Bool { counted == 0 && uncountedGaps == 0 }

  mutating func note(_ loss: Int32) {
    if loss < 0 { uncountedGaps += 1 } else { counted &+= UInt64(loss) }
  }

  mutating func add(_ other: LostRecords) {
    counted += other.counted
    uncountedGaps += other.uncountedGaps
  }
}
