// SPDX-License-Identifier: GPL-2.0-only

/// What a row is searched with, beside what it says itself.
package struct Variant: Sendable, Hashable {
  /// Values of constants, over those of the row.
  package var constants: [String: Int] = [:]
  package var encoding: String?
  package var memory = MemoryModel.sc
  /// Labels of steps to leave out, `LABEL` or `ACTOR.LABEL`.
  package var without: [String] = []

  package init(
    constants: [String: Int] = [:], encoding: String? = nil, memory: MemoryModel = .sc, without: [String] = []
  ) {
    self.constants = constants
    self.encoding = encoding
    self.memory = memory
    self.without = without
  }
}

/// Makes a `Model` of a row: resolves names, unrolls loops, unfolds procedures.
struct ModelBuilder {
  struct Typed {
    var value: StepValue
    var type: ValueType?
  }

  let syntax: ModelSyntax
  let row: RowSyntax
  let variant: Variant
  let dropped: Set<String>
  /// Dropped labels that some statement had.
  var found: Set<String> = []

  var layout = StateLayout()
  var constants: [String: Int] = [:]
  var records: [String: RecordType] = [:]
  var shared: [String: StateLayout.Variable] = [:]
  var assertions: [Model.Assertion] = []
  private var initialValues: [(slot: Int, value: Int)] = []

  static func build(_ syntax: ModelSyntax, _ row: RowSyntax, _ variant: Variant) throws(ModelError) -> Model {
    var builder = ModelBuilder(syntax: syntax, row: row, variant: variant)
    return try builder.build()
  }

  private init(syntax: ModelSyntax, row: RowSyntax, variant: Variant) {
    self.syntax = syntax
    self.row = row
    self.variant = variant
    dropped = Set(row.without + variant.without)
  }

  private mutating func build() throws(ModelError) -> Model {
    if let encoding = variant.encoding, syntax.encoding(named: encoding) == nil {
      throw row.line.error("model \(syntax.name) has no encoding \(encoding)")
    }
    try settleConstants()
    for record in syntax.records { try declare(record) }
    for variable in syntax.shared { try declare(variable) }
    for start in row.starts { try applyStart(start) }
    let checks = try syntax.checks.map { check throws(ModelError) in try resolve(check) }
    let observations = try syntax.observations.map { one throws(ModelError) in
      Model.Observation(text: one.text, value: try resolve(one.value, Scope(), one.line).value)
    }
    let actors = try buildActors()
    for label in dropped.subtracting(found).sorted() {
      throw row.line.error("row \(row.id) has no step '\(label)' to leave out")
    }
    var initial = [UInt64](repeating: 0, count: layout.words)
    for (slot, value) in initialValues { layout.set(slot, to: value, in: &initial) }
    var model = Model(
      layout: layout, initial: initial, actors: actors, checks: checks, observations: observations,
      assertions: assertions)
    model.placeActorsAtTheirStart()
    return model
  }

  // — constants and types

  private mutating func settleConstants() throws(ModelError) {
    for constant in syntax.constants {
      guard constants[constant.name] == nil else { throw constant.line.error("\(constant.name) is there twice") }
      var value = constant.value
      if let setting = row.settings.last(where: { $0.name == constant.name }) { value = setting.value }
      constants[constant.name] =
        if let chosen = variant.constants[constant.name] { chosen } else { try number(value, at: constant.line) }
    }
    for setting in row.settings where constants[setting.name] == nil {
      throw row.line.error("model \(syntax.name) has no constant \(setting.name)")
    }
    for name in variant.constants.keys.sorted() where constants[name] == nil {
      throw row.line.error("model \(syntax.name) has no constant \(name)")
    }
  }

  /// A value that has to be known before anything runs.
  func number(_ syntax: ExpressionSyntax, at line: SourceLine, _ scope: Scope = Scope()) throws(ModelError) -> Int {
    guard let value = try resolve(syntax, scope, line).value.constant else {
      throw line.error("this has to be a constant")
    }
    return value
  }

  private mutating func declare(_ record: RecordSyntax) throws(ModelError) {
    var type = RecordType(name: record.name)
    for field in record.fields {
      let fieldType = try resolve(field.type, at: record.line)
      type.fields.append(
        RecordType.Field(
          name: field.name, type: fieldType,
          bits: Bits(shift: type.fields.isEmpty ? 0 : type.width, width: fieldType.width)))
    }
    guard !type.fields.isEmpty, type.width <= 32 else { throw record.line.error("a record has 1 to 32 bits") }
    records[record.name] = type
  }

