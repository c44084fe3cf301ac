// SPDX-License-Identifier: GPL-2.0-only

extension ModelBuilder {
  func resolve(
    _ syntax: ExpressionSyntax, _ scope: Scope, _ line: SourceLine
  ) throws(ModelError) -> Typed {
    switch syntax {
    case .number(let value): return Typed(value: .constant(value), type: nil)
    case .name(let name): return try resolve(name: name, scope, line)
    case .element(let name, let index): return try elementPlace(name, index, scope, line)
    case .call(let name, let arguments): return try call(name, arguments, scope, line)
    case .member(let base, let field):
      let base = try resolve(base, scope, line)
      let part = try self.field(field, of: base, line)
      return Typed(value: .bits(part.bits, of: base.value), type: part.type)
    case .update(let base, let values):
      var result = try resolve(base, scope, line)
      for change in values {
        let part = try field(change.field, of: result, line)
        let new = try resolve(change.value, scope, line).value
        if let number = new.constant, !(0...part.type.limit).contains(number) {
          throw line.error("\(number) does not fit into \(change.field)")
        }
        result.value = .replacement(in: result.value, part.bits, by: new)
      }
      return result
    case .not(let inner): return Typed(value: .negation(try resolve(inner, scope, line).value), type: .flag)
    case .binary(let operation, let a, let b):
      let value = StepValue.operation(operation, try resolve(a, scope, line).value, try resolve(b, scope, line).value)
      return Typed(value: value, type: nil)
    case .conditional(let condition, let yes, let no):
      let condition = try resolve(condition, scope, line).value
      // What is never chosen may not even exist (page 3 of a folio of two).
      if let known = condition.constant { return try resolve(known != 0 ? yes : no, scope, line) }
      let (a, b) = (try resolve(yes, scope, line), try resolve(no, scope, line))
      return Typed(value: .choice(condition, a.value, b.value), type: a.type ?? b.type)
    case .quantified(let quantifier, let variable, let from, let through, let body):
      return try quantified(quantifier, variable, from, through, body, scope, line)
    }
  }

  private func quantified(
    _ quantifier: ExpressionSyntax.Quantifier, _ variable: String, _ from: ExpressionSyntax,
    _ through: ExpressionSyntax, _ body: ExpressionSyntax, _ scope: Scope, _ line: SourceLine
  ) throws(ModelError) -> Typed {
    let (first, last) = (try number(from, at: line, scope), try number(through, at: line, scope))
    let operation: ExpressionSyntax.Operator =
      switch quantifier {
      case .any: .or
      case .all: .and
      case .sum: .plus
      }
    var result = StepValue.constant(quantifier == .all ? 1 : 0)
    guard first <= last else { return Typed(value: result, type: nil) }
    var inner = scope
    for value in first...last {
      inner.names[variable] = Typed(value: .constant(value), type: nil)
      result = .operation(operation, result, try resolve(body, inner, line).value)
    }
    return Typed(value: result, type: nil)
  }

  private func resolve(name: String, _ scope: Scope, _ line: SourceLine) throws(ModelError) -> Typed {
    if let bound = scope.names[name] { return bound }
    if let variable = shared[name] {
      guard variable.count == 1 else { throw line.error("\(name) has \(variable.count) elements: say which") }
      return Typed(value: .load(StatePlace(base: variable.base, count: 1)), type: variable.type)
    }
    if let value = constants[name] { return Typed(value: .constant(value), type: nil) }
    if let record = records[name] { return Typed(value: .constant(0), type: .record(record)) }
    if definition(name) != nil { return try call(name, [], scope, line) }
    throw line.error("'\(name)' is not known")
  }

  private func elementPlace(
    _ name: String, _ index: ExpressionSyntax, _ scope: Scope, _ line: SourceLine
  ) throws(ModelError) -> Typed {
    guard let variable = shared[name] else { throw line.error("'\(name)' is no shared variable") }
    let index = try resolve(index, scope, line).value
    if let number = index.constant, !(0..<variable.count).contains(number) {
      throw line.error("\(name) has no element \(number)")
    }
    return Typed(
      value: .load(StatePlace(base: variable.base, count: variable.count, index: index)), type: variable.type)
  }

  private func call(
    _ name: String, _ arguments: [ExpressionSyntax], _ scope: Scope, _ line: SourceLine
  ) throws(ModelError) -> Typed {
    guard let definition = definition(name) else { throw line.error("'\(name)' is not defined") }
    guard definition.parameters.count == arguments.count else {
      throw line.error("\(name) has \(definition.parameters.count) parameters, not \(arguments.count)")
    }
    guard scope.depth < 50 else { throw line.error("\(name) is defined by itself") }
    var inner = Scope(actor: scope.actor, actorName: scope.actorName)
    inner.depth = scope.depth + 1
    for (parameter, argument) in zip(definition.parameters, arguments) {
      inner.names[parameter] = try resolve(argument, scope, line)
    }
    return try resolve(definition.value, inner, definition.line)
  }

  private func field(_ name: String, of base: Typed, _ line: SourceLine) throws(ModelError) -> RecordType.Field {
    guard case .record(let record)? = base.type else { throw line.error("'.\(name)': this is no record") }
    guard let field = record.field(name) else { throw line.error("\(record.name) has no field \(name)") }
    return field
  }

  // — what an encoding says, else what those it is based on say, else the common part

  func definition(_ name: String) -> DefinitionSyntax? { find { $0.definitions[name] } }
  func procedure(_ name: String) -> ProcedureSyntax? { find { $0.procedures[name] } }

  private func find<T>(_ look: (SectionSyntax) -> T?) -> T? {
    var current = variant.encoding.flatMap { syntax.encoding(named: $0) }
    while let encoding = current {
      if let found = look(encoding.section) { return found }
      current = encoding.parent.flatMap { syntax.encoding(named: $0) }
    }
    return look(syntax.common)
  }
}
