// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Rows of numbers, one at the end of each stretch of time. Stretches become twice as long whenever there are too many:
/// every other row goes, which says the same of what only grows and of what stands at a time.
struct TimelineKeeper: Sendable {
  private(set) var start: Timestamp?
  private(set) var interval: UInt64
  /// Row after row.
  private var numbers: [UInt64] = []
  private let width: Int
  /// The end of the stretch under way, in ns since `start`.
  private var end: UInt64

  /// - Parameters:
  ///   - width: Numbers in a row.
  ///   - shortest: The stretches to begin with, in ns.
  init(width: Int, shortest: UInt64 = 64_000) {
    precondition(width > 0 && shortest > 0, "rows have numbers, and stretches a length")
    (self.width, interval, end) = (width, shortest, shortest)
  }

  var count: Int { numbers.count / width }

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
      numbers = (0..<count / 2).flatMap { numbers[(2 * $0 + 1) * width..<(2 * $0 + 2) * width] }
      interval *= 2
    }
    for _ in count..<Int(elapsed / interval) { append(row) }
    end = (UInt64(count) + 1).multipliedReportingOverflow(by: interval).partialValue
  }

  /// The stretch under way ends with the trace.
  mutating func finish(_ row: [UInt64]) { if start != nil { append(row) } }

  private mutating func append(_ row: [UInt64]) {
    precondition(row.count == width, "a row has a number for every column")
    numbers.append(contentsOf: row)
  }

  /// A column: as it stood, or by how much it grew in each stretch.
  func column(_ index: Int) -> [UInt64] { (0..<count).map { numbers[$0 * width + index] } }

  func growth(of index: Int) -> [UInt64] {
    let column = column(index)
    return zip(column, [0] + column).map { $0 &- $1 }
  }
}

extension ReplayDriver {
  /// The event to come belongs to another stretch.
  @inline(never)
  mutating func closeStretch() {
    let row = timelineRow
    accounts.timeline.close(at: current.time, row)
  }

  /// Gauges, counts, then two columns an encoding; the order is that of the cases.
  private var timelineRow: [UInt64] {
    let divergences = lockstep.divergenceTotals
    var row: [UInt64] = []
    row.reserveCapacity(Timeline.Gauge.allCases.count + Timeline.Count.allCases.count + 2 * divergences.count)
    let census = lockstep.baseline.memory.pageCensus
    let tables = audits.tableCounts
    for gauge in Timeline.Gauge.allCases {
      let number: UInt64 =
        switch gauge {
        case .exclusivePages: census.exclusive
        case .sharedPages: census.shared
        case .unknownPages: census.unknown
        case .swappedPages: lockstep.baseline.memory.swappedPages
        case .bitmapBytes: lockstep.bitmapBytes ?? 0
        case .pageTables: tables?.tables ?? 0
        case .emptyTables: tables?.empty ?? 0
        case .missingCPUs: UInt64(missing.count)
        }
      row.append(number)
    }
    for count in Timeline.Count.allCases { row.append(accounts.total(count)) }
    for (_, totals) in divergences {
      row.append(totals.definite)
      row.append(totals.possible)
    }
    return row
  }

  /// What was kept, and the stretch that ends with the trace. `nil` where there was no event.
  var finishedTimeline: Timeline? {
    var keeper = accounts.timeline
    guard let start = keeper.start else { return nil }
    keeper.finish(timelineRow)
    var timeline = Timeline(start: start, interval: keeper.interval, points: keeper.count)
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
