// SPDX-License-Identifier: GPL-2.0-only

/// The front of a line of ftrace text: who, where, when.
///
///     sh-15325   [001] d..1.  3834.442752: exit_mmap: mt_mod 00000000792600aa, DESTROY
///     sh-15325 (  15325) [001] .....  3834.442752: ...          with option record-tgid
///     sh-15325 [001]  3834.442752: exit_mmap:            ...    trace-cmd report
struct TextHeader {
  var pid: Int32
  var cpu: UInt16
  /// Nanoseconds; a clock without a decimal point (`counter`) is taken as it is.
  var time: UInt64
  /// Where the event begins.
  var end: Int

  init?(_ line: TextLine) {
    guard let (cpu, bracket, afterCPU) = Self.cpu(line), let pid = Self.pid(line, before: bracket) else { return nil }
    self.pid = pid
    self.cpu = cpu
    var index = afterCPU
    // At most the flags and the migrate-disable column stand before the time.
    for _ in 0..<3 {
      index = line.skipSpaces(from: index)
      var stop = index
      while stop < line.count, line[stop] != UInt8(ascii: " ") { stop += 1 }
      guard stop > index else { return nil }
      if line[stop - 1] == UInt8(ascii: ":"), let time = Self.time(line[index..<(stop - 1)]) {
        self.time = time
        end = line.skipSpaces(from: stop)
        return
      }
      index = stop
    }
    return nil
  }

  /// ` [001] `: the CPU, where the bracket opens, and where the rest begins.
  private static func cpu(_ line: TextLine) -> (UInt16, Int, Int)? {
    var open = 0
    while let next = line.firstIndex(of: UInt8(ascii: "["), from: open) {
      if let close = line.firstIndex(of: UInt8(ascii: "]"), from: next), close - next <= 6, close > next + 1,
        let number = line[(next + 1)..<close].number(at: 0, radix: 10), let cpu = UInt16(exactly: number)
      {
        return (cpu, next, close + 1)
      }
      open = next + 1
    }
    return nil
  }

  /// The digits behind the last `-` of `TASK-PID`; a `(TGID)` may follow.
  private static func pid(_ line: TextLine, before bracket: Int) -> Int32? {
    func back(over end: Int) -> Int {
      var end = end
      while end > 0, line[end - 1] == UInt8(ascii: " ") { end -= 1 }
      return end
    }
    var end = back(over: bracket)
    if end > 0, line[end - 1] == UInt8(ascii: ")") {
      while end > 0, line[end - 1] != UInt8(ascii: "(") { end -= 1 }
      end = back(over: max(end - 1, 0))
    }
    var start = end
    while start > 0, line[start - 1] >= UInt8(ascii: "0"), line[start - 1] <= UInt8(ascii: "9") { start -= 1 }
    guard start > 0, start < end, line[start - 1] == UInt8(ascii: "-") else { return nil }
    return line[start..<end].number(at: 0, radix: 10).flatMap { Int32(exactly: $0) }
  }

  /// `3834.442752`, with any number of decimals up to nine.
  private static func time(_ text: TextLine) -> UInt64? {
    guard let point = text.firstIndex(of: UInt8(ascii: ".")) else { return text.number(at: 0, radix: 10) }
    let decimals = text.count - point - 1
    guard (1...9).contains(decimals), let seconds = text[0..<point].number(at: 0, radix: 10),
      let fraction = text[(point + 1)..<text.count].number(at: 0, radix: 10), seconds < 1 << 33
    else { return nil }
    var scale: UInt64 = 1
    for _ in decimals..<9 { scale *= 10 }
    return seconds * 1_000_000_000 + fraction * scale
  }
}
