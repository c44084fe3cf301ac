// SPDX-License-Identifier: GPL-2.0-only

/// Reads the tables of `__print_flags` and `__print_symbolic` out of a print fmt.
///
///     __print_flags(REC->gfp_flags, "|", {( unsigned long)((( gfp_t)(((1UL) << (6)))), "__GFP_IO"}, ...)
///
/// libtraceevent reads them too, but dies of a damaged print fmt, and a capture may be damaged anywhere. Each table is
/// filed under the first field its value names. Entries whose value is not a constant (an enumerator the kernel did
/// not resolve) are left out, as trace-cmd cannot print them either.
struct SymbolParser {
  private var lexer: FormatLexer

  static func tables(printFormat: some Sequence<UInt8>) -> [String: SymbolTable] {
    var parser = SymbolParser(lexer: FormatLexer(printFormat))
    var tables: [String: SymbolTable] = [:]
    while let token = parser.lexer.next() {
      let meaning: SymbolTable.Meaning
      switch token {
      case .name("__print_flags"), .name("__print_flags_u64"): meaning = .flags
      case .name("__print_symbolic"), .name("__print_symbolic_u64"): meaning = .values
      default: continue
      }
      guard let (field, table) = parser.table(meaning) else { continue }
      if tables[field] == nil { tables[field] = table }
    }
    return tables
  }

  /// After the name: `(VALUE, ["DELIMITER",] {ENTRY, "NAME"}, ...)`.
  private mutating func table(_ meaning: SymbolTable.Meaning) -> (String, SymbolTable)? {
    guard lexer.next() == .symbol("("), let field = valueField() else { return nil }
    if meaning == .flags {
      guard case .string = lexer.next(), lexer.next() == .symbol(",") else { return nil }
    }
    var table = SymbolTable(meaning: meaning, entries: [])
    while lexer.next() == .symbol("{") {
      var expression: [FormatLexer.Token] = []
      var next = lexer.next()
      while let token = next, token != .symbol(",") {
        expression.append(token)
        next = lexer.next()
      }
      guard case .string(let name) = lexer.next(), lexer.next() == .symbol("}") else { break }
      if let value = ConstantExpression.value(of: expression) {
        table.entries.append(SymbolTable.Entry(value: value, name: name))
      }
      guard lexer.next() == .symbol(",") else { break }
    }
    return (field, table)
  }

  /// The field named first in the value, which ends at a comma outside of parentheses.
  private mutating func valueField() -> String? {
    var depth = 0
    var field: String?
    var afterArrow = false
    while let token = lexer.next() {
      switch token {
      case .symbol("("): depth += 1
      case .symbol(")"):
        depth -= 1
        if depth < 0 { return nil }
      case .symbol(","):
        if depth == 0 { return field }
      case .name(let name):
        if afterArrow && field == nil { field = name }
      case .symbol, .number, .string: break
      }
      afterArrow = token == .symbol("->")
    }
    return nil
  }
}
