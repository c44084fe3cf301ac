// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// Batches of events on their way from the thread that reads a capture to the one that uses them.
///
/// Bounded: the reader waits when it is far ahead. Batches come out as they went in, so what is done with them does not
/// depend on the threads.
final class EventQueue<Outcome: Sendable>: Sendable {
  private struct State {
    var batches: [[MMEventRecord]] = []
    /// Used batches, whose memory is wanted again.
    var spare: [[MMEventRecord]] = []
    var outcome: Outcome?
    /// Nobody wants more.
    var isClosed = false
  }

  private static var limit: Int { 8 }

  private let state = Monitor(State())

  // — the reader's side

  /// Takes the batch and leaves an empty one; `false` when no more is wanted.
  func put(_ batch: inout [MMEventRecord]) -> Bool {
    var isWanted = false
    state.wait { state -> Void? in
      if !state.isClosed, state.batches.count >= Self.limit { return nil }
      isWanted = !state.isClosed
      state.batches.append(batch)
      batch = state.spare.popLast() ?? []
      return ()
    }
    batch.removeAll(keepingCapacity: true)
    return isWanted
  }

  /// No batch follows.
  func finish(_ outcome: Outcome) { state.change { $0.outcome = outcome } }

  // — the user's side

  /// Takes back a used batch and leaves the next one; `false` after the last.
  func take(_ batch: inout [MMEventRecord]) -> Bool {
    state.change { state in
      if batch.capacity > 0 { state.spare.append(batch) }
      batch = []
    }
    return state.wait { state -> Bool? in
      guard !state.batches.isEmpty else { return state.outcome == nil ? nil : false }
      batch = state.batches.removeFirst()
      return true
    }
  }

  /// The outcome, once the last batch was taken or none is wanted.
  func close() -> Outcome {
    state.change { $0.isClosed = true }
    return state.wait { $0.outcome }
  }
}
