// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// One event as one line of text: `seq time cpu task mm event fields`.
///
/// Words of the kernel stand alone (`rw-`, `MADV_DONTNEED`, `write-protect`), numbers have a name. Pages are printed
/// as addresses, frames as decimal PFNs, both as `perf` and `/proc` show them.
package struct EventText {
  private let pageShift: UInt8

  package init(pageShift: UInt8) { self.pageShift = pageShift }

  /// Appends the line with its newline.
  package func append(_ record: MMEventRecord, to line: inout LineBuffer) {
    line.append(decimal: record.sequence.rawValue, width: 9)
    line.append(byte: 0x20)
    line.append(seconds: record.time.nanoseconds, width: 17)
    line.append(" cpu")
    line.append(decimal: record.cpu.rawValue)
    line.append(byte: 0x20)
    line.append(decimal: record.task.rawValue, width: 7)
    if let mm = record.mm {
      line.append(" mm")
      line.append(decimal: mm.rawValue)
    } else {
      line.append(" mm-")
    }
    line.append(byte: 0x20)
    appendPhrase(record.event, to: &line)
    line.append(byte: 0x0a)
  }

  /// Appends the event's name and fields alone; where the page is known from the context it is not repeated.
  func appendPhrase(_ event: MMEvent, about page: VirtualPage? = nil, to line: inout LineBuffer) {
    line.append(EventKind(event).name)
    var sink = TextSink(line: line.take(), pageShift: UInt64(pageShift), known: page)
    event.sendFields(to: &sink)
    line = sink.line
  }
}

private struct TextSink: EventFieldSink {
  var line: LineBuffer
  let pageShift: UInt64
  /// A page that needs no mention.
  let known: VirtualPage?

  mutating func range(_ range: PageRange) {
    line.append(byte: 0x20)
    line.append(hexadecimal: range.start.rawValue &<< pageShift)
    line.append(byte: 0x2d)
    line.append(hexadecimal: range.end.rawValue &<< pageShift)
  }

  mutating func page(_ name: String, _ page: VirtualPage) {
    if page == known { return }
    begin(name)
    line.append(hexadecimal: page.rawValue &<< pageShift)
  }

  mutating func frame(_ pfn: PFN) { number("pfn", pfn.rawValue) }

  mutating func order(_ order: FolioOrder) { number("order", UInt64(order.rawValue)) }

  mutating func mm(_ name: String, _ mm: MMID) {
    begin(name)
    line.append("mm")
    line.append(decimal: mm.rawValue)
  }

  mutating func word(_ name: String, _ word: String) {
    line.append(name == "outcome" ? " -> " : " ")
    line.append(word)
  }

  mutating func number(_ name: String, _ value: UInt64?) {
    begin(name)
    if let value { line.append(decimal: value) } else { line.append("unknown") }
  }

  mutating func flag(_ name: String, _ isSet: Bool) {
    guard isSet else { return }
    line.append(byte: 0x20)
    line.append(name)
  }

  private mutating func begin(_ name: String) {
    line.append(byte: 0x20)
    line.append(name)
    line.append(byte: 0x3d)
  }
}
