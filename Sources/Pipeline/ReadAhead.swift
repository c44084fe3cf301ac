// SPDX-License-Identifier: GPL-2.0-only

import TraceFile

/// Makes batches on a thread of its own, ahead of their use.
///
/// There are so many batches, and the one being made: who makes them waits when all are full, so memory is bounded.
/// They are used in the order in which they were made, so what is done with them does not depend on the threads.
final class ReadAhead<Batch, Outcome: Sendable>: Sendable {
  private struct State {
    /// In the order in which they were made.
    var full: [Batch] = []
    var empty: [Batch]
    /// Of the making, once it is over.
    var outcome: Result<Outcome, any Error>?
    /// Nobody wants more.
    var isClosed = false
  }

  private let state: Monitor<State>

  private init(_ empty: sending [Batch]) { state = Monitor(State(empty: empty)) }

  /// Calls `make` on another thread and, here, `use` with every batch that it delivers, until one of the two has
  /// enough.
  ///
  /// - Parameters:
  ///   - empty: The batches that go back and forth.
  ///   - make: Calls its argument to exchange a full batch for an empty one; `false` when no more is wanted. Until this
  ///     function returns, what `make` captures is the other thread's alone.
  ///   - use: `false` when it wants no more.
  /// - Returns: What `make` returned; `nil` when no thread is to be had, and nothing was made.
  static func run(
    _ empty: sending [Batch], make: (_ deliver: (inout Batch) -> Bool) throws -> Outcome,
    use: (Batch) throws -> Bool
  ) throws -> Outcome? {
    let ahead = ReadAhead(empty)
    return try withoutActuallyEscaping(make) { make in
      nonisolated(unsafe) let make = make
      let thread = JoinedThread {
        let outcome = Result { try unsafe make { ahead.exchange(full: &$0) } }
        ahead.state.change { $0.outcome = outcome }
      }
      guard let thread else { return nil }
      let used = Result { try ahead.useAll(use) }
      ahead.state.change { $0.isClosed = true }
      thread.join()
      try used.get()
      return try ahead.state.wait { $0.outcome }.get()
    }
  }

  private func exchange(full batch: inout Batch) -> Bool {
    state.wait { state -> Bool? in
      guard !state.isClosed else { return false }
      guard let empty = state.empty.popLast() else { return nil }
      state.full.append(batch)
      batch = empty
      return true
    }
  }

  private func useAll(_ use: (Batch) throws -> Bool) throws {
    var batch: Batch?
    while true {
      exchange(used: &batch)
      guard let batch, try use(batch) else { return }
    }
  }

  /// Leaves the next batch, or none after the last.
  private func exchange(used batch: inout Batch?) {
    // Under the lock, so that nobody else refers to the batch when its maker gets it.
    state.change { state in
      if let used = batch.take() { state.empty.append(used) }
    }
    batch = state.wait { state -> Batch?? in
      if !state.full.isEmpty { return state.full.removeFirst() }
      return state.outcome == nil ? nil : .some(nil)
    }
  }
}
