// SPDX-License-Identifier: GPL-2.0-only

/// The event of a line of ftrace text.
///
///     NAME: BODY        SYSTEM:NAME: BODY        sys_NAME(ARGUMENTS)        sys_NAME -> RESULT
struct TextEvent {
  /// As in `events/SYSTEM/NAME`; empty when the line has none.
  var name: String
  /// Where the line names it.
  var system: String?
  var body: TextLine
  /// A line of the function tracer: `NAME <-CALLER`.
  var isFunction = false

  var fullName: String { system.map { "\($0):\(name)" } ?? name }

  init(_ text: TextLine) {
    var start = 0
    var end = Self.word(text, from: 0)
    if end > 0, end + 1 < text.count, text[end] == UInt8(ascii: ":"), TextLine.isWord(text[end + 1]) {
      let next = Self.word(text, from: end + 1)
      if next < text.count, text[next] == UInt8(ascii: ":") {
        system = text[0..<end].string
        (start, end) = (end + 1, next)
      }
    }
    name = text[start..<end].string
    body = text[text.count..<text.count]
    guard end < text.count else { return }
    if text[end] == UInt8(ascii: "("), name.hasPrefix("sys_") {
      name = "sys_enter_" + name.dropFirst(4)
      body = text[(end + 1)..<text.count]
    } else if text.hasPrefix(" -> ", at: end), name.hasPrefix("sys_") {
      name = "sys_exit_" + name.dropFirst(4)
      body = text[(end + 4)..<text.count]
    } else if text.hasPrefix(" <-", at: end) {
      isFunction = true
    } else {
      body = text[text.skipSpaces(from: end + 1)..<text.count]
    }
    if name == "tracing_mark_write" {
      name = "print"
    } else if name == "print", let mark = body.value(of: "tracing_mark_write") {
      body = body[mark..<body.count]
    }
  }

  /// `PERF_RECORD_LOST lost 12`, with --show-lost-events.
  var perfLoss: Int32? {
    guard name == "PERF_RECORD_LOST" || name == "PERF_RECORD_LOST_SAMPLES" else { return nil }
    return body.value(of: "lost").flatMap { body.number(at: $0, radix: 10) }.flatMap { Int32(exactly: $0) } ?? -1
  }

  private static func word(_ text: TextLine, from start: Int) -> Int {
    var end = start
    while end < text.count, TextLine.isWord(text[end]) { end += 1 }
    return end
  }
}

/// A line of a text trace that is no event: nobody stands in front.
enum OtherLine {
  case ignored(TextAccount.Ignored)
  /// It says that so many records were overwritten or dropped that are not in the text.
  case overwritten(UInt64, TextAccount.Ignored)
  /// Records of a CPU are missing here; -1: nobody knows how many.
  case lost(UInt16, Int32)
  /// It names an event all the same, or several things that may be one.
  case headless([String])
  case unrecognised([String])

  init(_ line: TextLine) {
    let start = line.skipSpaces(from: 0)
    if start == line.count {
      self = .ignored(.blank)
    } else if line[start] == UInt8(ascii: "#") {
      self = .overwritten(Self.overwritten(line), .comment)
    } else if let loss = Self.loss(line[start..<line.count]) {
      self = loss
    } else if let heading = Self.heading(line[start..<line.count]) {
      self = heading
    } else if let graph = GraphLine(line) {
      self = graph.comment.map { .headless([TextEvent(line[$0]).name]) } ?? .ignored(.function)
    } else if line.hasPrefix("-----", at: start) {
      self = .ignored(.function)
    } else if Self.isOfCallChain(line[start..<line.count]) {
      self = .ignored(.callChain)
    } else {
      self = .unrecognised(Self.names(line))
    }
  }

  /// `# entries-in-buffer/entries-written: 1000/1200   #P:2`
  private static func overwritten(_ line: TextLine) -> UInt64 {
    guard let place = line.value(of: "written"), let kept = line.number(upTo: UInt8(ascii: "/"), at: place),
      let slash = line.firstIndex(of: UInt8(ascii: "/"), from: place),
      let written = line.number(at: slash + 1, radix: 10)
    else { return 0 }
    return written > kept ? written - kept : 0
  }

  /// `CPU:1 [LOST 12 EVENTS]`, and trace-cmd's `CPU:1 [12 EVENTS DROPPED]`.
  private static func loss(_ line: TextLine) -> OtherLine? {
    guard line.hasPrefix("CPU:"), let open = line.firstIndex(of: UInt8(ascii: "["), from: 0, within: 24),
      let cpu = line[4..<line.skipSpaces(back: open)].number(at: 0, radix: 10).flatMap({ UInt16(exactly: $0) }),
      line.firstIndex(of: "EVENTS", from: open) != nil
    else { return nil }
    let count = line.number(
      upTo: UInt8(ascii: " "), at: line.hasPrefix("LOST ", at: open + 1) ? open + 6 : open + 1)
    return .lost(cpu, count.flatMap { Int32(exactly: $0) } ?? -1)
  }

  /// What trace-cmd prints above the events, and per CPU with --stat.
  private static func heading(_ line: TextLine) -> OtherLine? {
    for counter in ["overrun:", "commit overrun:", "dropped events:"] where line.hasPrefix(counter) {
      let place = line.skipSpaces(from: counter.utf8.count)
      return .overwritten(line.number(at: place, radix: 10) ?? 0, .heading)
    }
    let headings = [
      "version =", "cpus=", "CPU:", "CPU ", "entries:", "bytes:", "oldest event ts:", "now ts:", "read events:",
      "trace.dat", "Kernel buffer", "Buffer:",
    ]
    return headings.contains { line.hasPrefix($0) } ? .ignored(.heading) : nil
  }

  /// `=> vfs_read`, `<stack trace>`, and perf's `ffffffff81234567 vfs_read+0x11 ([kernel.kallsyms])`.
  private static func isOfCallChain(_ line: TextLine) -> Bool {
    if line.hasPrefix("=> ") || line.hasPrefix("<stack trace>") || line.hasPrefix("<user stack trace>") { return true }
    guard let space = line.firstIndex(of: UInt8(ascii: " "), from: 0, within: 24) else { return false }
    return space >= 4 && line[0..<space].number(at: 0, radix: 16) != nil
  }

  /// The words with a colon behind them.
  private static func names(_ line: TextLine) -> [String] {
    var names: [String] = []
    var start = 0
    while names.count < 16, let colon = line.firstIndex(of: UInt8(ascii: ":"), from: start) {
      var first = colon
      while first > start, colon - first < 64, TextLine.isWord(line[first - 1]) { first -= 1 }
      if first < colon { names.append(line[first..<colon].string) }
      start = colon + 1
    }
    return names
  }
}
