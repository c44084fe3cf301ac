// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Normalize
import Testing

@testable import TraceFile

/// What a probe of the recorder's fetched. ftrace text says nothing of probes: they come as records.
struct Probed {
  var name: KnownProbe
  var fields: [(name: String, value: UInt64)]

  init(_ name: KnownProbe, _ fields: KeyValuePairs<String, UInt64>) {
    self.name = name
    self.fields = fields.map { ($0.key, $0.value) }
  }

  fileprivate func format(id: UInt16) -> EventFormat {
    CanonicalEvent(KnownProbe.system, name.rawValue, fields.map { .init($0.name, .unsigned(radix: 16)) }).format(id: id)
  }

  /// As `EventFormat` of a canonical event has it: the common fields, and eight bytes for each.
  fileprivate func payload(id: UInt16, task: Int) -> [UInt64] {
    [UInt64(id) | UInt64(UInt32(truncatingIfNeeded: task)) << 32] + fields.map(\.value)
  }
}

enum ProbedLine {
  case text(String)
  case probe(Probed)
}

/// The events that come of lines and probes, a microsecond apart on one CPU.
func normalized(_ lines: [(task: Int, line: ProbedLine)]) throws -> [MMEventRecord] {
  let start: UInt64 = 1_100_000
  let text = lines.enumerated().compactMap { index, entry -> String? in
    guard case .text(let line) = entry.line else { return nil }
    return "  sh-\(entry.task)   [000] .....  1.\(String(start - 1_000_000 + UInt64(index))): \(line)\n"
  }
  let reader = try TraceFile.open(bytes: Array(("# tracer: nop\n" + text.joined()).utf8), name: "trace")
  var read = RecordBatch(capacity: lines.count + 1)
  _ = reader.nextBatch(into: &read)
  #expect(read.count == text.count && reader.lines?.refused.isEmpty == true)

  var formats = TextTrace.formats
  let ids = Dictionary(uniqueKeysWithValues: zip(KnownProbe.allCases, (5000 as UInt16)...))
  let probes = lines.enumerated().compactMap { index, entry -> (time: UInt64, probe: Probed, task: Int)? in
    guard case .probe(let probe) = entry.line else { return nil }
    return ((start + UInt64(index)) * 1000, probe, entry.task)
  }
  for probe in probes where !formats.contains(where: { $0.id == ids[probe.probe.name] }) {
    formats.append(probe.probe.format(id: try #require(ids[probe.probe.name])))
  }
  var normalizer = try Normalizer(formats: EventFormats(known: formats))
  var batch = RecordBatch(capacity: lines.count + 1)
  let payloads = probes.map { $0.probe.payload(id: ids[$0.probe.name] ?? 0, task: $0.task) }
  let words = payloads.joined()
  var events: [MMEventRecord] = []
  unsafe Array(words).withUnsafeBytes { bytes in
    var records = unsafe Array(read.records)
    var offset = 0
    for (probe, payload) in zip(probes, payloads) {
      guard let base = bytes.baseAddress else { preconditionFailure("no words, though there is a payload") }
      let address = unsafe base + offset
      records.append(
        unsafe RawRecord(
          timestamp: probe.time, payload: address, length: UInt32(8 * payload.count), lostBefore: 0, cpu: 0, buffer: 0,
          swapsBytes: false))
      offset += 8 * payload.count
    }
    records.sort { $0.timestamp < $1.timestamp }
    unsafe records.withUnsafeBufferPointer { _ = unsafe batch.append($0, upTo: .max) }
    normalizer.consume(batch, into: &events)
    normalizer.finish(into: &events)
  }
  return events
}
