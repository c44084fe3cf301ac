// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Normalize
import Replay
import Report
import TraceFile

/// One pass over a trace: file -> normalizer -> events -> replay. The only place that ties the three together.
struct Analysis {
  /// What the user asked the replay for.
  struct Options {
    /// Empty is all.
    var encodings: [EncodingID] = []
    /// Events after this one are left out.
    var until: Sequence?
    /// Only this frame is reported on.
    var frame: PFN?
    /// Call sites left as they are today (`c.mprotect`, ...).
    var without: [CallSiteSwitch] = []

    var switches: SwitchSet { SwitchSet(without: without) }

    /// Cuts the events after `until`; `false` when it is reached.
    func admit(_ events: inout [MMEventRecord]) -> Bool {
      guard let until else { return true }
      let admitted = events.prefix { $0.sequence <= until }.count
      let isReached = admitted < events.count
      events.removeSubrange(admitted...)
      return !isReached
    }
  }

  let path: String
  let verbosity: Verbosity

  /// Every normalized event, batch by batch, until `body` says that it has enough by returning `false`.
  func forEachBatch(_ body: ([MMEventRecord]) throws -> Bool) throws {
    let reader = try TraceFile.open(path)
    var normalizer = try Normalizer(formats: reader.formats, pageSize: reader.pageSize)
    var batch = RecordBatch()
    var events: [MMEventRecord] = []
    var progress = Progress(verbosity)
    defer { progress.end() }
    var records: UInt64 = 0
    while reader.nextBatch(into: &batch) {
      events.removeAll(keepingCapacity: true)
      normalizer.consume(batch, into: &events)
      guard try body(events) else { return }
      records += UInt64(batch.count)
      progress.reached(records)
    }
    events.removeAll(keepingCapacity: true)
    normalizer.finish(into: &events)
    guard try body(events) else { return }
    progress.end()
    warnOfDamage(reader)
  }

  /// log2 of the page size of the traced machine.
  func pageShift() throws -> UInt8 { UInt8(try TraceFile.open(path).pageSize.trailingZeroBitCount) }

  func info() throws -> CaptureInfo {
    let reader = try TraceFile.open(path)
    let info = CaptureInfo(reading: reader, path: path)
    warnOfDamage(reader)
    return info
  }

  /// A damaged capture is still a capture; the user must know that some of it is missing.
  private func warnOfDamage(_ reader: TraceReader) {
    guard let first = reader.damages.first else { return }
    verbosity.warn(first.description)
    for damage in reader.damages.dropFirst() { verbosity.detail(damage.description) }
    if reader.damageCount > 1 { verbosity.warn("\(reader.damageCount) damaged places in all") }
  }

  func replay(_ options: Options) throws -> ReplayResult {
    let reader = try TraceFile.open(path)
    var normalizer = try Normalizer(formats: reader.formats, pageSize: reader.pageSize)
    var driver = ReplayDriver(
      encodings: options.encodings.isEmpty ? EncodingID.allCases : [.baseline] + options.encodings,
      facts: kernelFacts(reader), switches: options.switches, seesLRUInsertion: normalizer.showsLRUInsertion,
      snapshots: try CapturedSnapshots(reader))
    var batch = RecordBatch()
    var events: [MMEventRecord] = []
    var progress = Progress(verbosity)
    var summary = SpanOfRecords()
    while reader.nextBatch(into: &batch) {
      events.removeAll(keepingCapacity: true)
      normalizer.consume(batch, into: &events)
      summary.add(batch)
      progress.reached(summary.records)
      guard options.admit(&events) else { break }
      driver.apply(events)
    }
    events.removeAll(keepingCapacity: true)
    normalizer.finish(into: &events)
    _ = options.admit(&events)
    driver.apply(events)
    progress.end()
    warnOfDamage(reader)
    let history = try history(driver.historyCollector)
    return driver.finish(
      capture: CaptureSummary(
        name: path, kernel: reader.release ?? "unknown", command: reader.capture?.manifest?.commandLine ?? [],
        records: summary.records, spanNanoseconds: summary.nanoseconds, addressSpaces: normalizer.addressSpaces),
      history: history)
  }

  private func kernelFacts(_ reader: TraceReader) -> KernelFacts {
    if let facts = reader.release.flatMap(KernelFacts.forRelease) { return facts }
    verbosity.warn("\(path): the kernel's release is not in the capture; the rules of 6.18 are assumed")
    return .v6_18
  }

  /// Second pass: what happened to the pages the report speaks of.
  private func history(_ collector: HistoryCollector) throws -> (MMID, VirtualPage, Sequence) -> [HistoryEntry] {
    var collector = collector
    let end = collector.end
    if end > Sequence(0) {
      try forEachBatch { events in
        collector.consume(events) { event, page in event.touches(page) }
        return (events.first?.sequence ?? end) <= end
      }
    }
    let text = EventText(pageShift: try pageShift())
    return { mm, page, until in
      collector.events(mm, page, until: until).map { record in
        HistoryEntry(
          sequence: record.sequence, time: record.time, task: record.task, text: text.describe(record))
      }
    }
  }
}

/// Number and time span of the raw records read.
private struct SpanOfRecords {
  private(set) var records: UInt64 = 0
  private var first: UInt64?
  private var last: UInt64 = 0

  mutating func add(_ batch: borrowing RecordBatch) {
    records += UInt64(batch.count)
    if first == nil { first = batch[0].timestamp }
    last = batch[batch.count - 1].timestamp
  }

  var nanoseconds: UInt64 { first.map { last - $0 } ?? 0 }
}
