// SPDX-License-Identifier: GPL-2.0-only

/// A piece of a line of text, with the scanning that ftrace output needs. Indices are offsets in the piece.
@safe
struct TextLine {
  private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

  var count: Int { unsafe bytes.count }

  subscript(index: Int) -> UInt8 { unsafe bytes[index] }

  subscript(range: Range<Int>) -> TextLine { unsafe TextLine(UnsafeRawBufferPointer(rebasing: bytes[range])) }

  var string: String { unsafe String(decoding: bytes, as: UTF8.self) }

  func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    var index = start
    while index < count {
      if self[index] == byte { return index }
      index += 1
    }
    return nil
  }

  /// Looked for in no more than `length` bytes.
  func firstIndex(of byte: UInt8, from start: Int, within length: Int) -> Int? {
    self[0..<min(count, start + length)].firstIndex(of: byte, from: start)
  }

  func firstIndex(of text: String, from start: Int) -> Int? {
    var index = start
    while index + text.utf8.count <= count {
      if hasPrefix(text, at: index) { return index }
      index += 1
    }
    return nil
  }

  func hasPrefix(_ text: String, at start: Int = 0) -> Bool {
    guard start >= 0, count - start >= text.utf8.count else { return false }
    var index = start
    for byte in text.utf8 {
      if self[index] != byte { return false }
      index += 1
    }
    return true
  }

  func skipSpaces(from start: Int) -> Int {
    var index = start
    while index < count, self[index] == UInt8(ascii: " ") || self[index] == UInt8(ascii: "\t") { index += 1 }
    return index
  }

  func skipSpaces(back end: Int) -> Int {
    var end = end
    while end > 0, self[end - 1] == UInt8(ascii: " ") { end -= 1 }
    return end
  }

  func skipDigits(from start: Int) -> Int {
    var index = start
    while index < count, Self.isDigit(self[index]) { index += 1 }
    return index
  }

  func skipDigits(back end: Int) -> Int {
    var end = end
    while end > 0, Self.isDigit(self[end - 1]) { end -= 1 }
    return end
  }

  /// Where the value of `key` begins: the key stands at the start of a word and `=`, `:`, or a space follows.
  func value(of key: String) -> Int? {
    let length = key.utf8.count
    var index = 0
    while index + length < count {
      let isWordStart = index == 0 || !Self.isWord(self[index - 1])
      if isWordStart, hasPrefix(key, at: index) {
        let separator = self[index + length]
        if separator == UInt8(ascii: "=") || separator == UInt8(ascii: ":") {
          return skipSpaces(from: index + length + 1)
        }
        if separator == UInt8(ascii: " ") { return skipSpaces(from: index + length) }
      }
      index += 1
    }
    return nil
  }

  /// The same, where it stands last.
  func lastValue(of key: String) -> Int? {
    var last: Int?
    while let next = self[(last ?? 0)..<count].value(of: key) { last = (last ?? 0) + next }
    return last
  }

  /// The decimal number between `start` and the first of this byte.
  func number(upTo end: UInt8, at start: Int) -> UInt64? {
    firstIndex(of: end, from: start).flatMap { self[start..<$0].number(at: 0, radix: 10) }
  }

  /// The number that begins at `start`: `0x` means hexadecimal, otherwise `radix`. The low 64 bits of a negative one.
  func number(at start: Int, radix: UInt64) -> UInt64? {
    var index = start
    let isNegative = index < count && self[index] == UInt8(ascii: "-")
    if isNegative { index += 1 }
    var radix = radix
    if hasPrefix("0x", at: index) {
      radix = 16
      index += 2
    }
    var value: UInt64 = 0
    let first = index
    while index < count, let digit = Self.digit(self[index]), digit < radix {
      let (product, overflow) = value.multipliedReportingOverflow(by: radix)
      let (sum, carry) = product.addingReportingOverflow(digit)
      guard !overflow, !carry else { return nil }
      value = sum
      index += 1
    }
    // A word such as `rep_stos` is not a number, even if it begins like one.
    guard index > first, index == count || !Self.isWord(self[index]) || self[index] == UInt8(ascii: "B") else {
      return nil
    }
    return isNegative ? 0 &- value : value
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
