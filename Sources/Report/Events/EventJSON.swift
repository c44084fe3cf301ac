// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// One event as one JSON object on one line: `seq`, `time_ns`, `cpu`, `pid`, `mm`, `event`, then the fields.
///
/// Written directly instead of through `JSONEncoder` because there are millions: values are integers and words of
/// this module, none of which needs escaping. Addresses are strings (`"0x7f..."`): they do not fit the 53 bits that
/// many JSON readers keep.
package struct EventJSON {
  private let pageShift: UInt8

  package init(pageShift: UInt8) { self.pageShift = pageShift }

  /// Appends the line with its newline.
  package func append(_ record: MMEventRecord, to line: inout LineBuffer) {
    line.append("{\"seq\":")
    line.append(decimal: record.sequence.rawValue)
    line.append(",\"time_ns\":")
    line.append(decimal: record.time.nanoseconds)
    line.append(",\"cpu\":")
    line.append(decimal: record.cpu.rawValue)
    line.append(",\"pid\":")
    line.append(decimal: record.task.rawValue)
    line.append(",\"mm\":")
    if let mm = record.mm { line.append(decimal: mm.rawValue) } else { line.append("null") }
    line.append(",\"event\":\"")
    line.append(EventKind(record.event).name)
    line.append("\"")
    var sink = JSONSink(line: line.take(), pageShift: UInt64(pageShift))
    record.event.sendFields(to: &sink)
    line = sink.line
    line.append("}\n")
  }
}

private struct JSONSink: EventFieldSink {
  var line: LineBuffer
  let pageShift: UInt64

  mutating func range(_ range: PageRange) {
    page("start", range.start)
    page("end", range.end)
  }

  mutating func page(_ name: String, _ page: VirtualPage) {
    begin(name)
    line.append(byte: 0x22)
    line.append(hexadecimal: page.rawValue &<< pageShift)
    line.append(byte: 0x22)
  }

  mutating func frame(_ pfn: PFN) { number("pfn", pfn.rawValue) }

  mutating func order(_ order: FolioOrder) { number("order", UInt64(order.rawValue)) }

  mutating func mm(_ name: String, _ mm: MMID) { number(name, UInt64(mm.rawValue)) }

  mutating func word(_ name: String, _ word: String) {
    begin(name)
    line.append(byte: 0x22)
    line.append(word)
    line.append(byte: 0x22)
  }

  mutating func number(_ name: String, _ value: UInt64?) {
    begin(name)
    if let value { line.append(decimal: value) } else { line.append("null") }
  }

  mutating func flag(_ name: String, _ isSet: Bool) {
    begin(name)
    line.append(isSet ? "true" : "false")
  }

  private mutating func begin(_ name: String) {
    line.append(",\"")
    line.append(name)
    line.append("\":")
  }
}
