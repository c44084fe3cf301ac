// SPDX-License-Identifier: GPL-2.0-only

/// Bytes of output lines, reused from line to line: `script` prints one line per event, millions of them.
package struct LineBuffer {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// The buffer itself, leaving an empty one: the bytes stay uniquely referenced, so appending does not copy them.
  mutating func take() -> LineBuffer {
    let taken = self
    bytes = []
    return taken
  }

  package mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  package mutating func append(byte: UInt8) { bytes.append(byte) }

  package mutating func append(decimal value: some FixedWidthInteger, width: Int = 0) {
    appendDigits(UInt64(value.magnitude), radix: 10, isNegative: value < 0, width: width, padding: 0x20)
  }

  /// `0x` and lower-case digits.
  package mutating func append(hexadecimal value: UInt64) {
    append("0x")
    appendDigits(value, radix: 16, isNegative: false, width: 0, padding: 0x20)
  }

  /// `seconds.nanoseconds`, nine decimals, the way the trace clock is printed by ftrace (with six).
  package mutating func append(seconds nanoseconds: UInt64, width: Int = 0) {
    append(decimal: nanoseconds / 1_000_000_000, width: Swift.max(0, width - 10))
    append(byte: 0x2e)
    appendDigits(nanoseconds % 1_000_000_000, radix: 10, isNegative: false, width: 9, padding: 0x30)
  }

  private mutating func appendDigits(_ value: UInt64, radix: UInt64, isNegative: Bool, width: Int, padding: UInt8) {
    var digits = InlineArray<21, UInt8>(repeating: 0)
    var count = 0
    var rest = value
    repeat {
      let digit = UInt8(truncatingIfNeeded: rest % radix)
      digits[count] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
      count += 1
      rest /= radix
    } while rest != 0
    if isNegative {
      digits[count] = 0x2d
      count += 1
    }
    for _ in 0..<Swift.max(0, width - count) { bytes.append(padding) }
    while count > 0 {
      count -= 1
      bytes.append(digits[count])
    }
  }
}
