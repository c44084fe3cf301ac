// SPDX-License-Identifier: GPL-2.0-only

internal import Glibc

/// State shared between threads, and the means to wait until another thread has changed it.
@safe
package final class Monitor<State>: @unchecked Sendable {
  private var state: State
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>

  package init(_ state: sending State) {
    self.state = state
    unsafe mutex = .allocate(capacity: 1)
    unsafe changed = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(changed, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(mutex)
    unsafe changed.deallocate()
    unsafe mutex.deallocate()
  }

  /// Changes the state and wakes everybody who waits for a change, where `isAwaited` says that it may be this one.
  package func change<Result>(_ body: (inout State) -> Result, isAwaited: (State) -> Bool = { _ in true }) -> Result {
    unsafe pthread_mutex_lock(mutex)
    let result = body(&state)
    let isAwaited = isAwaited(state)
    // Whoever wakes finds the lock free.
    unsafe pthread_mutex_unlock(mutex)
    if isAwaited { unsafe pthread_cond_broadcast(changed) }
    return result
  }

  /// Calls `body` after every change until it returns something. What `body` changes wakes others too, unless they wait
  /// for nothing of the kind (`wakesOthers`).
  package func wait<Result>(wakesOthers: Bool = true, _ body: (inout State) -> Result?) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer {
      unsafe pthread_mutex_unlock(mutex)
      if wakesOthers { unsafe pthread_cond_broadcast(changed) }
    }
    while true {
      if let result = body(&state) { return result }
      unsafe pthread_cond_wait(changed, mutex)
    }
  }
}
