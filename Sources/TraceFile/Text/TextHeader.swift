// SPDX-License-Identifier: GPL-2.0-only

/// The front of a line of ftrace text: who, where, when.
///
///     sh-15325   [001] d..1.  3834.442752: exit_mmap: mt_mod 00000000792600aa, DESTROY
///     sh-15325 (  15325) [001] .....  3834.442752: ...          with option record-tgid
///     sh-15325 [001]  3834.442752: exit_mmap:            ...    trace-cmd report
///     sh 15325/15325 [001]  3834.442752: mmap:exit_mmap: ...    perf script
///     sh-15325     1d...2.. 2563695us+: ...                     latency-format, trace-cmd report -l
///     3834.442752 |   1)   sh-15325   |  d..1. |  /* ... */     function_graph with funcgraph-abstime and -proc
struct TextHeader {
  var pid: Int32
  var cpu: UInt16
  /// Nanoseconds; a clock without a decimal point (`counter`) is taken as it is.
  var time: UInt64
  /// Where the event is.
  var event: Range<Int>

  init?(_ line: TextLine) {
    let head = line[0..<min(line.count, Self.maximum)]
    guard var header = Self.bracketed(head) ?? Self.latency(head) ?? Self.graph(head) else { return nil }
    if header.event.upperBound == head.count { header.event = header.event.lowerBound..<line.count }
    self = header
  }

  /// No head reaches farther into its line, and no column of it is longer.
  private static let (maximum, maximumColumn) = (512, 40)

  private init(pid: Int32, cpu: UInt16, time: UInt64, event: Range<Int>) {
    (self.pid, self.cpu, self.time, self.event) = (pid, cpu, time, event)
  }

  // — [CPU]

  /// A task's name may hold brackets and digits: the first CPU that stands between an id and a time is the one. It has
  /// three digits at least (`[%03d]`).
  private static func bracketed(_ line: TextLine) -> TextHeader? {
    var open = 0
    var separated: TextHeader?
    while let next = line.firstIndex(of: UInt8(ascii: "["), from: open) {
      open = next + 1
      guard let close = line.firstIndex(of: UInt8(ascii: "]"), from: next, within: 6), close > next + 3,
        let number = line[(next + 1)..<close].number(at: 0, radix: 10), let cpu = UInt16(exactly: number),
        let (time, end) = time(line, from: close + 1)
      else { continue }
      if let pid = pid(line, before: next) {
        return TextHeader(pid: pid, cpu: cpu, time: time, event: end..<line.count)
      }
      if separated == nil, let pid = separatedPID(line, before: next) {
        separated = TextHeader(pid: pid, cpu: cpu, time: time, event: end..<line.count)
      }
    }
    return separated
  }

  /// At most the flags and the migrate-disable column stand before the time.
  private static func time(_ line: TextLine, from start: Int) -> (UInt64, end: Int)? {
    var index = start
    for _ in 0..<3 {
      index = line.skipSpaces(from: index)
      let stop = line.firstIndex(of: UInt8(ascii: " "), from: index, within: maximumColumn) ?? line.count
      guard stop > index, stop - index <= maximumColumn else { return nil }
      if line[stop - 1] == UInt8(ascii: ":"), let time = time(line[index..<(stop - 1)]) {
        return (time, line.skipSpaces(from: stop))
      }
      index = stop
    }
    return nil
  }

  /// The digits behind the last `-` of `TASK-PID`; a `(TGID)` may follow.
  private static func pid(_ line: TextLine, before end: Int) -> Int32? {
    var end = line.skipSpaces(back: end)
    if end > 0, line[end - 1] == UInt8(ascii: ")") {
      let limit = max(end - maximumColumn, 0)
      while end > limit, line[end - 1] != UInt8(ascii: "(") { end -= 1 }
      end = line.skipSpaces(back: max(end - 1, 0))
    }
    let start = line.skipDigits(back: end)
    guard start > 0, start < end, line[start - 1] == UInt8(ascii: "-") else { return nil }
    return line[start..<end].number(at: 0, radix: 10).flatMap { Int32(exactly: $0) }
  }

  /// `TASK PID` or `TASK PID/TID`: the thread is wanted.
  private static func separatedPID(_ line: TextLine, before end: Int) -> Int32? {
    let end = line.skipSpaces(back: end)
    let start = line.skipDigits(back: end)
    var first = start
    if start > 0, line[start - 1] == UInt8(ascii: "/") { first = line.skipDigits(back: start - 1) }
    guard start < end, first > 0, line[first - 1] == UInt8(ascii: " ") else { return nil }
    return line[start..<end].number(at: 0, radix: 10).flatMap { Int32(exactly: $0) }
  }

