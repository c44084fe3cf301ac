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
    /// Empty ones that the maker waits for: after a wait for more than one. Two threads that hand over each batch by
    /// itself do little else.
    var wanted = 1
    /// Half of them all.
    let enough: Int
    /// Of the making, once it is over.
    var outcome: Result<Outcome, any Error>?
    /// Nobody wants more.
    var isClosed = false
  }

  private let state: Monitor<State>

  private init(_ empty: sending [Batch]) {
    let enough = max(1, empty.count / 2)
    state = Monitor(State(empty: empty, enough: enough))
  }

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
      guard state.empty.count >= state.wanted, let empty = state.empty.popLast() else {
        state.wanted = state.enough
        return nil
      }
      state.wanted = 1
      state.full.append(batch)
      batch = empty
      return true
    }
  }

  private func useAll(_ use: (Batch) throws -> Bool) throws {
    /// The next one last.
    var ready: [Batch] = []
    var used: Batch?
    while true {
      giveBack(&used)
      if ready.isEmpty { takeAll(into: &ready) }
      used = ready.popLast()
      guard let used, try use(used) else { return }
    }
  }

  private func giveBack(_ used: inout Batch?) {
    guard used != nil else { return }
    // Under the lock, so that nobody else refers to the batch when its maker gets it.
    state.change { state in
      if let used = used.take() { state.empty.append(used) }
    } isAwaited: { state in
      state.empty.count >= state.wanted
    }
  }

  /// Waits for one; `ready` stays empty after the last.
  private func takeAll(into ready: inout [Batch]) {
    state.wait(wakesOthers: false) { state -> Void? in
      guard !state.full.isEmpty || state.outcome != nil else { return nil }
      swap(&state.full, &ready)
    }
    ready.reverse()
  }
}
