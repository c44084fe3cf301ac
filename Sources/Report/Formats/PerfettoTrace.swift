// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
package import Replay

/// A result for ui.perfetto.dev, in the JSON trace-event format that it (and chrome://tracing) opens.
///
/// One process per encoding. In it, one thread per divergence signature with the first occurrence and the history
/// that led there as instants, and one counter: how many signatures had been seen by then. A result holds the first
/// occurrence of each signature, not every one, so the counter counts signatures.
package struct PerfettoTrace {
  package init() {}

  private struct File: Encodable {
    var displayTimeUnit = "ns"
    var traceEvents: [Event]
  }

  private struct Event: Encodable {
    /// `i` instant, `C` counter, `M` metadata.
    var ph: String
    var name: String
    /// Microseconds; the fraction carries the nanoseconds.
    var ts: Double = 0
    var pid: Int
    var tid: Int
    /// Scope of an instant: `t`, its thread.
    var s: String?
    var args: [String: Value]
  }

  private enum Value: Encodable {
    case text(String)
    case number(UInt64)

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let text): try container.encode(text)
      case .number(let number): try container.encode(number)
      }
    }
  }

  /// The file's bytes.
  package func render(_ result: ReplayResult) throws(ReportError) -> [UInt8] {
    var events: [Event] = []
    for (index, encoding) in result.encodings.enumerated() {
      let found = result.divergences.filter { $0.encoding == encoding.id && $0.count > 0 }
      let process = index + 1
      events.append(
        Event(ph: "M", name: "process_name", pid: process, tid: 0, args: ["name": .text(encoding.id.rawValue)]))
      events += counter(found, process: process)
      for (thread, divergence) in found.worstFirst.enumerated() {
        events += track(divergence, process: process, thread: thread + 1, pageShift: result.capture.pageShift)
      }
    }
    return try JSONLine.encode(File(traceEvents: events))
  }

  private func counter(_ found: [Divergence], process: Int) -> [Event] {
    var seen: [String: UInt64] = [:]
    return found.sorted { ($0.firstSequence, Signature($0)) < ($1.firstSequence, Signature($1)) }.map { divergence in
      seen[divergence.verdict.rawValue, default: 0] += 1
      return Event(
        ph: "C", name: "signatures seen", ts: microseconds(divergence.firstTime), pid: process, tid: 0,
        args: seen.mapValues { .number($0) })
    }
  }

  private func track(_ found: Divergence, process: Int, thread: Int, pageShift: UInt8) -> [Event] {
    let title = Signature(found).text
    let history = found.history.map { entry in
      Event(
        ph: "i", name: entry.text, ts: microseconds(entry.time), pid: process, tid: thread, s: "t",
        args: [
          "seq": .number(entry.sequence.rawValue), "pid": .text(String(entry.task.rawValue)),
          "today": .text(entry.today), "encoding": .text(entry.encoding ?? ""),
        ])
    }
    let first = Event(
      ph: "i", name: found.verdict.rawValue, ts: microseconds(found.firstTime), pid: process, tid: thread, s: "t",
      args: [
        "signature": .text(title), "count": .number(found.count), "seq": .number(found.firstSequence.rawValue),
        "mm": .number(UInt64(found.mm.rawValue)), "addr": .text(found.page.address(pageShift: pageShift)),
      ])
    return [Event(ph: "M", name: "thread_name", pid: process, tid: thread, args: ["name": .text(title)])] + history
      + [first]
  }

  private func microseconds(_ time: Timestamp) -> Double { Double(time.nanoseconds) / 1000 }
}
