// SPDX-License-Identifier: GPL-2.0-only

internal import Glibc

/// A thread that is waited for.
///
/// A pthread rather than a task: it blocks on a `Monitor`, which the threads of Swift's pool must not.
package final class JoinedThread {
  private var handle = pthread_t()

  /// Runs `body` on a new thread; `nil` when the system refuses one.
  package init?(_ body: @escaping @Sendable () -> Void) {
    let box = unsafe Unmanaged.passRetained(Body(body))
    let failure = unsafe pthread_create(
      &handle, nil,
      { argument in
        if let argument = unsafe argument { unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, box.toOpaque())
    guard failure == 0 else {
      unsafe box.release()
      return nil
    }
  }

  /// Waits for its end; to be called once.
  package func join() { pthread_join(handle, nil) }

  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
