// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Normalize
import TraceFile
import Testing

/// What a task traced, without the head of the line.
typealias TracedLine = (task: Int, line: String)

/// The events that come of these lines, a microsecond apart on one CPU.
func normalized(_ lines: [TracedLine]) throws -> [MMEventRecord] {
  let text = lines.enumerated().map { index, entry in
    "  sh-\(entry.task)   [000] .....  1.\(String(100_000 + index)): \(entry.line)\n"
  }
  return try normalized(text: text.joined())
}

/// The events that come of the lines of a `trace` file.
func normalized(text: String) throws -> [MMEventRecord] {
  let reader = try TraceFile.open(bytes: Array(("# tracer: nop\n" + text).utf8), name: "trace")
  var normalizer = try Normalizer(formats: reader.formats)
  var batch = RecordBatch()
  var events: [MMEventRecord] = []
  while reader.nextBatch(into: &batch) { normalizer.consume(batch, into: &events) }
  normalizer.finish(into: &events)
  #expect(reader.lines?.refused.isEmpty == true)
  return events
}
