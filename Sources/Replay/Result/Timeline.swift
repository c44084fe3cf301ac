// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What a replay came to over time, in stretches of equal length.
package struct Timeline: Sendable, Equatable {
  /// A quantity as it stood at the end of a stretch.
  package enum Gauge: String, Sendable, CaseIterable {
    /// Mapped anonymous pages, each once, by today's flag.
    case exclusivePages = "exclusive_pages"
    case sharedPages = "shared_pages"
    case unknownPages = "unknown_pages"
    /// Pages that are in a swap slot and not in the swapcache.
    case swappedPages = "swapped_pages"
    /// Of encoding B.
    case bitmapBytes = "bitmap_bytes"
    case pageTables = "page_tables"
    case emptyTables = "empty_tables"
    /// CPUs whose records are missing.
    case missingCPUs = "cpus_missing"
  }

  /// How often something happened in a stretch.
  package enum Count: String, Sendable, CaseIterable {
    case forks
    /// Pages that write faults copied, or kept.
    case copies
    case reuses
    case collapses
    /// Places where records were lost.
    case losses
  }

  /// Entries that came to hold a verdict in a stretch: any but LOST, which stands beside one, and BETTER.
  package struct Divergences: Sendable, Equatable {
    package var definite: [UInt64]
    package var possible: [UInt64]

    package init(definite: [UInt64], possible: [UInt64]) {
      (self.definite, self.possible) = (definite, possible)
    }
  }

  /// Of the trace clock.
  package var start: Timestamp
  /// Of one stretch, in ns.
  package var interval: UInt64
  /// Stretches. The last may be shorter.
  package var points: Int
  /// What was not followed is left out.
  package var gauges: [Gauge: [UInt64]] = [:]
  package var counts: [Count: [UInt64]] = [:]
  package var divergences: [EncodingID: Divergences] = [:]

  package init(start: Timestamp, interval: UInt64, points: Int) {
    (self.start, self.interval, self.points) = (start, interval, points)
  }

  /// There is no more of them, however long the capture.
  package static let mostPoints = 256
}
