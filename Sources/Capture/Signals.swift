// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceFS
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// The signals that end a recording the normal way.
package enum EndingSignals {
  /// What the handlers write to; -1 while no recording runs.
  private static let wakeUpDescriptor = Atomic<Int32>(-1)
  /// The last signal that arrived, 0 for none.
  private static let lastSignal = Atomic<Int32>(0)

  /// `SIG_IGN` as a number: Swift cannot import the macro.
  private static let ignored = 1

  /// Runs `body` with the ending signals turned into `wakeUp`, then restores what they did before.
  ///
  /// Handlers rather than blocked signals, because exec resets a handler: the recorded command starts with the
  /// dispositions this program was started with. A signal that was ignored then (`nohup`) stays ignored. `SIGPIPE`
  /// gets, and keeps, a handler that does nothing: a dead reader of our output is an error and not our death.
  package static func handled<Result, Failure: Error>(
    by wakeUp: WakeUp, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lastSignal.store(0, ordering: .relaxed)
    wakeUpDescriptor.store(wakeUp.writeEnd.rawValue, ordering: .releasing)
    var previous: [(signal: Int32, action: sigaction)] = []
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE] {
      var old = sigaction()
      unsafe sigaction(signal, nil, &old)
      if unsafe unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) == ignored { continue }
      var new = sigaction()
      unsafe new.__sigaction_handler.sa_handler = { EndingSignals.arrived($0) }
      new.sa_flags = SA_RESTART
      unsafe sigaction(signal, &new, nil)
      if signal != SIGPIPE { previous.append((signal, old)) }
    }
    defer {
      for (signal, action) in previous {
        var action = action
        unsafe sigaction(signal, &action, nil)
      }
      wakeUpDescriptor.store(-1, ordering: .releasing)
    }
    return try body()
  }

  /// The signal that asked for the end, if one did.
  package static var received: Int32? {
    let signal = lastSignal.load(ordering: .relaxed)
    return signal == 0 ? nil : signal
  }

  /// Runs in signal context: an atomic load, a store and a `write`.
  private static func arrived(_ signal: Int32) {
    if signal == SIGPIPE { return }
    let saved = errno
    lastSignal.store(signal, ordering: .relaxed)
    let descriptor = wakeUpDescriptor.load(ordering: .acquiring)
    if descriptor >= 0 {
      var byte: UInt8 = 1
      unsafe write(descriptor, &byte, 1)
    }
    errno = saved
  }
}
