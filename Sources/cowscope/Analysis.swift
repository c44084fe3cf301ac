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
    throw CommandError(path: path, reason: "this build cannot replay yet")
  }
}
