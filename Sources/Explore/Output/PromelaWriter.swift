// SPDX-License-Identifier: GPL-2.0-only

/// A model for SPIN: one process an actor, sequentially consistent, with the position of each actor as a variable, so
/// that the states SPIN stores are the states of a search without reductions, one for one.
struct PromelaWriter {
  private let model: Model
  private var names: [String] = []
  private var text = ""

  static func text(of model: Model, title: String) -> String {
    var writer = PromelaWriter(model)
    writer.write(title)
    return writer.text
  }

  private init(_ model: Model) {
    self.model = model
    var taken: Set<String> = []
    for variable in model.layout.variables {
      var name = variable.name.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
      if let actor = variable.actor { name = "a\(actor)_\(name)" }
      // Words of Promela, and what they would be taken for.
      if !taken.insert(name).inserted || variable.actor == nil { name = "v\(taken.count)_\(name)" }
      taken.insert(name)
      names.append(name)
    }
  }

  private mutating func write(_ title: String) {
    text += "/* SPDX-License-Identifier: GPL-2.0-only */\n/* \(title) */\n\n"
    for (index, variable) in model.layout.variables.enumerated() {
      let values = (0..<variable.count).map { String(model.layout.value(variable.base + $0, in: model.initial)) }
      text +=
        variable.count == 1
        ? "int \(names[index]) = \(values[0]);\n"
        : "int \(names[index])[\(variable.count)] = {\(values.joined(separator: ", "))};\n"
    }
    for (index, actor) in model.actors.enumerated() { write(actor, index) }
    writeMonitor()
  }

  private mutating func write(_ actor: ActorProgram, _ index: Int) {
    let position = name(StatePlace(base: actor.position, count: 1))
    text +=
      "\nactive proctype p\(index)_\(actor.name.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined())() {\n"
    text += "end: do\n"
    for (place, choices) in actor.steps.enumerated() {
      for step in choices {
        let label = step.label.map { "\($0): " } ?? ""
        text += "  /* \(label)\(step.narration ?? step.text) (line \(step.line.line)) */\n"
        let condition = step.guardCondition.map { " && \(expression($0))" } ?? ""
        text += "  :: d_step { \(position) == \(place)\(condition) ->"
        for effect in step.effects { text += " " + statement(effect) + ";" }
        text += " \(position) = \(next(step.next, end: actor.steps.count)) }\n"
      }
    }
    if actor.steps.isEmpty { text += "  :: false -> skip\n" }
    text += "  od\n}\n"
  }

  /// Rules that hold in every state, at rest or at the end; and that nobody waits for ever.
  private mutating func writeMonitor() {
    let positions = model.actors.map { (name(StatePlace(base: $0.position, count: 1)), $0.steps.count) }
    let ended = positions.map { "\($0) == \($1)" }.joined(separator: " && ")
    let resting = positions.map { "(\($0) == 0 || \($0) == \($1))" }.joined(separator: " && ")
    text += "\nactive proctype monitor() {\nend: do\n"
    for check in model.checks where !check.isCost {
      let moment =
        switch check.moment {
        case .always: "true"
        case .atRest: resting
        case .atEnd: ended
        }
      text += "  /* \(check.verdict): \(check.text) */\n"
      text += "  :: atomic { \(moment) && \(expression(check.condition)) -> assert(false) }\n"
    }
    text += "  /* DEADLOCK */\n  :: atomic { timeout && !(\(ended)) -> assert(false) }\n  od\n}\n"
  }

  // — statements and expressions

  private func statement(_ effect: Step.Effect) -> String {
    switch effect {
    case .assign(let place, let value):
      guard let bits = place.bits else { return "\(name(place)) = \(expression(value))" }
      let whole = StatePlace(base: place.base, count: place.count, index: place.index)
      return "\(name(whole)) = \(replaced(name(whole), bits, expression(value)))"
    case .assert(_, let value): return "assert(\(expression(value)))"
    case .when(let condition, let yes, let no):
      return "if :: \(expression(condition)) -> \(sequence(yes)) :: else -> \(sequence(no)) fi"
    }
  }

  private func sequence(_ effects: [Step.Effect]) -> String {
    effects.isEmpty ? "skip" : effects.map(statement).joined(separator: "; ")
  }

  private func next(_ next: Step.Next, end: Int) -> String {
    switch next {
    case .step(let position): String(position)
    case .end: String(end)
    case .branch(let condition, let yes, let no):
      "(\(expression(condition)) -> \(self.next(yes, end: end)) : \(self.next(no, end: end)))"
    }
  }

  private func name(_ place: StatePlace) -> String {
    guard let index = model.layout.variables.firstIndex(where: { $0.base == place.base }) else { return "?" }
    let variable = model.layout.variables[index]
    guard variable.count > 1 else { return names[index] }
    return "\(names[index])[\(place.index.map(expression) ?? "0")]"
  }

  private func replaced(_ old: String, _ bits: Bits, _ new: String) -> String {
    "((\(old) & ~\(bits.limit << bits.shift)) | (\(new) << \(bits.shift)))"
  }

  private func expression(_ value: StepValue) -> String {
    switch value {
    case .constant(let number): return String(number)
    case .load(let place):
      let whole = name(StatePlace(base: place.base, count: place.count, index: place.index))
      return place.bits.map { "((\(whole) >> \($0.shift)) & \($0.limit))" } ?? whole
    case .not(let inner): return "(!(\(expression(inner))))"
    case .field(let inner, let bits): return "((\(expression(inner)) >> \(bits.shift)) & \(bits.limit))"
    case .replacing(let old, let bits, let new): return replaced(expression(old), bits, expression(new))
    case .conditional(let condition, let yes, let no):
      return "(\(expression(condition)) -> \(expression(yes)) : \(expression(no)))"
    case .binary(let operation, let a, let b): return "(\(expression(a)) \(operation.rawValue) \(expression(b)))"
    }
  }
}
