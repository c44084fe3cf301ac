// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Rows of numbers, one at the end of each stretch of time. Stretches become twice as long whenever there are too many:
/// every other row goes, which says the same of what only grows and of what stands at a time.
struct TimelineKeeper: Sendable {
  private static let shortest: UInt64 = 1000

  private(set) var start: Timestamp?
  private(set) var interval = shortest
  private(set) var rows: [[UInt64]] = []
  /// The end of the stretch under way, in ns since `start`.
  private var end = shortest

  /// The event at this time belongs to another stretch than the one before it, or is the first.
  @inline(__always)
  func isOver(at time: Timestamp) -> Bool {
    guard let start else { return true }
    return time.nanoseconds >= start.nanoseconds && time.nanoseconds &- start.nanoseconds >= end
  }

  /// `row`: how things stand before the event at this time.
  mutating func close(at time: Timestamp, _ row: [UInt64]) {
    guard let start else {
      self.start = time
      return
    }
    let elapsed = time.nanoseconds &- start.nanoseconds
    while elapsed / interval >= UInt64(Timeline.mostPoints) {
      rows = rows.indices.filter { $0 % 2 == 1 }.map { rows[$0] }
      interval *= 2
    }
    rows.append(contentsOf: repeatElement(row, count: Int(elapsed / interval) - rows.count))
    end = (UInt64(rows.count) + 1).multipliedReportingOverflow(by: interval).partialValue
  }

  /// The stretch under way ends with the trace.
  mutating func finish(_ row: [UInt64]) { if start != nil { rows.append(row) } }

  /// A column: as it stood, or by how much it grew in each stretch.
  func column(_ index: Int) -> [UInt64] { rows.map { $0[index] } }

  func growth(of index: Int) -> [UInt64] {
    let column = column(index)
    return zip(column, [0] + column).map { $0 &- $1 }
  }
}

/// What only grows, and nobody else counts.
struct TimelineTally: Sendable {
  var copies: UInt64 = 0
  var reuses: UInt64 = 0
  var collapses: UInt64 = 0
  var losses: UInt64 = 0

  @inline(__always)
  mutating func note(_ operation: Operation, _ outcome: Outcome) {
    guard case .writeFault = operation else { return }
    switch outcome {
    case .reused: reuses &+= 1
    case .copied(from: .some, to: _): copies &+= 1
    default: break
    }
  }
}

extension ReplayDriver {
  /// The event to come belongs to another stretch.
  @inline(never)
  mutating func closeStretch() {
    let row = timelineRow
    keeper.close(at: current.time, row)
  }

  /// Gauges, counts, then two columns an encoding; the order is that of the cases.
  var timelineRow: [UInt64] {
    let census = lockstep.baseline.pageCensus
    let tables = audits.tableCounts
    let gauges = Timeline.Gauge.allCases.map { gauge in
      switch gauge {
      case .exclusivePages: census.exclusive
      case .sharedPages: census.shared
      case .unknownPages: census.unknown
      case .swappedPages: lockstep.baseline.swappedPages
      case .bitmapBytes: lockstep.bitmapBytes ?? 0
      case .pageTables: tables?.tables ?? 0
      case .emptyTables: tables?.empty ?? 0
      case .missingCPUs: UInt64(missing.count)
      }
    }
    let counts = Timeline.Count.allCases.map { count in
      switch count {
      case .forks: forks.forks
      case .copies: tally.copies
      case .reuses: tally.reuses
      case .collapses: tally.collapses
      case .losses: tally.losses
      }
    }
    return gauges + counts + lockstep.divergenceTotals.flatMap { [$0.totals.definite, $0.totals.possible] }
  }

  /// What was kept, and the stretch that ends with the trace. `nil` where there was no event.
  mutating func finishTimeline() -> Timeline? {
    let row = timelineRow
    keeper.finish(row)
    guard let start = keeper.start else { return nil }
    var timeline = Timeline(start: start, interval: keeper.interval, points: keeper.rows.count)
    var isFollowed = Set(Timeline.Gauge.allCases)
    if lockstep.bitmapBytes == nil { isFollowed.remove(.bitmapBytes) }
    if audits.tableCounts == nil { isFollowed.subtract([.pageTables, .emptyTables]) }
    var column = 0
    for gauge in Timeline.Gauge.allCases {
      if isFollowed.contains(gauge) { timeline.gauges[gauge] = keeper.column(column) }
      column += 1
    }
    for count in Timeline.Count.allCases {
      timeline.counts[count] = keeper.growth(of: column)
      column += 1
    }
    for (encoding, _) in lockstep.divergenceTotals {
      timeline.divergences[encoding] = Timeline.Divergences(
        definite: keeper.growth(of: column), possible: keeper.growth(of: column + 1))
      column += 2
    }
    return timeline
  }
}
