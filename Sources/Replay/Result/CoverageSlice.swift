// SPDX-License-Identifier: GPL-2.0-only

/// A stretch of the capture, and how much of what was checked in it could be known.
package struct CoverageSlice: Sendable, Equatable {
  /// Nanoseconds since the first thing that was checked.
  package var start: UInt64
  package var end: UInt64
  package var checked: UInt64
  package var known: UInt64

  package init(start: UInt64, end: UInt64, checked: UInt64, known: UInt64) {
    self.start = start
    self.end = end
    self.checked = checked
    self.known = known
  }
}
