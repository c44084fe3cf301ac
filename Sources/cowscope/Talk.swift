// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Glibc
import MMEvents
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
struct Progress {
  private let isShown: Bool
  private var nextCount: UInt64 = Progress.step
  private var isOnLine = false

  init(_ verbosity: Verbosity) { isShown = !verbosity.quiet && isatty(STDERR_FILENO) == 1 }

  mutating func reached(_ records: UInt64) {
    guard isShown, records >= nextCount else { return }
    nextCount = records + Progress.step
    isOnLine = true
    Talk.write("\r\(records) records")
  }

  mutating func end() {
    if isOnLine { Talk.write("\r\u{1b}[K") }
    isOnLine = false
  }

  private static let step: UInt64 = 500_000
}
