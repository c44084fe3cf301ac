// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Normalize
import Replay
import TraceFile

/// A pass over the records of a capture, turned into events.
struct CaptureWalk {
  let reader: TraceReader
  let notices: Notices

  /// What walking over the records told besides the events.
  struct Summary: Sendable {
    var records: UInt64 = 0
    var firstTime: UInt64?
    var lastTime: UInt64 = 0
    var addressSpaces: UInt64 = 0
    /// What the reader and the normalizer passed over.
    var gaps = GapCounts()
    /// What the records contain.
    var capabilities = Capabilities()
    /// What of the capture could not be read: the first thousand places, and how many there were.
    var damages: [TraceFileError] = []
    var damageCount = 0
    var names = TaskNames()

    /// The batch is not empty.
    mutating func note(_ batch: borrowing RecordBatch) {
      firstTime = firstTime ?? batch[0].timestamp
      lastTime = batch[batch.count - 1].timestamp
      records += UInt64(batch.count)
    }

    var spanNanoseconds: UInt64 { firstTime.map { max(lastTime, $0) - $0 } ?? 0 }
  }

  /// Hands over batches of events until `body` says that it has enough by returning `false`. `ahead`: reading and
  /// normalizing go on meanwhile, each on a thread of its own.
  func run(ahead: Bool, _ body: ([MMEventRecord]) throws -> Bool) throws -> Summary {
    if ahead, let summary = try runAhead(body) { return summary }
    return try normalize(readsAhead: false, atLeast: 1) { events in
      defer { events.removeAll(keepingCapacity: true) }
      return try body(events)
    }
  }

  // — events

  private func runAhead(_ body: ([MMEventRecord]) throws -> Bool) throws -> Summary? {
    try ReadAhead.run(Array(repeating: [], count: Self.batches)) { deliver in
      try normalize(readsAhead: true, atLeast: Self.eventsPerBatch) { events in
        defer { events.removeAll(keepingCapacity: true) }
        return deliver(&events)
      }
    } use: { events in
      try body(events)
    }
  }

  /// Batches between two threads: so much may one of them be ahead of the other.
  private static let batches = 8
  /// Events worth waking another thread for.
  private static let eventsPerBatch = 4096

  private func normalize(
    readsAhead: Bool, atLeast count: Int, _ deliver: (inout [MMEventRecord]) throws -> Bool
  ) throws -> Summary {
    var normalizer = try reader.makeNormalizer()
    var events: [MMEventRecord] = []
    var summary = Summary()
    defer { notices.reached(nil) }
    let isAll = try forEachRecordBatch(ahead: readsAhead) { batch in
      summary.note(batch)
      normalizer.consume(batch, into: &events)
      notices.reached(summary.records)
      return try events.count < count || deliver(&events)
    }
    (summary.damages, summary.damageCount) = (reader.damages, reader.damageCount)
    summary.gaps = reader.gaps
    if reader.kernel == .notUnderstood { summary.gaps.add(.assumedKernel) }
    guard isAll else { return summary }
    normalizer.finish(into: &events)
    _ = try deliver(&events)
    summary.addressSpaces = normalizer.addressSpaces
    summary.gaps.add(normalizer.gaps)
    summary.capabilities = normalizer.capabilities
    summary.names = normalizer.names
    return summary
  }

  // — records

  /// Hands over batches of records until `body` says that it has enough, which makes this `false`. They are of one size
  /// whether `ahead` or not: where time goes backwards (damage), it shows where they end.
  private func forEachRecordBatch(ahead: Bool, _ body: (borrowing RecordBatch) throws -> Bool) throws -> Bool {
    if ahead, let isAll = try readAhead(body) { return isAll }
    var batch = RecordBatch()
    while reader.nextBatch(into: &batch) { guard try body(batch) else { return false } }
    return true
  }

  private func readAhead(_ body: (borrowing RecordBatch) throws -> Bool) throws -> Bool? {
    var isAll = true
    let made: Void? = try ReadAhead.run((0..<Self.batches).map { _ in Handover() }) { deliver in
      var next = Handover()
      while reader.nextBatch(into: &next.batch) { guard deliver(&next) else { return } }
    } use: { next in
      isAll = try body(next.batch)
      return isAll
    }
    return made.map { isAll }
  }

  /// Records that go from one thread to another.
  private final class Handover {
    var batch = RecordBatch()
  }
}
