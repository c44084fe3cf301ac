// SPDX-License-Identifier: GPL-2.0-only

/// Statements become steps.
extension ModelBuilder {
  mutating func emit(
    _ body: [StatementSyntax], _ scope: Scope, into code: inout ActorCode
  ) throws(ModelError) {
    var scope = scope
    try declareLabels(of: body, in: &scope, &code)
    for statement in body { try emit(statement, &scope, into: &code) }
  }

  private func declareLabels(
    of body: [StatementSyntax], in scope: inout Scope, _ code: inout ActorCode
  ) throws(ModelError) {
    for statement in body {
      if let label = statement.label { scope.labels[label] = code.newLabel() }
    }
  }

  /// Whether the statement is one that the row, or the command line, leaves out.
  mutating func isDropped(_ statement: StatementSyntax, _ scope: Scope) -> Bool {
    guard let label = statement.label else { return false }
    for name in [label, "\(scope.actorName).\(label)"] where dropped.contains(name) {
      found.insert(name)
      return true
    }
    return false
  }

  private mutating func emit(
    _ statement: StatementSyntax, _ scope: inout Scope, into code: inout ActorCode
  ) throws(ModelError) {
    if let label = statement.label.flatMap({ scope.labels[$0] }) { code.append(.label(label)) }
    if isDropped(statement, scope) {
      // A guard that is left out never stops anything.
      switch statement.kind {
      case .when(_, _, let no), .tryLock(_, _, let no): try emit(no, scope, into: &code)
      default: break
      }
      return
    }
    switch statement.kind {
    case .mark: break
    case .register(let name, let type, let value):
      try declareRegister(name, type, &scope, statement.line)
      if let value {
        let assignment = AssignmentSyntax(target: .name(name), value: value)
        code.append(.step(try step(statement, scope, effects: [try effect(assignment, scope, statement.line)])))
      }
    case .assign, .lock, .unlock, .wait, .assert, .atomic:
      code.append(.step(try simpleStep(statement, scope)))
    case .barrier: break
    case .when(let condition, let yes, let no):
      let value = try resolve(condition, scope, statement.line).value
      try emitBranch(statement, value, yes, no, scope, into: &code)
    case .tryLock(let target, let yes, let no): try emitTryLock(statement, target, yes, no, scope, into: &code)
    case .repeated(let name, let from, let through, let body):
      let (first, last) = (try number(from, at: statement.line, scope), try number(through, at: statement.line, scope))
      guard first <= last else { return }
      for value in first...last {
        var inner = scope
        inner.names[name] = Typed(value: .constant(value), type: nil)
        try emit(body, inner, into: &code)
      }
    case .choose(let bodies): try emitChoice(statement, bodies, scope, into: &code)
    case .call(let name, let arguments):
      let (body, inner) = try unfolded(name, arguments, scope, statement.line)
      try emit(body, inner, into: &code)
    case .goto(let label):
      guard let target = scope.labels[label] else { throw statement.line.error("there is no label '\(label)'") }
      code.append(.jump(target))
    case .done: code.append(.end)
    }
  }

  private mutating func emitBranch(
    _ statement: StatementSyntax, _ condition: StepValue, _ yes: [StatementSyntax], _ no: [StatementSyntax],
    _ scope: Scope, into code: inout ActorCode
  ) throws(ModelError) {
    if let known = condition.constant { return try emit(known != 0 ? yes : no, scope, into: &code) }
    // What others may change is read by a step of its own.
    if readsShared(condition) { code.append(.step(try step(statement, scope, effects: []))) }
    let (otherwise, end) = (code.newLabel(), code.newLabel())
    code.append(.branch(condition, otherwise: otherwise))
    try emit(yes, scope, into: &code)
    code.append(.jump(end))
    code.append(.label(otherwise))
    try emit(no, scope, into: &code)
    code.append(.label(end))
  }

  func readsShared(_ value: StepValue) -> Bool {
    var reads = false
    value.forEachPlace { place in
      if layout.variable(of: place.base)?.actor == nil { reads = true }
    }
    return reads
  }