  mutating func resolve(_ type: TypeSyntax, at line: SourceLine) throws(ModelError) -> ValueType {
    switch type {
    case .flag: return .flag
    case .lock: return .lock
    case .readWriteLock: return .readWriteLock
    case .upTo(let limit):
      let number = try number(limit, at: line)
      guard (0..<(1 << 16)).contains(number) else { throw line.error("0..\(number) is too large, or empty") }
      return .upTo(number)
    case .enumeration(let names):
      for (value, name) in names.enumerated() {
        if let old = constants[name], old != value { throw line.error("'\(name)' already means \(old)") }
        constants[name] = value
      }
      return .enumeration(names)
    case .record(let name):
      guard let record = records[name] else { throw line.error("'\(name)' is no type") }
      return .record(record)
    }
  }

  // — shared variables

  private mutating func declare(_ variable: SharedSyntax) throws(ModelError) {
    let type = try resolve(variable.type, at: variable.line)
    let count = try variable.count.map { count throws(ModelError) in try number(count, at: variable.line) } ?? 1
    guard (1...64).contains(count) else { throw variable.line.error("\(count) elements; 1 to 64 are possible") }
    guard shared[variable.name] == nil, constants[variable.name] == nil else {
      throw variable.line.error("\(variable.name) is there twice")
    }
    guard let base = layout.add(variable.name, actor: nil, type: type, count: count) else {
      throw variable.line.error("the state is larger than \(StateLayout.maximumWords * 8) bytes")
    }
    shared[variable.name] = layout.variables.last
    guard let value = variable.value else { return }
    for index in 0..<count {
      let scope = Scope(names: ["index": Typed(value: .constant(index), type: nil)])
      let start = try number(value, at: variable.line, scope)
      guard (0...type.limit).contains(start) else { throw variable.line.error("\(start) does not fit") }
      initialValues.append((base + index, start))
    }
  }

  private mutating func applyStart(_ assignments: [AssignmentSyntax]) throws(ModelError) {
    for assignment in assignments {
      guard case .load(let place) = try resolve(assignment.target, Scope(), row.line).value, let slot = place.slot
      else { throw row.line.error("a start sets a shared variable") }
      guard place.bits == nil else { throw row.line.error("a start sets a whole variable") }
      initialValues.append((slot, try number(assignment.value, at: row.line)))
    }
  }

  private func resolve(_ check: CheckSyntax) throws(ModelError) -> Model.ModelCheck {
    Model.ModelCheck(
      moment: check.moment, verdict: check.verdict, text: check.text,
      condition: try resolve(check.condition, Scope(), check.line).value, isCost: check.isCost)
  }

  // — actors

  private mutating func buildActors() throws(ModelError) -> [ActorProgram] {
    var actors: [ActorProgram] = []
    for use in row.actors {
      guard let actor = syntax.actors[use.actor] else {
        throw use.line.error("model \(syntax.name) has no actor \(use.actor)")
      }
      guard actor.parameters.count == use.arguments.count else {
        throw use.line.error("\(use.actor) has \(actor.parameters.count) parameters, not \(use.arguments.count)")
      }
      let values = try use.arguments.map { value throws(ModelError) in try number(value, at: use.line) }
      var scope = Scope(actor: actors.count, actorName: use.actor)
      for (name, value) in zip(actor.parameters, values) {
        scope.names[name] = Typed(value: .constant(value), type: nil)
      }
      let kind = row.actors.prefix(actors.count).indices.first { other in
        row.actors[other].actor == use.actor && row.actors[other].arguments == use.arguments
      }
      actors.append(try buildActor(actor, shown: use.shown, kind: kind ?? actors.count, scope))
    }
    return actors
  }

  private mutating func buildActor(
    _ actor: ProcedureSyntax, shown: String, kind: Int, _ scope: Scope
  ) throws(ModelError) -> ActorProgram {
    layout.startWord()
    let isReordered = actor.isRelaxed && variant.memory != .sc
    var code = ActorCode(actor: scope.actor)
    var relaxed: RelaxedProgram?
    let first = layout.slots.count
    // The position comes first; how wide it is shows when the steps are known.
    guard layout.add("\(shown).position", actor: scope.actor, type: .upTo(0xffff), count: 1) != nil else {
      throw actor.line.error("the state is larger than \(StateLayout.maximumWords * 8) bytes")
    }
    if isReordered {
      relaxed = try relaxedProgram(of: actor, scope)
    } else {
      try emit(actor.body, scope, into: &code)
      code.append(.end)
    }
    let steps = isReordered ? [] : try code.steps(actor.line)
    return ActorProgram(
      name: shown, steps: steps, position: first, relaxed: relaxed, kind: kind, slots: first..<layout.slots.count)
  }
}

/// Names seen by a statement.
struct Scope {
  var names: [String: ModelBuilder.Typed] = [:]
  var actor = 0
  /// As `--without ACTOR.LABEL` names it.
  var actorName = ""
  /// Distinguishes the registers of procedures.
  var procedure = ""
  /// Labels of the procedure being unfolded.
  var labels: [String: ActorCode.Label] = [:]
  var depth = 0
}
