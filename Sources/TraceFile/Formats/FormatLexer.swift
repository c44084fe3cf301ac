// SPDX-License-Identifier: GPL-2.0-only

/// Splits a print fmt into the tokens of C.
struct FormatLexer {
  enum Token: Equatable {
    case name(String)
    case number(UInt64)
    /// Without the quotes; escapes stay as they are.
    case string(String)
    /// An operator or a bracket; `->`, `<<` and `>>` are one.
    case symbol(String)
  }

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  mutating func next() -> Token? {
    while position < bytes.count, bytes[position] <= UInt8(ascii: " ") { position += 1 }
    guard position < bytes.count else { return nil }
    let first = bytes[position]
    if first == UInt8(ascii: "\"") { return string() }
    if Self.isWord(first) { return word() }
    position += 1
    if position < bytes.count {
      switch (first, bytes[position]) {
      case (UInt8(ascii: "-"), UInt8(ascii: ">")), (UInt8(ascii: "<"), UInt8(ascii: "<")),
        (UInt8(ascii: ">"), UInt8(ascii: ">")):
        position += 1
        return .symbol(text((position - 2)..<position))
      default: break
      }
    }
    return .symbol(text((position - 1)..<position))
  }

  private mutating func string() -> Token? {
    let start = position + 1
    position = start
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
      position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard position < bytes.count else { return nil }
    position += 1
    let first = text(start..<(position - 1))
    // Neighbouring literals are one, as in C.
    let end = position
    if case .string(let rest)? = next() { return .string(first + rest) }
    position = end
    return .string(first)
  }

  private mutating func word() -> Token {
    let start = position
    while position < bytes.count, Self.isWord(bytes[position]) { position += 1 }
    let word = text(start..<position)
    guard bytes[start] >= UInt8(ascii: "0"), bytes[start] <= UInt8(ascii: "9") else { return .name(word) }
    let digits = word.prefix { !"uUlL".contains($0) }
    let value =
      digits.hasPrefix("0x") || digits.hasPrefix("0X")
      ? UInt64(digits.dropFirst(2), radix: 16)
      : digits.hasPrefix("0") && digits.count > 1 ? UInt64(digits.dropFirst(), radix: 8) : UInt64(digits)
    return value.map { .number($0) } ?? .name(word)
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
