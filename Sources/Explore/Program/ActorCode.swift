// SPDX-License-Identifier: GPL-2.0-only

/// Steps of an actor while they are being put together, with jumps between them.
struct ActorCode {
  struct Label: Hashable { var number: Int }

  enum Part {
    case step(Step)
    /// Decided by registers alone, together with the step before.
    case branch(StepValue, otherwise: Label)
    case jump(Label)
    case label(Label)
    /// One of several ways on; each is a step of its own.
    case choice([(Step, Label)])
    case end
  }

  let actor: Int
  private var parts: [Part] = []
  private var labels = 0

  init(actor: Int) { self.actor = actor }

  mutating func append(_ part: Part) { parts.append(part) }

  mutating func newLabel() -> Label {
    labels += 1
    return Label(number: labels)
  }

  /// The finished program: a position for each step and choice.
  func steps(_ line: SourceLine) throws(ModelError) -> [[Step]] {
    var positions: [Int: Int] = [:]
    var places: [Label: Int] = [:]
    for (index, part) in parts.enumerated() {
      switch part {
      case .step, .choice: positions[index] = positions.count
      case .label(let label): places[label] = index
      case .branch, .jump, .end: break
      }
    }
    func next(_ index: Int, _ depth: Int) throws(ModelError) -> Step.Next {
      guard depth < 500 else { throw line.error("a loop without a step") }
      func target(_ label: Label) throws(ModelError) -> Step.Next {
        guard let place = places[label] else { throw line.error("a goto leads nowhere") }
        return try next(place, depth + 1)
      }
      switch parts[index] {
      case .step, .choice: return .step(positions[index] ?? 0)
      case .end: return .end
      case .label: return try next(index + 1, depth + 1)
      case .jump(let label): return try target(label)
      case .branch(let condition, let label):
        if let known = condition.constant { return known != 0 ? try next(index + 1, depth + 1) : try target(label) }
        return .branch(condition, try next(index + 1, depth + 1), try target(label))
      }
    }
    // A step that does nothing stands for the way in, which may depend on nothing but constants.
    var steps: [[Step]] = []
    for (index, part) in parts.enumerated() {
      switch part {
      case .step(var step):
        step.next = try next(index + 1, 0)
        steps.append([step])
      case .choice(let choices):
        var alternatives: [Step] = []
        for (step, label) in choices {
          guard let place = places[label] else { throw line.error("a choice leads nowhere") }
          var step = step
          step.next = try next(place, 0)
          alternatives.append(step)
        }
        steps.append(alternatives)
      case .branch, .jump, .label, .end: break
      }
    }
    guard steps.count < 1 << 10 else { throw line.error("more than 1023 steps") }
    return Self.withoutUnreachable(steps, from: try next(0, 0), line)
  }

  /// Drops steps that dropped guards cut off, so that the first position is the first step.
  private static func withoutUnreachable(_ steps: [[Step]], from start: Step.Next, _ line: SourceLine) -> [[Step]] {
    var order: [Int] = []
    var seen: Set<Int> = []
    var pending: [Int] = []
    start.forEachTarget { if let target = $0 { pending.append(target) } }
    while let position = pending.popLast() {
      guard seen.insert(position).inserted else { continue }
      order.append(position)
      for step in steps[position] { step.next.forEachTarget { if let target = $0 { pending.append(target) } } }
    }
    order.sort()
    // The first step first: it is where the actor waits to be started.
    if case .step(let first) = start, let place = order.firstIndex(of: first) {
      order.remove(at: place)
      order.insert(first, at: 0)
    }
    let renumbered = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
    return order.map { position in
      steps[position].map { step in
        var step = step
        step.next = step.next.renumbered(renumbered)
        return step
      }
    }
  }
}

extension Step.Next {
  func renumbered(_ numbers: [Int: Int]) -> Step.Next {
    switch self {
    case .step(let target): .step(numbers[target] ?? target)
    case .end: .end
    case .branch(let condition, let yes, let no):
      .branch(condition, yes.renumbered(numbers), no.renumbered(numbers))
    }
  }
}
