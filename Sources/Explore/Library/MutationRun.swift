// SPDX-License-Identifier: GPL-2.0-only

internal import Dispatch
internal import Synchronization

/// Takes every step, guard and lock out in turn and says which row notices: a guard that no row needs is redundant, or
/// its row is missing.
package enum MutationRun {
  package struct Outcome: Sendable {
    package var mutation: StepMutation
    /// The first cell that breaks; `nil`: none does.
    package var noticedBy: String?
  }

  private struct Subject {
    var cell: ExploreCell
    var model: Model
    var kinds: [String]
    var states: Int
  }

  /// Cells that hold are those that can notice; the small ones are asked first.
  package static func run(
    _ cells: [ExploreCell], in library: InterleavingLibrary, _ options: SearchOptions
  ) throws(ModelError) -> [Outcome] {
    var subjects: [Subject] = []
    for cell in cells where cell.row.instead == nil {
      guard let syntax = library.model(cell.row.model) else { continue }
      let model = try ModelBuilder.build(syntax, cell.row, cell.variant)
      let exploration = try Search.run(model, options)
      guard exploration.isComplete, !exploration.findings.contains(where: { !$0.isCost }) else { continue }
      subjects.append(
        Subject(cell: cell, model: model, kinds: cell.row.actors.map(\.actor), states: exploration.states))
    }
    subjects.sort { $0.states < $1.states }
    var candidates: [(mutation: StepMutation, subjects: [Int])] = []
    var places: [StepMutation: Int] = [:]
    for (index, subject) in subjects.enumerated() {
      for mutation in subject.model.mutations(kinds: subject.kinds) {
        if let place = places[mutation] {
          candidates[place].subjects.append(index)
        } else {
          places[mutation] = candidates.count
          candidates.append((mutation, [index]))
        }
      }
    }
    return outcomes(candidates, subjects, options)
  }

  private static func outcomes(
    _ candidates: [(mutation: StepMutation, subjects: [Int])], _ subjects: [Subject], _ options: SearchOptions
  ) -> [Outcome] {
    let outcomes = Mutex([Outcome?](repeating: nil, count: candidates.count))
    DispatchQueue.concurrentPerform(iterations: candidates.count) { index in
      let (mutation, numbers) = candidates[index]
      let first = numbers.first { isNoticed(mutation, by: subjects[$0], options) }
      let outcome = Outcome(mutation: mutation, noticedBy: first.map { subjects[$0].cell.name })
      outcomes.withLock { $0[index] = outcome }
    }
    return outcomes.withLock { $0.compactMap { $0 } }
  }

  /// Broken rules, or a value that does not fit (a count below zero).
  private static func isNoticed(_ mutation: StepMutation, by subject: Subject, _ options: SearchOptions) -> Bool {
    var options = options
    options.stateLimit = subject.states * 20 + 10_000
    return subject.model.applying(mutation, kinds: subject.kinds).contains { model in
      guard let exploration = try? Search.run(model, options) else { return true }
      return exploration.findings.contains { !$0.isCost }
    }
  }

  package static func text(_ outcomes: [Outcome]) -> String {
    var text = ""
    for outcome in outcomes {
      let by = outcome.noticedBy.map { ": \($0)" } ?? ""
      text += (outcome.noticedBy == nil ? "survives  " : "noticed   ") + outcome.mutation.description + by + "\n"
    }
    return text + "\(outcomes.count) mutations, \(outcomes.count { $0.noticedBy == nil }) survive\n"
  }
}
