// SPDX-License-Identifier: GPL-2.0-only

/// What can happen next in a state: one step of one actor, and those that may be joined to it.
final class Transitions {
  /// One way on: an actor and which of its choices (or, for a relaxed one, which of its steps).
  struct Move: Sendable, Hashable {
    var actor: Int
    var choice: Int
  }

  /// A step as it is taken, for schedules.
  struct Taken {
    var actor: Int
    var step: Step
    var before: [UInt64]
    var after: [UInt64]
  }

  let model: Model
  private let movers: Movers?
  private let isSymmetric: Bool
  var machine: StepMachine
  /// By actor, position and choice.
  private let starts: [[[Int32]]]
  /// By actor and step of a relaxed actor: its code and that of its conditions.
  private let relaxedStarts: [[(step: Int32, conditions: [Int32])]]
  private let checks: [Int32]
  private let observations: [Int32]
  /// Actors that can be exchanged, several of a kind, by their words.
  private let exchangeable: [[Int]]
  private let positions: [StatePlace]

  private struct StatePlace {
    var word: Int
    var shift: UInt64
    var mask: UInt64
    /// The position at the end.
    var end: UInt64
  }

  init(_ model: Model, reductions: Bool) {
    var code = StepCode(model.layout)
    var starts: [[[Int32]]] = []
    var relaxedStarts: [[(step: Int32, conditions: [Int32])]] = []
    for actor in model.actors {
      starts.append(
        actor.steps.map { choices in
          choices.map { code.step($0, position: actor.position, end: actor.steps.count) }
        })
      relaxedStarts.append(
        (actor.relaxed?.items ?? []).map { item in
          (code.relaxedStep(item.step), item.conditions.map { code.condition($0) })
        })
    }
    self.starts = starts
    self.relaxedStarts = relaxedStarts
    checks = model.checks.map { code.condition($0.condition) }
    observations = model.observations.map { code.condition($0.value) }
    positions = model.actors.map { actor in
      let slot = model.layout.slots[actor.position]
      return StatePlace(
        word: slot.word, shift: UInt64(slot.bits.shift), mask: UInt64(slot.bits.limit),
        end: actor.relaxed?.all ?? UInt64(actor.steps.count))
    }
    let kinds = Dictionary(grouping: model.actors.indices) { model.actors[$0].kind }
    exchangeable = kinds.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    isSymmetric = reductions && !exchangeable.isEmpty
    movers = reductions ? Movers(model) : nil
    self.model = model
    machine = StepMachine(code, model.layout)
  }

  // — where actors are

  func position(_ actor: Int, _ state: UnsafeMutablePointer<UInt64>) -> UInt64 {
    unsafe state[positions[actor].word] >> positions[actor].shift & positions[actor].mask
  }

  func hasEnded(_ actor: Int, _ state: UnsafeMutablePointer<UInt64>) -> Bool {
    unsafe position(actor, state) == positions[actor].end
  }

  private func setPosition(_ actor: Int, _ value: UInt64, _ state: UnsafeMutablePointer<UInt64>) {
    let place = positions[actor]
    unsafe state[place.word] = state[place.word] & ~(place.mask << place.shift) | value << place.shift
  }

  func isAtRest(_ state: UnsafeMutablePointer<UInt64>) -> Bool {
    for actor in model.actors.indices {
      let position = unsafe position(actor, state)
      if position != 0, position != positions[actor].end { return false }
    }
    return true
  }

  func haveAllEnded(_ state: UnsafeMutablePointer<UInt64>) -> Bool {
    for actor in model.actors.indices where unsafe !hasEnded(actor, state) { return false }
    return true
  }

  /// How many choices there may be for this actor.
  func choices(_ actor: Int, _ state: UnsafeMutablePointer<UInt64>) -> Int {
    if let relaxed = model.actors[actor].relaxed { return relaxed.items.count }
    let position = unsafe Int(position(actor, state))
    return position < starts[actor].count ? starts[actor][position].count : 0
  }

  func holds(check: Int, _ state: UnsafeMutablePointer<UInt64>) -> Bool {
    unsafe machine.run(checks[check], state) == .done && machine.value != 0
  }

  /// What can be observed in the state.
  func observe(_ state: UnsafeMutablePointer<UInt64>) -> [Int] {
    observations.map { start in unsafe machine.run(start, state) == .done ? machine.value : -1 }
  }

  // — moving

