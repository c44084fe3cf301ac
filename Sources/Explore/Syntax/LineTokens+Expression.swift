// SPDX-License-Identifier: GPL-2.0-only

/// Expressions, by precedence climbing.
extension LineTokens {
  mutating func expression() throws(ModelError) -> ExpressionSyntax {
    depth += 1
    defer { depth -= 1 }
    guard depth < 40 else { throw line.error("an expression is nested too deeply") }
    let condition = try binary(atLeast: 1)
    guard try takes("?") else { return condition }
    let yes = try expression()
    try expect(":")
    return .conditional(condition, yes, try expression())
  }

  private mutating func binary(atLeast precedence: Int) throws(ModelError) -> ExpressionSyntax {
    var left = try unary()
    while case .symbol(let symbol)? = try peek(), let operation = ExpressionSyntax.Operator(rawValue: symbol),
      operation.precedence >= precedence
    {
      _ = try next()
      left = .binary(operation, left, try binary(atLeast: operation.precedence + 1))
    }
    return left
  }

  private mutating func unary() throws(ModelError) -> ExpressionSyntax {
    if try takes("!") {
      depth += 1
      defer { depth -= 1 }
      guard depth < 40 else { throw line.error("an expression is nested too deeply") }
      return .not(try unary())
    }
    var value = try primary()
    while true {
      if try takes(".") {
        value = .member(value, try identifier("a field"))
      } else if try takes("{") {
        value = .update(value, try fieldValues())
      } else {
        return value
      }
    }
  }

  private mutating func fieldValues() throws(ModelError) -> [ExpressionSyntax.FieldValue] {
    var values: [ExpressionSyntax.FieldValue] = []
    while try !takes("}") {
      if !values.isEmpty { try expect(",") }
      let field = try identifier("a field")
      try expect("=")
      values.append(ExpressionSyntax.FieldValue(field: field, value: try expression()))
    }
    return values
  }

  private mutating func primary() throws(ModelError) -> ExpressionSyntax {
    if try takes("(") {
      let inner = try expression()
      try expect(")")
      return inner
    }
    switch try next() {
    case .number(let value): return .number(value)
    case .word(let word):
      if let quantifier = ExpressionSyntax.Quantifier(rawValue: word) { return try quantified(quantifier) }
      if try takes("[") {
        let index = try expression()
        try expect("]")
        return .element(word, index)
      }
      guard try takes("(") else { return .name(word) }
      return .call(word, try arguments())
    case .string, .symbol, nil: throw line.error("a value is missing")
    }
  }

  private mutating func quantified(_ quantifier: ExpressionSyntax.Quantifier) throws(ModelError) -> ExpressionSyntax {
    let variable = try identifier("a name")
    let (from, through) = try range()
    try expect(":")
    return .quantified(quantifier, variable: variable, from: from, through: through, try expression())
  }

  /// `in A..B`, both ends included.
  mutating func range() throws(ModelError) -> (ExpressionSyntax, ExpressionSyntax) {
    try expect("in")
    let from = try binary(atLeast: 4)
    try expect("..")
    return (from, try binary(atLeast: 4))
  }

  /// After the opening parenthesis.
  mutating func arguments() throws(ModelError) -> [ExpressionSyntax] {
    var values: [ExpressionSyntax] = []
    while try !takes(")") {
      if !values.isEmpty { try expect(",") }
      values.append(try expression())
    }
    return values
  }

  /// `(a, b)`, or nothing.
  mutating func parameters() throws(ModelError) -> [String] {
    guard try takes("(") else { return [] }
    var names: [String] = []
    while try !takes(")") {
      if !names.isEmpty { try expect(",") }
      names.append(try identifier("a parameter"))
    }
    return names
  }

  mutating func type() throws(ModelError) -> TypeSyntax {
    switch try next() {
    case .word("flag"): return .flag
    case .word("lock"): return .lock
    case .word("rwlock"): return .readWriteLock
    case .word("enum"):
      var names: [String] = []
      while case .word(let name)? = try peek() {
        _ = try next()
        names.append(name)
      }
      guard names.count > 1 else { throw line.error("an enum needs two names or more") }
      return .enumeration(names)
    case .word(let record): return .record(record)
    case .number(0):
      try expect("..")
      return .upTo(try binary(atLeast: 4))
    default: throw line.error("a type is missing: flag, 0..N, enum, lock, rwlock or a record")
    }
  }
}
