// SPDX-License-Identifier: GPL-2.0-only

/// The address ranges in the text of `/proc/PID/maps`.
package enum MemoryMaps {
  /// `[start, end)` of each line, in bytes; lines that do not start with "hex-hex" are skipped (there are none).
  ///
  /// Ranges in the upper half (`[vsyscall]`) are left out: no pagemap covers them.
  package static func ranges(in text: [UInt8], into ranges: inout [(start: UInt64, end: UInt64)]) {
    ranges.removeAll(keepingCapacity: true)
    var index = 0
    while index < text.count {
      if let start = hexadecimal(text, &index), index < text.count, text[index] == UInt8(ascii: "-") {
        index += 1
        if let end = hexadecimal(text, &index), start < end, end >> 63 == 0 { ranges.append((start, end)) }
      }
      while index < text.count, text[index] != UInt8(ascii: "\n") { index += 1 }
      index += 1
    }
  }

  private static func hexadecimal(_ text: [UInt8], _ index: inout Int) -> UInt64? {
    var value: UInt64 = 0
    let first = index
    while index < text.count {
      switch text[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(text[index] - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(text[index] - UInt8(ascii: "a") + 10)
      default: return index > first ? value : nil
      }
      index += 1
    }
    return index > first ? value : nil
  }
}