  /// Takes the move in place. `blocked`: the state may be changed in part and is of no use.
  func take(
    _ move: Move, _ state: UnsafeMutablePointer<UInt64>, trace: ((Taken) -> Void)? = nil
  ) -> StepMachine.Outcome {
    if let relaxed = model.actors[move.actor].relaxed {
      return unsafe takeRelaxed(move, relaxed, state, trace)
    }
    var position = unsafe Int(position(move.actor, state))
    let outcome = unsafe run(move.actor, position, move.choice, state, trace)
    guard case .done = outcome, let movers else { return outcome }
    var isBeforeTheOne = movers.kinds[move.actor][position] == .right || movers.kinds[move.actor][position] == .both
    for _ in 0..<64 {
      position = unsafe Int(self.position(move.actor, state))
      guard position < starts[move.actor].count, movers.canFollow[move.actor][position] else { return .done }
      switch movers.kinds[move.actor][position] {
      case .both: break
      case .left: isBeforeTheOne = false
      case .none:
        guard isBeforeTheOne else { return .done }
        isBeforeTheOne = false
      case .right: return .done
      }
      guard case .done = unsafe run(move.actor, position, 0, state, trace) else { return .impossible }
    }
    return .done
  }

  private func run(
    _ actor: Int, _ position: Int, _ choice: Int, _ state: UnsafeMutablePointer<UInt64>, _ trace: ((Taken) -> Void)?
  ) -> StepMachine.Outcome {
    guard let trace else { return unsafe machine.run(starts[actor][position][choice], state) }
    let before = unsafe words(state)
    let outcome = unsafe machine.run(starts[actor][position][choice], state)
    if outcome == .done {
      let step = model.actors[actor].steps[position][choice]
      trace(Taken(actor: actor, step: step, before: before, after: unsafe words(state)))
    }
    return outcome
  }

  func words(_ state: UnsafeMutablePointer<UInt64>) -> [UInt64] {
    unsafe Array(UnsafeBufferPointer(start: state, count: model.layout.words))
  }

  // — relaxed actors

  private func takeRelaxed(
    _ move: Move, _ program: RelaxedProgram, _ state: UnsafeMutablePointer<UInt64>, _ trace: ((Taken) -> Void)?
  ) -> StepMachine.Outcome {
    let done = unsafe position(move.actor, state)
    let item = program.items[move.choice]
    guard done >> UInt64(move.choice) & 1 == 0, done & item.after == item.after else { return .blocked }
    let before = trace == nil ? [] : unsafe words(state)
    let outcome = unsafe machine.run(relaxedStarts[move.actor][move.choice].step, state)
    guard outcome == .done else { return outcome }
    unsafe setPosition(move.actor, done | 1 << UInt64(move.choice), state)
    trace?(Taken(actor: move.actor, step: item.step, before: before, after: unsafe words(state)))
    unsafe dropUnwanted(move.actor, program, state)
    return .done
  }

  /// Steps on ways that are not taken are done with.
  private func dropUnwanted(_ actor: Int, _ program: RelaxedProgram, _ state: UnsafeMutablePointer<UInt64>) {
    var done = unsafe position(actor, state)
    var isChanged = true
    while isChanged {
      isChanged = false
      for (index, item) in program.items.enumerated()
      where done >> UInt64(index) & 1 == 0 && !item.conditions.isEmpty && done & item.known == item.known {
        for condition in relaxedStarts[actor][index].conditions {
          if unsafe machine.run(condition, state) == .done, machine.value != 0 { continue }
          done |= 1 << UInt64(index)
          isChanged = true
          break
        }
      }
    }
    unsafe setPosition(actor, done, state)
  }

  // — symmetry

  /// Brings actors that are alike into one order. `order`: who stands where, for schedules.
  func canonicalize(_ state: UnsafeMutablePointer<UInt64>, order: ((Int, Int) -> Void)? = nil) {
    guard isSymmetric else { return }
    for group in exchangeable {
      for last in group.indices.reversed() {
        for index in 0..<last where unsafe isGreater(group[index], group[index + 1], state) {
          unsafe exchange(group[index], group[index + 1], state)
          order?(group[index], group[index + 1])
        }
      }
    }
  }

  private func wordRange(_ actor: Int) -> Range<Int> {
    let slots = model.actors[actor].slots
    return model.layout.slots[slots.lowerBound].word..<(model.layout.slots[slots.upperBound - 1].word + 1)
  }

  private func isGreater(_ a: Int, _ b: Int, _ state: UnsafeMutablePointer<UInt64>) -> Bool {
    for (x, y) in zip(wordRange(a), wordRange(b)) where unsafe state[x] != state[y] {
      return unsafe state[x] > state[y]
    }
    return false
  }

  private func exchange(_ a: Int, _ b: Int, _ state: UnsafeMutablePointer<UInt64>) {
    for (x, y) in zip(wordRange(a), wordRange(b)) { unsafe swap(&state[x], &state[y]) }
  }
}
