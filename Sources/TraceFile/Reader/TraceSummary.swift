// SPDX-License-Identifier: GPL-2.0-only

/// What a capture holds, counted over all of it.
package struct TraceSummary: Equatable, Sendable {
  package var records: UInt64 = 0
  /// Records by event name (`system:name`; `event 123` where the capture has no format of that id).
  package var events: [String: UInt64] = [:]
  package var lost: [LostOnCPU] = []
  /// Times of the first and the last record; `nil` without records.
  package var firstTime: UInt64?
  package var lastTime: UInt64?
  package var damages: [TraceFileError] = []
  package var damageCount = 0
  /// Text traces: what became of the lines.
  package var lines: TextAccount?

  package var spanNanoseconds: UInt64 {
    guard let firstTime, let lastTime, lastTime > firstTime else { return 0 }
    return lastTime - firstTime
  }
}

extension TraceReader {
  /// Counts the whole capture, without merging and without touching the place of `nextBatch`.
  package func summary() -> TraceSummary {
    if let textRegion { return Self.summary(ofText: textRegion, formats) }
    var summary = TraceSummary()
    var counts = [UInt64](repeating: 0, count: 1 << 16)
    var damages = DamageLog()
    for stream in makeStreams() {
      var retired: [AnyObject] = []
      while let records = unsafe stream.next(damages: &damages, retired: &retired) {
        retired.removeAll()
        unsafe Self.count(records, &counts, &summary)
      }
      summary.lost.append(LostOnCPU(buffer: stream.buffer, cpu: stream.cpu, lost: stream.lost))
    }
    for (id, count) in counts.enumerated() where count > 0 {
      summary.events[formats.displayName(ofID: UInt16(id)), default: 0] += count
    }
    summary.damages = openDamages + damages.entries
    summary.damageCount = openDamages.count + damages.total
    return summary
  }

  private static func summary(ofText region: ByteRegion, _ formats: EventFormats) -> TraceSummary {
    let reader = TraceReader(text: region)
    var summary = TraceSummary()
    var batch = RecordBatch()
    while reader.nextBatch(into: &batch) {
      summary.records += UInt64(batch.count)
      for index in 0..<batch.count {
        let record = batch[index]
        summary.events[formats.displayName(ofID: record.eventID), default: 0] += 1
        summary.firstTime = min(summary.firstTime ?? record.timestamp, record.timestamp)
        summary.lastTime = max(summary.lastTime ?? record.timestamp, record.timestamp)
      }
    }
    summary.lost = reader.lost
    summary.lines = reader.lines
    return summary
  }

  private static func count(
    _ records: UnsafeBufferPointer<RawRecord>, _ counts: inout [UInt64], _ summary: inout TraceSummary
  ) {
    summary.records += UInt64(records.count)
    for index in 0..<records.count { unsafe counts[Int(records[index].eventID)] &+= 1 }
    guard let first = unsafe records.first, let last = unsafe records.last else { return }
    summary.firstTime = min(summary.firstTime ?? first.timestamp, first.timestamp)
    summary.lastTime = max(summary.lastTime ?? last.timestamp, last.timestamp)
  }
}
