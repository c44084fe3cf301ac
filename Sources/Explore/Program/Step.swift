// SPDX-License-Identifier: GPL-2.0-only

/// One atomic step of an actor: what others see is the state before it, or the state after it.
struct Step: Sendable {
  /// The names by which it can be dropped; empty for steps without a label.
  var label: String?
  var narration: String?
  var text: String
  var line: SourceLine
  /// The step waits until this holds. `nil`: it can always be taken.
  var guardCondition: StepValue?
  var effects: [Effect]
  var next: Next
  var order = AccessOrder.plain
  /// Locks this step takes or gives back.
  var lock: LockChange?

  indirect enum Effect: Hashable, Sendable {
    case assign(StatePlace, StepValue)
    case when(StepValue, [Effect], [Effect])
    /// The number of an assertion, and what has to hold.
    case assert(Int, StepValue)
  }

  /// Where the actor goes on, decided by its own registers after the step.
  indirect enum Next: Sendable {
    case step(Int)
    case end
    case branch(StepValue, Next, Next)
  }

  struct LockChange: Sendable {
    var slots: Range<Int>
    var mode: LockMode
    var isTaken: Bool
    /// An attempt that fails when somebody holds the lock.
    var isAttempt = false
  }
}

extension Step.Effect {
  /// Places read and places written.
  func forEachAccess(_ body: (_ place: StatePlace, _ isWrite: Bool) -> Void) {
    switch self {
    case .assign(let place, let value):
      value.forEachPlace { body($0, false) }
      place.index?.forEachPlace { body($0, false) }
      body(place, true)
    case .when(let condition, let yes, let no):
      condition.forEachPlace { body($0, false) }
      for effect in yes { effect.forEachAccess(body) }
      for effect in no { effect.forEachAccess(body) }
    case .assert(_, let value): value.forEachPlace { body($0, false) }
    }
  }
}

extension Step {
  func forEachAccess(_ body: (_ place: StatePlace, _ isWrite: Bool) -> Void) {
    guardCondition?.forEachPlace { body($0, false) }
    for effect in effects { effect.forEachAccess(body) }
    next.forEachPlace { body($0, false) }
  }
}

extension Step.Next {
  func forEachPlace(_ body: (StatePlace) -> Void) {
    guard case .branch(let condition, let yes, let no) = self else { return }
    condition.forEachPlace(body)
    yes.forEachPlace(body)
    no.forEachPlace(body)
  }

  func forEachTarget(_ body: (Int?) -> Void) {
    switch self {
    case .step(let target): body(target)
    case .end: body(nil)
    case .branch(_, let yes, let no):
      yes.forEachTarget(body)
      no.forEachTarget(body)
    }
  }
}
