// SPDX-License-Identifier: GPL-2.0-only

/// Options of a trace.dat, their ids shared by versions 6 and 7. Ids not listed are passed over.
enum TraceDatOption: UInt16 {
  case done = 0, date, cpuStat, buffer, traceClock, uname, hook, offset, cpuCount, version
  case tsc2nsec = 14
  case strings = 15
  case headerInfo, ftraceEvents, eventFormats, kallsyms, printk, cmdlines
}

/// What the options of a file said so far.
struct TraceDatOptions {
  struct Raw {
    var id: UInt16
    var range: Range<Int>
  }

  var clock: String?
  var uname: String?
  var version: String?
  var cpuCount: UInt32?
  var cpuStats: [String] = []
  var time = TimeConversion()
  /// Places of BUFFER options; their content differs between versions.
  var buffers: [Range<Int>] = []
  /// Version 7: file offsets of the sections by id.
  var sections: [TraceDatOption: UInt64] = [:]

  /// Files one option; lengths that do not fit the option throw.
  mutating func apply(_ raw: Raw, cursor: ByteCursor) throws(TraceFileError) {
    guard let option = TraceDatOption(rawValue: raw.id) else { return }
    var body = ByteCursor(cursor.region, range: raw.range, isBigEndian: cursor.isBigEndian)
    func text() -> String {
      let text = cursor.region.text(raw.range).prefix { $0 != "\0" }.drop(while: \.isWhitespace)
      return String(text[..<(text.lastIndex { !$0.isWhitespace }.map(text.index(after:)) ?? text.startIndex)])
    }
    switch option {
    case .done, .hook: break
    // Microseconds, decimal or 0x-prefixed; the others are nanoseconds.
    case .date: time.offset &+= (Self.number(text()) ?? 0) &* 1000
    case .offset: time.offset &+= Self.number(text()) ?? 0
    case .cpuStat: cpuStats.append(text())
    case .buffer:
      // `RawRecord.buffer` has eight bits; no recorder makes so many instances.
      guard buffers.count < 254 else { throw body.error(.badLength("number of buffers", 255)) }
      buffers.append(raw.range)
    case .traceClock: clock = Self.activeClock(text())
    case .uname: uname = text()
    case .version: version = text()
    case .cpuCount: cpuCount = try body.integer(UInt32.self, "option CPUCOUNT")
    case .tsc2nsec:
      time.multiplier = try body.integer(UInt32.self, "option TSC2NSEC")
      time.shift = try body.integer(UInt32.self, "option TSC2NSEC")
      guard time.shift < 128 else { throw body.error(.badLength("shift of option TSC2NSEC", UInt64(time.shift))) }
    case .strings, .headerInfo, .ftraceEvents, .eventFormats, .kallsyms, .printk, .cmdlines:
      sections[option] = try body.integer(UInt64.self, "section offset in an option")
    }
  }

  /// `local [mono] boot` -> `mono`.
  static func activeClock(_ text: String) -> String {
    guard let open = text.firstIndex(of: "["), let close = text[open...].firstIndex(of: "]") else {
      return text
    }
    return String(text[text.index(after: open)..<close])
  }

  /// As C's `strtoll` with base 0.
  private static func number(_ text: String) -> Int64? {
    var digits = Substring(text)
    let negative = digits.hasPrefix("-")
    if negative || digits.hasPrefix("+") { digits = digits.dropFirst() }
    let magnitude =
      digits.hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits.prefix { $0.isNumber })
    guard let magnitude else { return nil }
    return negative ? 0 &- Int64(bitPattern: magnitude) : Int64(bitPattern: magnitude)
  }
}