  /// `3834.442752`, with any number of decimals up to nine.
  private static func time(_ text: TextLine) -> UInt64? {
    guard let point = text.firstIndex(of: UInt8(ascii: ".")) else { return text.number(at: 0, radix: 10) }
    let decimals = text.count - point - 1
    guard (1...9).contains(decimals), let seconds = text[0..<point].number(at: 0, radix: 10),
      let fraction = text[(point + 1)..<text.count].number(at: 0, radix: 10), seconds < 1 << 33, fraction < 1 << 30
    else { return nil }
    var scale: UInt64 = 1
    for _ in decimals..<9 { scale *= 10 }
    return seconds * 1_000_000_000 + fraction * scale
  }

  // — latency format (`trace_print_lat_context`)

  private static func latency(_ line: TextLine) -> TextHeader? {
    var index = 0
    while let space = line.firstIndex(of: UInt8(ascii: " "), from: index) {
      index = line.skipSpaces(from: space)
      let flags = line.skipDigits(from: index)
      guard flags > index, flags - index <= 4, let pid = pid(line, before: index) else { continue }
      let stop = line.firstIndex(of: UInt8(ascii: " "), from: flags, within: maximumColumn) ?? line.count
      guard stop - flags >= 4, isLatencyFlag(line[flags]),
        let cpu = line[index..<flags].number(at: 0, radix: 10).flatMap({ UInt16(exactly: $0) }),
        let (time, end) = latencyTime(line, from: line.skipSpaces(from: stop))
      else { continue }
      return TextHeader(pid: pid, cpu: cpu, time: time, event: end..<line.count)
    }
    return nil
  }

  /// Interrupts off, bottom halves off, both, or neither.
  private static func isLatencyFlag(_ byte: UInt8) -> Bool {
    [UInt8(ascii: "."), UInt8(ascii: "d"), UInt8(ascii: "D"), UInt8(ascii: "b"), UInt8(ascii: "X")].contains(byte)
  }

  /// `2563695126us : ` since the first record, its mark for a long wait in front of the colon; trace-cmd prints
  /// seconds.
  private static func latencyTime(_ line: TextLine, from start: Int) -> (UInt64, end: Int)? {
    let stop = line.skipDigits(from: start)
    guard line.hasPrefix("us", at: stop) else { return time(line, from: start) }
    guard let microseconds = line[start..<stop].number(at: 0, radix: 10), microseconds < 1 << 43,
      let colon = line.firstIndex(of: UInt8(ascii: ":"), from: stop, within: 5)
    else { return nil }
    return (microseconds * 1000, line.skipSpaces(from: colon + 1))
  }

  // — function_graph (`print_graph_prologue`)

  private static func graph(_ line: TextLine) -> TextHeader? {
    guard let graph = GraphLine(line), let time = graph.time.flatMap({ Self.time($0) }), let event = graph.comment,
      let bar = line.firstIndex(of: UInt8(ascii: "|"), from: graph.afterCPU),
      let pid = pid(line, before: bar)
    else { return nil }
    return TextHeader(pid: pid, cpu: graph.cpu, time: time, event: event)
  }
}

/// A line of the function_graph tracer. Events stand in comments between the functions.
struct GraphLine {
  var cpu: UInt16
  var afterCPU: Int
  /// With option funcgraph-abstime.
  var time: TextLine?
  /// The text between `/*` and `*/`.
  var comment: Range<Int>?

  init?(_ line: TextLine) {
    var index = line.skipSpaces(from: 0)
    if let bar = line.firstIndex(of: UInt8(ascii: "|"), from: index, within: 24) {
      let point = line.skipDigits(from: index)
      let end = line.skipSpaces(back: bar)
      if point > index, point < end, line[point] == UInt8(ascii: "."), line.skipDigits(from: point + 1) == end {
        time = line[index..<end]
        index = line.skipSpaces(from: bar + 1)
      }
    }
    let stop = line.skipDigits(from: index)
    guard stop > index, stop < line.count, line[stop] == UInt8(ascii: ")"),
      let cpu = line[index..<stop].number(at: 0, radix: 10).flatMap({ UInt16(exactly: $0) })
    else { return nil }
    self.cpu = cpu
    afterCPU = stop + 1
    guard let open = line.firstIndex(of: "/* ", from: afterCPU) else { return }
    let close = line.firstIndex(of: " */", from: open + 3) ?? line.count
    comment = (open + 3)..<close
  }
}
