// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Why the model could not say what the kernel must have done, although the kernel showed it.
package enum UnknownCause: String, Sendable, CaseIterable {
  case entryNotSeen = "entry never seen (attached, or after loss)"
  case sharersNotSeen = "sharers never seen"
  case sharerDying = "the other mapper is being torn down"
  case removalRunning = "another task is removing a mapping"
  case hiddenReference = "sole mapper, exclusive flag clear, yet copied: a reference the trace does not show"
  case raced = "raced with another thread, or refused in atomic context"
  case touchedDuringSnapshot = "changed while the snapshot was taken"
  case headOnly = "kpageflags shows the head page's bit only"
  case notFollowed = "in a state the model does not follow"
}

/// What a disagreement is about.
package enum DisagreementCause: String, Sendable, CaseIterable {
  case copiedExclusive = "copied, although the model holds the page exclusive"
  case reusedShared = "reused, although the model sees other mappers"
  case fileOverAnonymous = "a file page was copied where the model has an anonymous page"
  case migrationType = "set_migration_pte type differs from the model"
  case pageMissing = "the kernel maps an anonymous page that the model does not have"
  case pageExtra = "the model has an anonymous page that the kernel does not map"
  case frameDiffers = "another frame is mapped"
  case exclusiveDiffers = "the exclusive flag differs"
}

/// The tally of the model against the kernel's evidence.
package struct Verifier: Sendable {
  package private(set) var decisions = Tally()
  package private(set) var entries = Tally()
  package private(set) var pages = Tally()
  private var unknown: [UnknownCause: UInt64] = [:]
  private var disagreements: [DisagreementCause: UInt64] = [:]
  package private(set) var first: Finding?

  /// A disagreement without the words for it yet.
  package struct Finding: Sendable {
    package var evidence: Disagreement.Evidence
    package var cause: DisagreementCause
    package var sequence: Sequence
    package var time: Timestamp
    package var mm: MMID
    package var page: VirtualPage
    package var expected: String
    package var observed: String
  }

  private static func path(_ evidence: Disagreement.Evidence) -> WritableKeyPath<Verifier, Tally> {
    switch evidence {
    case .decision: \.decisions
    case .entry: \.entries
    case .page: \.pages
    }
  }

  mutating func agree(_ evidence: Disagreement.Evidence) { self[keyPath: Self.path(evidence)].agree += 1 }

  mutating func unknown(_ evidence: Disagreement.Evidence, _ cause: UnknownCause) {
    self[keyPath: Self.path(evidence)].unknown += 1
    unknown[cause, default: 0] += 1
  }

  mutating func disagree(_ finding: @autoclosure () -> Finding) {
    let finding = finding()
    self[keyPath: Self.path(finding.evidence)].disagree += 1
    disagreements[finding.cause, default: 0] += 1
    if first == nil { first = finding }
  }

  /// The account; the first disagreement with the page's history where there is one.
  func account(history: [HistoryEntry]) -> Verification {
    var result = Verification()
    result.decisions = decisions
    result.entries = entries
    result.pages = pages
    result.unknownCauses = UnknownCause.allCases.compactMap { cause in
      unknown[cause].map { NamedCount(name: cause.rawValue, count: $0) }
    }
    result.disagreementCauses = DisagreementCause.allCases.compactMap { cause in
      disagreements[cause].map { NamedCount(name: cause.rawValue, count: $0) }
    }
    result.firstDisagreement = first.map {
      Disagreement(
        evidence: $0.evidence, sequence: $0.sequence, time: $0.time, mm: $0.mm, page: $0.page, expected: $0.expected,
        observed: $0.observed, history: history)
    }
    return result
  }
}
