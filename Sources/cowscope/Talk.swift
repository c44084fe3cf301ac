// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Glibc
import MMEvents
import Pipeline
import Synchronization
import SystemPackage

/// How much is said on standard error.
struct Verbosity: ParsableArguments {
  @Flag(name: [.short, .long], help: "Say nothing but errors.") var quiet = false
  @Flag(name: [.short, .long], help: "Say and show more.") var verbose = false

  func validate() throws {
    if quiet && verbose { throw ValidationError("-q and -v contradict each other") }
  }

  /// What the user should know even without asking.
  func warn(_ text: String) { if !quiet { Talk.say("warning: \(text)") } }

  /// Where the output went, how far it got.
  func note(_ text: String) { if !quiet { Talk.say(text) } }

  func detail(_ text: String) { if verbose { Talk.say(text) } }
}

/// Standard error, for people. A reader that left is no reason to fail.
enum Talk {
  /// One line: names in it come from anywhere.
  static func say(_ text: String) { write("cowscope: \(text.printable)\n") }

  /// As it is, for text of our own.
  static func write(_ text: String) {
    do {
      try FileDescriptor.standardError.writeAll(Array(text.utf8))
    } catch {
      return  // Nobody is left to be told.
    }
  }
}

/// A line on a terminal that says how far a long run got; silent anywhere else.
final class ProgressLine: Sendable {
  private let isShown: Bool
  /// The number of records at which the line is written next, and whether it is there.
  private let state = Mutex((next: ProgressLine.step, isOnLine: false))

  init(_ verbosity: Verbosity) { isShown = !verbosity.quiet && isatty(STDERR_FILENO) == 1 }

  /// `nil`: the run is over.
  func reached(_ records: UInt64?) {
    guard isShown else { return }
    state.withLock { state in
      guard let records else {
        if state.isOnLine { Talk.write("\r\u{1b}[K") }
        state = (ProgressLine.step, false)
        return
      }
      guard records >= state.next else { return }
      state = (records + ProgressLine.step, true)
      Talk.write("\r\(records) records")
    }
  }

  private static let step: UInt64 = 500_000
}

extension Verbosity {
  /// What an analysis says, as far as it is wanted.
  var notices: Notices {
    let line = ProgressLine(self)
    let (quiet, verbose) = (quiet, verbose)
    return Notices(
      warn: { if !quiet { Talk.say("warning: \($0)") } }, detail: { if verbose { Talk.say($0) } },
      reached: { line.reached($0) })
  }
}
