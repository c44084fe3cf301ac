// SPDX-License-Identifier: GPL-2.0-only

/// All orders of a model's steps, breadth first: the first way to a state is the shortest.
package struct Exploration: Sendable {
  package struct Finding: Sendable {
    package var verdict: String
    package var text: String
    package var isCost: Bool
    package var schedule: Schedule
  }

  package var states: Int
  package var transitions: Int
  /// Every reachable state was seen; `false`: the limit was hit first.
  package var isComplete: Bool
  /// What was observed where all had finished; empty unless asked for.
  var ends: Set<[Int]> = []
  /// The first of each kind, the shortest way first.
  package var findings: [Finding]
}

package struct SearchOptions: Sendable {
  package var stateLimit = 4_000_000
  /// Join steps that commute, and treat actors that are alike as one.
  package var reductions = true
  /// Collect what is observed at the ends.
  var collectsEnds = false
  /// An end that is not among these is a finding.
  var knownEnds: Set<[Int]>?
  package init() {}
}

final class Search {
  private struct Mark {
    var verdict: String
    var text: String
    var detail = ""
    var isCost: Bool
    var parent: Int
    /// `nil`: the state `parent` itself.
    var move: Transitions.Move?
  }

  private let transitions: Transitions
  private var table: StateTable
  private let options: SearchOptions
  private var marks: [Mark] = []
  private var seen: Set<[String]> = []
  private let words: Int
  private var ends: Set<[Int]> = []

  static func run(_ model: Model, _ options: SearchOptions) throws(ModelError) -> Exploration {
    let search = Search(model, options)
    return try search.explore()
  }

  private init(_ model: Model, _ options: SearchOptions) {
    self.options = options
    words = model.layout.words
    transitions = Transitions(model, reductions: options.reductions)
    table = StateTable(words: words)
  }

  private func explore() throws(ModelError) -> Exploration {
    let state = UnsafeMutablePointer<UInt64>.allocate(capacity: words)
    let scratch = UnsafeMutablePointer<UInt64>.allocate(capacity: words)
    defer {
      unsafe state.deallocate()
      unsafe scratch.deallocate()
    }
    unsafe state.initialize(from: transitions.model.initial, count: words)
    unsafe scratch.initialize(repeating: 0, count: words)
    unsafe transitions.canonicalize(state)
    unsafe table.insert(state, parent: 0)
    var next = 0
    var taken = 0
    while next < table.count, table.count <= options.stateLimit {
      unsafe table.copy(next, to: state)
      let isStuck = try unsafe expand(next, state, scratch, &taken)
      unsafe check(next, state, isStuck: isStuck)
      next += 1
    }
    return Exploration(
      states: table.count, transitions: taken, isComplete: next == table.count, ends: ends,
      findings: marks.map { mark in
        Exploration.Finding(
          verdict: mark.verdict, text: mark.text + mark.detail, isCost: mark.isCost, schedule: schedule(to: mark))
      })
  }

  /// Whether no actor can go on.
  private func expand(
    _ index: Int, _ state: UnsafeMutablePointer<UInt64>, _ scratch: UnsafeMutablePointer<UInt64>, _ taken: inout Int
  ) throws(ModelError) -> Bool {
    var isStuck = true
    for actor in transitions.model.actors.indices where unsafe !transitions.hasEnded(actor, state) {
      for choice in 0..<(unsafe transitions.choices(actor, state)) {
        unsafe scratch.update(from: state, count: words)
        let move = Transitions.Move(actor: actor, choice: choice)
        transitions.machine.reset()
        switch unsafe transitions.take(move, scratch) {
        case .blocked: continue
        case .impossible: throw impossible(move, index)
        case .done: break
        }
        isStuck = false
        taken += 1
        if transitions.machine.broken != 0 { markBroken(transitions.machine.broken, index, move) }
        unsafe transitions.canonicalize(scratch)
        unsafe table.insert(scratch, parent: index)
      }
    }
    return isStuck
  }

