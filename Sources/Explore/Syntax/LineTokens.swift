// SPDX-License-Identifier: GPL-2.0-only

/// The words of one line, read from left to right.
struct LineTokens {
  enum Token: Equatable {
    case word(String)
    case number(Int)
    case string(String)
    case symbol(String)
  }

  let line: SourceLine
  /// The line without its comment.
  let text: Substring
  private var rest: Substring
  private var peeked: Token?
  /// How deep in parentheses we are.
  var depth = 0

  init(_ text: Substring, line: SourceLine) {
    self.line = line
    self.text = text
    rest = text
  }

  /// What has not been read yet.
  var remainder: String {
    guard peeked == nil else { return "" }
    return rest.trimmed
  }

  // — words

  /// The next run of characters without white space: names of rows, encodings and verdicts have dashes in them.
  mutating func bareWord(_ what: String) throws(ModelError) -> String {
    rest = rest.drop { $0.isWhitespace }
    let word = rest.prefix { !$0.isWhitespace && $0 != "\"" && $0 != "," }
    guard !word.isEmpty else { throw line.error("\(what) is missing") }
    rest = rest.dropFirst(word.count)
    return String(word)
  }

  mutating func string(_ what: String) throws(ModelError) -> String {
    guard case .string(let value)? = try next() else { throw line.error("\(what) in quotes is missing") }
    return value
  }

  mutating func identifier(_ what: String) throws(ModelError) -> String {
    guard case .word(let word)? = try next() else { throw line.error("\(what) is missing") }
    return word
  }

  // — tokens

  mutating func next() throws(ModelError) -> Token? {
    if let token = peeked {
      peeked = nil
      return token
    }
    return try scan()
  }

  mutating func peek() throws(ModelError) -> Token? {
    if peeked == nil { peeked = try scan() }
    return peeked
  }

  /// Takes the symbol or word if it comes next.
  mutating func takes(_ text: String) throws(ModelError) -> Bool {
    switch try peek() {
    case .symbol(text), .word(text):
      peeked = nil
      return true
    default: return false
    }
  }

  mutating func expect(_ text: String) throws(ModelError) {
    guard try takes(text) else { throw line.error("'\(text)' is missing\(try found())") }
  }

  /// The string that may close a line, and nothing behind it.
  mutating func closingString() throws(ModelError) -> String? {
    guard let token = try next() else { return nil }
    guard case .string(let value) = token else {
      throw line.error("cannot be understood from '\(Self.text(token))' on")
    }
    try finish()
    return value
  }

  mutating func finish() throws(ModelError) {
    if let token = try next() { throw line.error("cannot be understood from '\(Self.text(token))' on") }
  }

  private mutating func found() throws(ModelError) -> String {
    guard let token = try peek() else { return " at the end of the line" }
    return " before '\(Self.text(token))'"
  }

  private static func text(_ token: Token) -> String {
    switch token {
    case .word(let word): word
    case .number(let number): String(number)
    case .string(let value): "\"\(value)\""
    case .symbol(let symbol): symbol
    }
  }

  private static let symbols = [
    "||", "&&", "==", "!=", "<=", ">=", "..", "(", ")", "[", "]", "{", "}", "<", ">", "=", "+", "-", "*", "/", "%",
    "!", "?", ":", ";", ",", ".",
  ]

  private mutating func scan() throws(ModelError) -> Token? {
    rest = rest.drop { $0.isWhitespace }
    guard let first = rest.first else { return nil }
    if first == "\"" {
      let body = rest.dropFirst().prefix { $0 != "\"" }
      guard rest.dropFirst(body.count + 1).first == "\"" else { throw line.error("a string is not closed") }
      rest = rest.dropFirst(body.count + 2)
      return .string(String(body))
    }
    if first.isNumber {
      let digits = rest.prefix { $0.isNumber }
      rest = rest.dropFirst(digits.count)
      guard let value = Int(digits), value < 1 << 32 else { throw line.error("'\(digits)' is too large") }
      return .number(value)
    }
    if first.isLetter || first == "_" {
      let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
      rest = rest.dropFirst(word.count)
      return .word(String(word))
    }
    for symbol in Self.symbols where rest.hasPrefix(symbol) {
      rest = rest.dropFirst(symbol.count)
      return .symbol(symbol)
    }
    throw line.error("'\(first)' means nothing here")
  }
}

extension Substring {
  var trimmed: String {
    var text = drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
