// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Glibc
import SystemPackage

/// How much is said on standard error.
struct Verbosity: ParsableArguments {
  @Flag(name: [.short, .long], help: "Say nothing but errors.") var quiet = false
  @Flag(name: [.short, .long], help: "Say and show more.") var verbose = false

  func validate() throws {
    if quiet && verbose { throw ValidationError("-q and -v contradict each other") }
  }

  /// What the user should know even without asking.
  func warn(_ text: String) { if !quiet { Talk.say("cowscope: warning: \(text)\n") } }

  /// Where the output went, how far it got.
  func note(_ text: String) { if !quiet { Talk.say("cowscope: \(text)\n") } }

  func detail(_ text: String) { if verbose { Talk.say("cowscope: \(text)\n") } }
}

/// Standard error, for people. A reader that left is no reason to fail.
enum Talk {
  static func say(_ text: String) {
    do {
      try FileDescriptor.standardError.writeAll(Array(text.utf8))
    } catch {
      return  // Nobody is left to be told.
    }
  }
}

/// A line on a terminal that says how far a long run got; silent anywhere else.
struct Progress {
  private let isShown: Bool
  private var nextCount: UInt64 = Progress.step
  private var isOnLine = false

  init(_ verbosity: Verbosity) { isShown = !verbosity.quiet && isatty(STDERR_FILENO) == 1 }

  mutating func reached(_ records: UInt64) {
    guard isShown, records >= nextCount else { return }
    nextCount = records + Progress.step
    isOnLine = true
    Talk.say("\r\(records) records")
  }

  mutating func end() {
    if isOnLine { Talk.say("\r\u{1b}[K") }
    isOnLine = false
  }

  private static let step: UInt64 = 500_000
}
