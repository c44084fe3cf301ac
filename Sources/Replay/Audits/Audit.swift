// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// A question about today's kernel that a capture answers while it is replayed.
///
/// An audit sees the steps it is interested in, before and after today's world takes them, and counts; it changes
/// nothing and owns all its state. What the doubts name is not known, whatever the world has there.
package protocol Audit: Sendable {
  static var description: AuditDescription { get }
  /// Everything else passes it by. May change with an event that it saw, and after a step that is a turning point.
  var interests: AuditInterests { get }
  static var turningPoints: AuditInterests { get }

  init(_ facts: KernelFacts)

  /// `step` is about to be taken.
  mutating func before(
    _ step: Operation, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord)
  mutating func after(
    _ step: Operation, _ outcome: Outcome, _ world: borrowing World<Baseline>, _ record: MMEventRecord)
  /// An event of one of the kinds that `interests` has, before anything follows from it.
  mutating func saw(_ record: MMEventRecord, _ world: borrowing World<Baseline>)
  /// Page tables came, went, lost their last entry or got their first in all that followed from an event; one may be
  /// named twice. Only where `interests` has `.tables`.
  mutating func tablesChanged(
    _ changed: ContiguousArray<TableID>, _ world: borrowing World<Baseline>, _ record: MMEventRecord)

  /// By the names in `description`; what is left out is 0. `pageShift`: log2 of the page size.
  func figures(pageShift: UInt8) -> [String: UInt64]
  /// The first, or the greatest, few.
  func examples(pageShift: UInt8) -> [AuditExample]
}

extension Audit {
  package static var turningPoints: AuditInterests { [] }
  package mutating func before(
    _ step: Operation, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord
  ) {}
  package mutating func after(
    _ step: Operation, _ outcome: Outcome, _ world: borrowing World<Baseline>, _ record: MMEventRecord
  ) {}
  package mutating func saw(_ record: MMEventRecord, _ world: borrowing World<Baseline>) {}
  package mutating func tablesChanged(
    _ changed: ContiguousArray<TableID>, _ world: borrowing World<Baseline>, _ record: MMEventRecord
  ) {}
  package func examples(pageShift: UInt8) -> [AuditExample] { [] }
}

/// What `list audits` and `explain` say of one, and the order and the words of its figures.
package struct AuditDescription: Sendable {
  package struct Figure: Sendable {
    /// As JSON has it.
    package var name: String
    /// As the report has it, after the number: `pages copied by the child`.
    package var words: String
    package var meaning: String
    /// What a capture has to show, or the figure is not observable there.
    package var needs: [Capability]
    /// Anything but 0 is a fault of today's kernel.
    package var isDefect: Bool

    package init(
      _ name: String, _ words: String, _ meaning: String, needs: [Capability], isDefect: Bool = false
    ) {
      (self.name, self.words, self.meaning, self.needs) = (name, words, meaning, needs)
      self.isDefect = isDefect
    }
  }

  package var name: String
  package var question: String
  /// Method, source, and how the kernel referees it.
  package var text: String
  package var figures: [Figure]

  package init(_ name: String, question: String, text: String, figures: [Figure]) {
    (self.name, self.question, self.text, self.figures) = (name, question, text, figures)
  }
}

/// The kernel paths whose steps an audit sees, and the kinds of events.
package struct AuditInterests: OptionSet, Sendable {
  package let rawValue: UInt64

  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package init(_ transition: Transition) { rawValue = 1 &<< UInt64(transition.position) }

  package init(_ transitions: [Transition]) { self = transitions.reduce(into: []) { $0.formUnion(Self($1)) } }

  /// Collapses that begin or fail.
  package static var collapseEvents: AuditInterests { AuditInterests(rawValue: 1 << 63) }
  /// What fork counts, and what it copies at once.
  package static var forkEvents: AuditInterests { AuditInterests(rawValue: 1 << 62) }
  /// Direct I/O that begins, and writes into another task's memory.
  package static var gupEvents: AuditInterests { AuditInterests(rawValue: 1 << 61) }

  /// Pages that reclaim unmapped, by the counters of their mm.
  package static var reclaimEvents: AuditInterests { AuditInterests(rawValue: 1 << 59) }
  /// Migration entries that are set, or removed.
  package static var migrationEvents: AuditInterests { AuditInterests(rawValue: 1 << 58) }

  /// Page tables.
  package static var tables: AuditInterests { AuditInterests(rawValue: 1 << 60) }

  /// None where no audit can be interested.
  @inline(__always)
  init(_ event: MMEvent) {
    switch event {
    case .collapseBegan, .collapseFailed: self = .collapseEvents
    case .forkCounted, .forkCopiedPinned: self = .forkEvents
    case .directIOBegan: self = .gupEvents
    case .reclaimed, .swappedOut: self = .reclaimEvents
    case .migrationSet, .migrationRemoved: self = .migrationEvents
    default: self = event.isRemoteFault ? .gupEvents : []
    }
  }
}
