// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What `info` tells about a capture without replaying it.
package struct CaptureInfo: Sendable {
  package var name: String
  /// `uname -r`, or "unknown".
  package var kernel: String
  /// Raw records read.
  package var records: UInt64
  /// Raw records per tracepoint, `system/name`.
  package var events: [String: UInt64]
  /// Records the ring buffer dropped, per CPU; `nil` where the kernel gave no count.
  package var lost: [(cpu: CPU, count: UInt64?)]
  /// From the first record to the last.
  package var spanNanoseconds: UInt64
  /// What could not be read.
  package var gaps: GapCounts
  /// What else the capture says about itself and its host, in its own order.
  package var facts: [(name: String, value: String)]
  /// Kernel configuration and knobs of the host: dozens.
  package var settings: [(name: String, value: String)]

  package init(
    name: String, kernel: String, records: UInt64, events: [String: UInt64], lost: [(cpu: CPU, count: UInt64?)],
    spanNanoseconds: UInt64, gaps: GapCounts, facts: [(name: String, value: String)],
    settings: [(name: String, value: String)]
  ) {
    self.name = name
    self.kernel = kernel
    self.records = records
    self.events = events
    self.lost = lost
    self.spanNanoseconds = spanNanoseconds
    self.gaps = gaps
    self.facts = facts
    self.settings = settings
  }
}
