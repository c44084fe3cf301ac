// SPDX-License-Identifier: GPL-2.0-only

/// A row made ready to be searched: every name resolved, every loop unrolled, everything at its place in the state.
struct Model: Sendable {
  var layout: StateLayout
  var initial: [UInt64]
  var actors: [ActorProgram]
  var checks: [ModelCheck]
  var observations: [Observation]
  /// Assertions inside of steps, by number.
  var assertions: [Assertion]

  struct ModelCheck: Sendable {
    var moment: CheckSyntax.Moment
    var verdict: String
    var text: String
    var condition: StepValue
    var isCost: Bool
  }

  struct Observation: Sendable {
    var text: String
    var value: StepValue
  }

  struct Assertion: Hashable, Sendable {
    var verdict: String
    var text: String
  }
}

struct ActorProgram: Sendable {
  /// As schedules show it.
  var name: String
  /// Steps by position; several at one position are a choice.
  var steps: [[Step]]
  /// The slot that says where the actor is: a position, `steps.count` at the end.
  var position: Int
  /// Steps as the memory model may reorder them; `nil`: in program order.
  var relaxed: RelaxedProgram?
  /// Actors of the same kind and with the same registers may be exchanged.
  var kind: Int
  /// Its slots, position first.
  var slots: Range<Int>
}

/// An actor whose steps are only partly ordered. Position slot: the set of steps that are done.
struct RelaxedProgram: Sendable {
  struct Item: Sendable {
    var step: Step
    /// The step happens only if all of these hold; taken after their registers are known.
    var conditions: [StepValue]
    /// Steps that have to be done before.
    var after: UInt64
    /// Steps that have to be done before the conditions are known.
    var known: UInt64
  }

  var items: [Item]
  var all: UInt64 { items.count == 64 ? .max : (1 << UInt64(items.count)) - 1 }
}
