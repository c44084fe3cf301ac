// SPDX-License-Identifier: GPL-2.0-only

/// Evaluates the constant C expressions of a print fmt: numbers, `~ - ( ) << >> & ^ | + - *`, and casts.
struct ConstantExpression {
  private let tokens: [FormatLexer.Token]
  private var position = 0
  /// Nesting allowed; the kernel's own GFP tables need about twenty.
  private var depth = 0
  private static let maximumDepth = 200

  /// The value in 64 bits, or `nil` when there is a name in it or it is not an expression.
  static func value(of tokens: [FormatLexer.Token]) -> UInt64? {
    var expression = ConstantExpression(tokens: tokens)
    guard let value = expression.operation(minimum: 0), expression.position == tokens.count else { return nil }
    return value
  }

  private init(tokens: [FormatLexer.Token]) { self.tokens = tokens }

  private var current: FormatLexer.Token? { position < tokens.count ? tokens[position] : nil }

  private mutating func operation(minimum: Int) -> UInt64? {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.maximumDepth, var left = operand() else { return nil }
    while case .symbol(let name)? = current, let precedence = Self.precedence(name), precedence >= minimum {
      position += 1
      guard let right = operation(minimum: precedence + 1), let value = Self.apply(name, left, right) else {
        return nil
      }
      left = value
    }
    return left
  }

  private mutating func operand() -> UInt64? {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.maximumDepth, let token = current else { return nil }
    position += 1
    switch token {
    case .number(let value): return value
    case .symbol("~"): return operand().map { ~$0 }
    case .symbol("-"): return operand().map { 0 &- $0 }
    case .symbol("("):
      if let type = cast() { return operand().map { type.convert($0) } }
      guard let value = operation(minimum: 0), current == .symbol(")") else { return nil }
      position += 1
      return value
    case .symbol, .name, .string: return nil
    }
  }

  private enum CastType {
    case wide, unsigned32, signed32

    func convert(_ value: UInt64) -> UInt64 {
      switch self {
      case .wide: value
      case .unsigned32: value & 0xffff_ffff
      case .signed32: UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value)))
      }
    }
  }

  /// After `(`: a type and `)`, when that is what stands here.
  private mutating func cast() -> CastType? {
    var end = position
    var words: [String] = []
    while end < tokens.count, case .name(let word) = tokens[end] {
      words.append(word)
      end += 1
    }
    guard !words.isEmpty, end < tokens.count, tokens[end] == .symbol(")"), end + 1 < tokens.count else { return nil }
    switch tokens[end + 1] {
    case .number, .symbol("("), .symbol("~"), .symbol("-"): break
    case .symbol, .name, .string: return nil
    }
    position = end + 1
    switch words.filter({ $0 != "__force" && $0 != "const" }) {
    case ["int"], ["signed", "int"], ["s32"], ["__s32"]: return .signed32
    case ["unsigned", "int"], ["unsigned"], ["u32"], ["__u32"], ["gfp_t"]: return .unsigned32
    default: return .wide
    }
  }

  private static func precedence(_ name: String) -> Int? {
    switch name {
    case "|": 0
    case "^": 1
    case "&": 2
    case "<<", ">>": 3
    case "+", "-": 4
    case "*": 5
    default: nil
    }
  }

  private static func apply(_ name: String, _ left: UInt64, _ right: UInt64) -> UInt64? {
    switch name {
    case "|": left | right
    case "^": left ^ right
    case "&": left & right
    case "<<": right < 64 ? left &<< right : nil
    case ">>": right < 64 ? left &>> right : nil
    case "+": left &+ right
    case "-": left &- right
    case "*": left &* right
    default: nil
    }
  }
}
