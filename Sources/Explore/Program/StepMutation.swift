// SPDX-License-Identifier: GPL-2.0-only

/// One step, guard or lock of one actor taken out of a finished model.
package struct StepMutation: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// The step does nothing; a `wait` does not wait.
    case step
    /// The `if` goes the same way whatever it sees; noticed if either way is.
    case decision
    /// The actor neither takes nor gives back any lock of this name.
    case lock(String)
  }

  package var actor: String
  package var kind: Kind
  /// Of the step; of the first use of a lock.
  package var line: SourceLine
  package var text: String

  package var description: String {
    switch kind {
    case .step: "\(actor): \(text) (\(line.file):\(line.line))"
    case .decision: "\(actor): decided blindly: \(text) (\(line.file):\(line.line))"
    case .lock(let name): "\(actor): without \(name)"
    }
  }

  /// The same mutation in another model: where a lock is used first may differ.
  package static func == (a: Self, b: Self) -> Bool { a.key == b.key }
  package func hash(into hasher: inout Hasher) { hasher.combine(key) }

  private var key: [String] {
    switch kind {
    case .step: [actor, line.file, String(line.line)]
    case .decision: [actor, line.file, String(line.line), "if"]
    case .lock(let name): [actor, name]
    }
  }
}

extension Model {
  /// Everything that can be taken out, once each.
  func mutations(kinds: [String]) -> [StepMutation] {
    var all: [StepMutation] = []
    var seen: Set<StepMutation> = []
    for (actor, name) in zip(actors, kinds) {
      for step in actor.steps.joined() {
        guard let kind = mutationKind(of: step) else { continue }
        let mutation = StepMutation(
          actor: name, kind: kind, line: step.line, text: step.label.map { "\($0): \(step.text)" } ?? step.text)
        if seen.insert(mutation).inserted { all.append(mutation) }
      }
    }
    return all
  }

  private func mutationKind(of step: Step) -> StepMutation.Kind? {
    if let lock = step.lock {
      return layout.variable(of: lock.slots.lowerBound).map { .lock($0.name) }
    }
    if step.text.hasPrefix("if ") { return .decision }
    if step.text == "choose" { return nil }
    return step.guardCondition != nil || !step.effects.isEmpty ? .step : nil
  }

  /// The ways to take it out: a decision can be made blindly in two.
  func applying(_ mutation: StepMutation, kinds: [String]) -> [Model] {
    switch mutation.kind {
    case .step, .lock: [applying(mutation, kinds: kinds, decision: false)]
    case .decision: [false, true].map { applying(mutation, kinds: kinds, decision: $0) }
    }
  }

  private func applying(_ mutation: StepMutation, kinds: [String], decision: Bool) -> Model {
    var model = self
    for (index, name) in kinds.enumerated() where name == mutation.actor {
      for position in model.actors[index].steps.indices {
        let choices = model.actors[index].steps[position]
        model.actors[index].steps[position] = choices.compactMap { mutated($0, mutation, decision) }
      }
    }
    return model
  }

  /// `nil`: a choice that is never taken any more.
  private func mutated(_ step: Step, _ mutation: StepMutation, _ decision: Bool) -> Step? {
    var step = step
    switch mutation.kind {
    case .lock(let name):
      guard let lock = step.lock, layout.variable(of: lock.slots.lowerBound)?.name == name else {
        // The busy half of an attempt.
        if case .load(let place)? = step.guardCondition, step.text.hasPrefix("if trylock"),
          layout.variable(of: place.base)?.name == name
        {
          return nil
        }
        return step
      }
      step.lock = nil
      step.guardCondition = nil
      step.effects = step.effects.filter { !writes($0, lock.slots) }
    case .step:
      guard step.line == mutation.line, step.lock == nil else { return step }
      step.guardCondition = nil
      step.effects = []
    case .decision:
      guard step.line == mutation.line, case .branch(_, let yes, let no) = step.next else { return step }
      step.next = decision ? yes : no
    }
    return step
  }

  private func writes(_ effect: Step.Effect, _ slots: Range<Int>) -> Bool {
    var writes = false
    effect.forEachAccess { place, isWrite in if isWrite, place.slots.overlaps(slots) { writes = true } }
    return writes
  }
}
