// SPDX-License-Identifier: GPL-2.0-only

/// A word, a quoted text or one of the marks `, ; : | = ->`, with its column.
struct LitmusToken: Equatable {
  enum Kind: Equatable { case word, text, mark }

  var kind: Kind
  var spelling: Substring
  var column: Int
}

/// One line cut into tokens, and the place reached in it.
///
/// The format is line-oriented: a line is a complete statement, `#` starts a comment, indentation means nothing.
struct LitmusLine {
  let file: String
  let number: Int
  private(set) var tokens: [LitmusToken]
  private(set) var next = 0
  private let endColumn: Int

  init(file: String, number: Int, text: Substring) throws(LitmusError) {
    self.file = file
    self.number = number
    var found: [LitmusToken] = []
    var index = text.startIndex
    var column = 1
    while index < text.endIndex {
      let character = text[index]
      if character == "#" { break }
      let start = index
      let startColumn = column
      if character == " " || character == "\t" || character == "\r" {
        index = text.index(after: index)
        column += 1
        continue
      }
      if character == "\"" {
        let body = text.index(after: start)
        guard let close = text[body...].firstIndex(of: "\"") else {
          throw LitmusError(file: file, line: number, column: column, reason: "the quoted text has no closing quote")
        }
        found.append(LitmusToken(kind: .text, spelling: text[body..<close], column: startColumn))
        index = text.index(after: close)
      } else if Self.isMark(character) {
        index = text.index(after: index)
        found.append(LitmusToken(kind: .mark, spelling: text[start..<index], column: startColumn))
      } else if text[start...].hasPrefix("->") {
        index = text.index(start, offsetBy: 2)
        found.append(LitmusToken(kind: .mark, spelling: text[start..<index], column: startColumn))
      } else {
        while index < text.endIndex, !Self.endsWord(text[index]), !text[index...].hasPrefix("->") {
          index = text.index(after: index)
        }
        found.append(LitmusToken(kind: .word, spelling: text[start..<index], column: startColumn))
      }
      column += text.distance(from: start, to: index)
    }
    tokens = found
    endColumn = column
  }

  private static func isMark(_ character: Character) -> Bool {
    character == "," || character == ";" || character == ":" || character == "|" || character == "="
  }

  private static func endsWord(_ character: Character) -> Bool {
    isMark(character) || character == " " || character == "\t" || character == "\r" || character == "#"
      || character == "\""
  }

  var isEmpty: Bool { tokens.isEmpty }
  var atEnd: Bool { next >= tokens.count }
  var peek: LitmusToken? { next < tokens.count ? tokens[next] : nil }

  /// The token `distance` places on, without moving.
  func peek(_ distance: Int) -> LitmusToken? {
    next + distance < tokens.count ? tokens[next + distance] : nil
  }

  /// An error at the next token (or the end of the line).
  func error(_ reason: String) -> LitmusError {
    LitmusError(file: file, line: number, column: peek?.column ?? endColumn, reason: reason)
  }

  func error(at token: LitmusToken, _ reason: String) -> LitmusError {
    LitmusError(file: file, line: number, column: token.column, reason: reason)
  }

  mutating func takeToken() -> LitmusToken? {
    guard let token = peek else { return nil }
    next += 1
    return token
  }

  /// The next word; `what` names what was wanted, for the error.
  mutating func takeWord(_ what: String) throws(LitmusError) -> LitmusToken {
    guard let token = peek, token.kind == .word else { throw error("expected \(what)\(foundInstead)") }
    next += 1
    return token
  }

  mutating func takeMark(_ mark: String) throws(LitmusError) {
    guard takeMark(ifNext: mark) else { throw error("expected '\(mark)'\(foundInstead)") }
  }

  mutating func takeMark(ifNext mark: String) -> Bool {
    guard let token = peek, token.kind == .mark, token.spelling == mark else { return false }
    next += 1
    return true
  }

  mutating func takeWord(ifNext word: String) -> Bool {
    guard let token = peek, token.kind == .word, token.spelling == word else { return false }
    next += 1
    return true
  }

  mutating func takeText(_ what: String) throws(LitmusError) -> String {
    guard let token = peek, token.kind == .text else { throw error("expected \(what) in quotes\(foundInstead)") }
    next += 1
    return String(token.spelling)
  }

  func finish() throws(LitmusError) {
    if let token = peek { throw error(at: token, "'\(token.spelling)' was not expected here") }
  }

  private var foundInstead: String {
    guard let token = peek else { return ", found the end of the line" }
    return ", found '\(token.spelling)'"
  }
}
