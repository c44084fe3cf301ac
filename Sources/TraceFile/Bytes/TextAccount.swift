// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What became of every line of a text trace: as many were read, refused or ignored as there are.
package struct TextAccount: Equatable, Sendable {
  /// A line of an event that matters, which could not be read: something that happened is missing.
  package struct Refusal: Hashable, Sendable {
    package var event: String
    package var reason: Reason

    package init(event: String, reason: Reason) { (self.event, self.reason) = (event, reason) }
  }

  package enum Reason: Hashable, Sendable {
    /// The field is not there, under none of its names.
    case missing(field: String)
    case badValue(field: String)
    /// Task, CPU or time do not stand in front of the event.
    case noHead
    case tooLong
    /// A system call's number means nothing without the machine.
    case unknownMachine
  }

  /// What a line is that is passed over.
  package enum Ignored: Hashable, Sendable {
    case blank, comment, heading, lossNote, function, callChain
    /// An event that means nothing to the model.
    case event(String)
    /// Events beyond the first thousands of names.
    case furtherEvents
    /// None of the forms known here.
    case unrecognised
  }

  package struct Refusals: Equatable, Sendable {
    package var lines: UInt64
    /// Counted from 1.
    package var firstLine: UInt64

    package init(lines: UInt64 = 0, firstLine: UInt64) { (self.lines, self.firstLine) = (lines, firstLine) }
  }

  package private(set) var lines: UInt64 = 0
  package private(set) var read: UInt64 = 0
  package private(set) var refused: [Refusal: Refusals] = [:]
  package private(set) var ignored: [Ignored: UInt64] = [:]
  /// Records that were overwritten before the text was taken, as it says itself.
  package internal(set) var overwritten: UInt64 = 0
  /// Lines whose time is before that of the line in front of them.
  package internal(set) var backwards: UInt64 = 0

  private static let maximumNames = 4096

  mutating func begin() { lines += 1 }

  mutating func noteRead() { read += 1 }

  /// The line begun last is refused.
  mutating func refuse(_ event: String, _ reason: Reason) {
    refused[Refusal(event: event, reason: reason), default: Refusals(firstLine: lines)].lines += 1
  }

  mutating func ignore(_ what: Ignored) {
    if case .event = what, ignored[what] == nil, ignored.count >= Self.maximumNames {
      ignored[.furtherEvents, default: 0] += 1
    } else {
      ignored[what, default: 0] += 1
    }
  }

  package var gaps: GapCounts {
    var gaps = GapCounts()
    gaps.add(.refusedLines, refused.values.reduce(0) { $0 + $1.lines })
    for (what, count) in ignored {
      switch what {
      case .event, .furtherEvents: gaps.add(.ignoredLines, count)
      case .unrecognised: gaps.add(.unrecognisedLines, count)
      case .blank, .comment, .heading, .lossNote, .function, .callChain: break
      }
    }
    gaps.add(.overwrittenRecords, overwritten)
    gaps.add(.timeBackwards, backwards)
    return gaps
  }

  /// One error for each kind of refusal, at its first line.
  func errors(file: String) -> [TraceFileError] {
    refused.sorted { ($0.value.firstLine, $0.key.event) < ($1.value.firstLine, $1.key.event) }.map { refusal, lines in
      TraceFileError(
        file: file, offset: nil,
        reason: .line(number: lines.firstLine, event: refusal.event, refusal.reason, lines: lines.lines))
    }
  }
}

extension TextAccount.Reason: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missing(let field): "no field \(field)"
    case .badValue(let field): "the value of \(field) is not understood"
    case .noHead: "task, CPU and time do not stand in front of it"
    case .tooLong: "the line is too long"
    case .unknownMachine: "the number of a system call, of a machine that the trace does not tell"
    }
  }
}