  private mutating func emitTryLock(
    _ statement: StatementSyntax, _ target: ExpressionSyntax, _ yes: [StatementSyntax], _ no: [StatementSyntax],
    _ scope: Scope, into code: inout ActorCode
  ) throws(ModelError) {
    let place = try lockPlace(target, scope, statement.line)
    var taken = try step(statement, scope, effects: [.assign(place, .constant(writerValue(place)))])
    taken.guardCondition = .negation(.load(place))
    taken.lock = Step.LockChange(slots: place.slots, mode: .exclusive, isTaken: true, isAttempt: true)
    var busy = try step(statement, scope, effects: [])
    busy.guardCondition = .load(place)
    busy.narration = (busy.narration ?? busy.text) + ": busy"
    let (a, b, end) = (code.newLabel(), code.newLabel(), code.newLabel())
    code.append(.choice([(taken, a), (busy, b)]))
    code.append(.label(a))
    try emit(yes, scope, into: &code)
    code.append(.jump(end))
    code.append(.label(b))
    try emit(no, scope, into: &code)
    code.append(.label(end))
  }

  private mutating func emitChoice(
    _ statement: StatementSyntax, _ bodies: [[StatementSyntax]], _ scope: Scope, into code: inout ActorCode
  ) throws(ModelError) {
    let end = code.newLabel()
    var choices: [(Step, ActorCode.Label)] = []
    for _ in bodies { choices.append((try step(statement, scope, effects: []), code.newLabel())) }
    code.append(.choice(choices))
    for (body, choice) in zip(bodies, choices) {
      code.append(.label(choice.1))
      try emit(body, scope, into: &code)
      code.append(.jump(end))
    }
    code.append(.label(end))
  }

  // — single steps

  func step(
    _ statement: StatementSyntax, _ scope: Scope, effects: [Step.Effect]
  ) throws(ModelError) -> Step {
    Step(
      label: statement.label, narration: statement.narration, text: statement.text, line: statement.line,
      effects: effects, next: .end)
  }

  mutating func simpleStep(_ statement: StatementSyntax, _ scope: Scope) throws(ModelError) -> Step {
    var step = try step(statement, scope, effects: [])
    let line = statement.line
    switch statement.kind {
    case .assign(let assignments, let order):
      step.order = order
      step.effects = try assignments.map { one throws(ModelError) in try effect(one, scope, line) }
    case .lock(let mode, let target):
      let place = try lockPlace(target, scope, line)
      step.order = .acquire
      step.lock = Step.LockChange(slots: place.slots, mode: mode, isTaken: true)
      switch mode {
      case .exclusive:
        step.guardCondition = .negation(.load(place))
        step.effects = [.assign(place, .constant(writerValue(place)))]
      case .shared:
        step.guardCondition = .binary(.less, .load(place), .constant(ValueType.writer - 1))
        step.effects = [.assign(place, .binary(.plus, .load(place), .constant(1)))]
      }
    case .unlock(let mode, let target):
      let place = try lockPlace(target, scope, line)
      step.order = .release
      step.lock = Step.LockChange(slots: place.slots, mode: mode, isTaken: false)
      let rest = StepValue.binary(.minus, .load(place), .constant(1))
      step.effects = [.assign(place, mode == .exclusive ? .constant(0) : rest)]
    case .wait(let condition):
      step.guardCondition = try resolve(condition, scope, line).value
      step.order = .acquire
    case .assert(let verdict, let condition):
      step.effects = [try assertion(verdict, condition, statement, scope)]
    case .atomic(let body):
      var inner = scope
      step.order = .readModifyWrite
      step.effects = try effects(of: body, &inner, &step)
    case .barrier, .when, .tryLock, .repeated, .choose, .call, .goto, .mark, .done, .register: break
    }
    return step
  }

  private mutating func effects(
    of body: [StatementSyntax], _ scope: inout Scope, _ step: inout Step
  ) throws(ModelError) -> [Step.Effect] {
    var effects: [Step.Effect] = []
    for statement in body where !isDropped(statement, scope) {
      switch statement.kind {
      case .assign(let assignments, _):
        effects += try assignments.map { one throws(ModelError) in try effect(one, scope, statement.line) }
      case .assert(let verdict, let condition):
        effects.append(try assertion(verdict, condition, statement, scope))
      case .when(let condition, let yes, let no):
        let value = try resolve(condition, scope, statement.line).value
        if let known = value.constant {
          effects += try self.effects(of: known != 0 ? yes : no, &scope, &step)
        } else {
          let (a, b) = (try self.effects(of: yes, &scope, &step), try self.effects(of: no, &scope, &step))
          effects.append(.when(value, a, b))
        }
      case .repeated(let name, let from, let through, let inner):
        let first = try number(from, at: statement.line, scope)
        let last = try number(through, at: statement.line, scope)
        guard first <= last else { continue }
        for value in first...last {
          var innerScope = scope
          innerScope.names[name] = Typed(value: .constant(value), type: nil)
          effects += try self.effects(of: inner, &innerScope, &step)
        }
      case .call(let name, let arguments):
        let (called, names) = try unfolded(name, arguments, scope, statement.line)
        var inner = names
        effects += try self.effects(of: called, &inner, &step)
      case .wait(let condition):
        guard effects.isEmpty, step.guardCondition == nil else {
          throw statement.line.error("'wait' has to come first in an atomic step")
        }
        step.guardCondition = try resolve(condition, scope, statement.line).value
      case .register(let name, let type, let value):
        try declareRegister(name, type, &scope, statement.line)
        if let value {
          effects.append(
            try effect(AssignmentSyntax(target: .name(name), value: value), scope, statement.line))
        }
      case .mark: break
      case .lock, .unlock, .barrier, .tryLock, .choose, .atomic, .goto, .done:
        throw statement.line.error("this cannot stand in an atomic step")
      }
    }
    return effects
  }