  private func check(_ index: Int, _ state: UnsafeMutablePointer<UInt64>, isStuck: Bool) {
    let haveAllEnded = unsafe transitions.haveAllEnded(state)
    if isStuck, !haveAllEnded {
      mark(Mark(verdict: "DEADLOCK", text: "nobody can go on", isCost: false, parent: index))
    }
    if haveAllEnded, options.collectsEnds { unsafe collectEnd(index, state) }
    let isAtRest = unsafe haveAllEnded || transitions.isAtRest(state)
    for (number, check) in transitions.model.checks.enumerated() {
      switch check.moment {
      case .always: break
      case .atRest: if !isAtRest { continue }
      case .atEnd: if !haveAllEnded { continue }
      }
      if unsafe transitions.holds(check: number, state) {
        mark(Mark(verdict: check.verdict, text: check.text, isCost: check.isCost, parent: index))
      }
    }
  }

  private func collectEnd(_ index: Int, _ state: UnsafeMutablePointer<UInt64>) {
    let end = unsafe transitions.observe(state)
    ends.insert(end)
    guard let known = options.knownEnds, !known.contains(end) else { return }
    let seen = zip(transitions.model.observations, end).map { "\($0.text) \($1)" }.joined(separator: ", ")
    let text = "an end the other does not lead to"
    mark(Mark(verdict: RowSyntax.differs, text: text, detail: ": " + seen, isCost: false, parent: index))
  }

  private func markBroken(_ broken: UInt64, _ index: Int, _ move: Transitions.Move) {
    for (number, assertion) in transitions.model.assertions.enumerated() where broken >> UInt64(number) & 1 != 0 {
      mark(Mark(verdict: assertion.verdict, text: assertion.text, isCost: false, parent: index, move: move))
    }
  }

  private func mark(_ mark: Mark) {
    guard seen.insert([mark.verdict, mark.text]).inserted else { return }
    marks.append(mark)
  }

  private func impossible(_ move: Transitions.Move, _ index: Int) -> ModelError {
    let actor = transitions.model.actors[move.actor]
    let state = table.state(index)
    let position = transitions.model.layout.value(actor.position, in: state)
    let step = actor.relaxed?.items[move.choice].step ?? actor.steps[position][move.choice]
    return step.line.error(
      "\(actor.name): a step from here on stores a value that does not fit, or uses an element that is not there")
  }

  // — schedules

  private func schedule(to mark: Mark) -> Schedule {
    var path = [mark.parent]
    while let first = path.last, first != 0 { path.append(table.parent(first)) }
    path.reverse()
    var schedule = Schedule(model: transitions.model, reason: mark.text + mark.detail)
    var names = transitions.model.actors.map(\.name)
    let state = UnsafeMutablePointer<UInt64>.allocate(capacity: words)
    let target = UnsafeMutablePointer<UInt64>.allocate(capacity: words)
    defer {
      unsafe state.deallocate()
      unsafe target.deallocate()
    }
    for (from, to) in zip(path, path.dropFirst()) {
      unsafe table.copy(to, to: target)
      guard let move = unsafe move(from: from, to: target, state) else { break }
      unsafe table.copy(from, to: state)
      unsafe follow(move, state, &schedule, &names)
    }
    unsafe table.copy(mark.parent, to: state)
    if let move = mark.move { unsafe follow(move, state, &schedule, &names) }
    schedule.finish(in: unsafe transitions.words(state))
    return schedule
  }

  private func follow(
    _ move: Transitions.Move, _ state: UnsafeMutablePointer<UInt64>, _ schedule: inout Schedule, _ names: inout [String]
  ) {
    var steps: [Transitions.Taken] = []
    _ = unsafe transitions.take(move, state, trace: { steps.append($0) })
    for step in steps { schedule.add(step, name: names[step.actor]) }
    var exchanged: [(Int, Int)] = []
    unsafe transitions.canonicalize(state, order: { exchanged.append(($0, $1)) })
    for (a, b) in exchanged { names.swapAt(a, b) }
  }

  /// The move that leads from one state to another.
  private func move(
    from index: Int, to target: UnsafeMutablePointer<UInt64>, _ state: UnsafeMutablePointer<UInt64>
  ) -> Transitions.Move? {
    unsafe table.copy(index, to: state)
    for actor in transitions.model.actors.indices {
      for choice in 0..<(unsafe transitions.choices(actor, state)) {
        let move = Transitions.Move(actor: actor, choice: choice)
        if case .done = unsafe transitions.take(move, state) {
          unsafe transitions.canonicalize(state)
          if unsafe transitions.words(state) == transitions.words(target) { return move }
        }
        unsafe table.copy(index, to: state)
      }
    }
    return nil
  }
}