  func effect(
    _ assignment: AssignmentSyntax, _ scope: Scope, _ line: SourceLine
  ) throws(ModelError) -> Step.Effect {
    let target = try resolve(assignment.target, scope, line)
    guard case .load(let place) = target.value else { throw line.error("nothing can be assigned to this") }
    let value = try resolve(assignment.value, scope, line).value
    if let number = value.constant, let type = target.type, !(0...type.limit).contains(number) {
      throw line.error("\(number) does not fit")
    }
    return .assign(place, value)
  }

  private mutating func assertion(
    _ verdict: String, _ condition: ExpressionSyntax, _ statement: StatementSyntax, _ scope: Scope
  ) throws(ModelError) -> Step.Effect {
    let text = statement.narration ?? statement.text
    let entry = Model.Assertion(verdict: verdict, text: text)
    let number = assertions.firstIndex(of: entry) ?? assertions.count
    if number == assertions.count { assertions.append(entry) }
    guard number < 64 else { throw statement.line.error("more than 64 assertions") }
    return .assert(number, try resolve(condition, scope, statement.line).value)
  }

  private func lockPlace(
    _ target: ExpressionSyntax, _ scope: Scope, _ line: SourceLine
  ) throws(ModelError) -> StatePlace {
    let typed = try resolve(target, scope, line)
    guard case .load(let place) = typed.value else { throw line.error("this is no lock") }
    switch typed.type {
    case .lock, .readWriteLock: return place
    default: throw line.error("this is no lock")
    }
  }

  private func writerValue(_ place: StatePlace) -> Int {
    if case .readWriteLock? = layout.variable(of: place.base)?.type { return ValueType.writer }
    return 1
  }

  // — registers and procedures

  mutating func declareRegister(
    _ name: String, _ type: TypeSyntax, _ scope: inout Scope, _ line: SourceLine
  ) throws(ModelError) {
    let full = scope.procedure.isEmpty ? name : "\(scope.procedure).\(name)"
    let type = try resolve(type, at: line)
    let place: StatePlace
    if let known = layout.variables.first(where: { $0.actor == scope.actor && $0.name == full }) {
      place = StatePlace(base: known.base, count: 1)
    } else {
      guard let base = layout.add(full, actor: scope.actor, type: type, count: 1) else {
        throw line.error("the state is larger than \(StateLayout.maximumWords * 8) bytes")
      }
      place = StatePlace(base: base, count: 1)
    }
    scope.names[name] = Typed(value: .load(place), type: type)
  }

  /// The statements of a procedure and the names they see: arguments stand for what was passed, not for its value.
  func unfolded(
    _ name: String, _ arguments: [ExpressionSyntax], _ scope: Scope, _ line: SourceLine
  ) throws(ModelError) -> ([StatementSyntax], Scope) {
    guard let procedure = procedure(name) else { throw line.error("there is no procedure '\(name)'") }
    guard procedure.parameters.count == arguments.count else {
      throw line.error("\(name) has \(procedure.parameters.count) parameters, not \(arguments.count)")
    }
    guard scope.depth < 30 else { throw line.error("\(name) calls itself") }
    var inner = Scope(actor: scope.actor, actorName: scope.actorName, procedure: name)
    inner.depth = scope.depth + 1
    // A procedure may leave by a label of its caller: that is how a kernel function says that it failed.
    inner.labels = scope.labels
    for (parameter, argument) in zip(procedure.parameters, arguments) {
      inner.names[parameter] = try resolve(argument, scope, line)
    }
    return (procedure.body, inner)
  }
}
