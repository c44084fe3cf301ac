// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Why the model could not say what the kernel must have done, although the kernel showed it.
package enum UnknownCause: String, Sendable, CaseIterable {
  case entryNotSeen = "entry never seen (attached, or after loss)"
  case placeNotSeen = "came or moved at an address the trace does not tell"
  case userfaultfd = "a userfaultfd may have taken the fault"
  case hugetlb = "of hugetlb with a userfaultfd, in pages that no PMD maps, or from outside: not followed"
  case hugetlbTables = "the mm has memory of hugetlb, whose page tables are not followed"
  case hugetlbContent = "a read of a hugetlb file mapped its page or, where it has none, an anonymous one"
  case hugetlbKept = "a huge page kept beside other mappers: taken from them (no page left), or pinned at fork"
  case hugetlbPinned = "a read or write with O_DIRECT, or io_uring, may have brought the huge page in, or copied it"
  case keptForPin = "a read or write with O_DIRECT may have made the page exclusive where it is"
  case flushesNotSeen = "on hugetlb a copy shows by its flush alone, and the trace has none"
  case sharersNotSeen = "sharers never seen"
  case sharerDying = "the other mapper is being torn down"
  case removalRunning = "another task is removing a mapping"
  case hiddenReference = "sole mapper, exclusive flag clear, yet copied: a reference the trace does not show"
  case keptOrCopied = "kept, and GUP in a call right after the fault copied another page, or copied"
  case faultsNotSeen = "the trace has no page faults"
  case forkCopiedPinned = "a page of the VMA was pinned and copied at fork: which one the trace does not tell"
  case remoteAccess = "another process wrote to this memory at an address the trace does not tell"
  case remoteRead = "another process read this memory (process_vm_readv): the page may have become exclusive for that"
  case excludedByKernel = "the kernel was the only user of a page that the model had mapped here, too"
  case frameFreed = "the frame was freed while the model mapped it here"
  case loss = "records were lost before"
  case refuted = "the kernel showed another flag before"
  case swapNotSeen = "pages of the mm went to swap: which ones the trace does not tell"
  case tablesRefuted = "the page tables were not what the model has before"
  case tablesUnderWay = "a fault or a call was under way that makes page tables, or takes them away, before it tells"
  case raced = "raced with another thread, or refused in atomic context"
}

/// Why a page of a snapshot is no evidence.
package enum NotComparedCause: String, Sendable, CaseIterable {
  case touchedDuringSnapshot = "changed while the snapshot was taken"
  case swappedOut = "swapped out, which the trace does not tell of a page whose frame it did not: no flag is shown"
  case hugetlb = "of hugetlb in pages that no PMD maps, which the model does not follow"
  case scanWithoutPage = "a scan for a huge page that came to no page: where it was is not told"
  case headOnly = "kpageflags shows the head page's flag only; the frame agrees"
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
  case scanDiffers = "a scan for a huge page counted other entries than the model has"
  case pageTablesDiffer = "more or fewer bytes of page tables"
}

/// The tally of the model against the kernel's evidence.
package struct Verifier: Sendable {
  package private(set) var decisions = Tally()
  package private(set) var entries = Tally()
  package private(set) var pages = Tally()
  package private(set) var tables = Tally()
  package private(set) var scans = Tally()
  private var unknowns: [UnknownCause: UInt64] = [:]
  private var disagreements: [DisagreementCause: UInt64] = [:]
  private var notCompared: [NotComparedCause: UInt64] = [:]
  private var coverage = Coverage()
  /// The time of what is being looked at, and how many events there were up to it.
  var now = Timestamp(nanoseconds: 0)
  var events: UInt64 = 0
  package private(set) var first: Finding?
  /// How many events there had been when the first disagreement, and the last finding that is kept, was found.
  private(set) var eventsToFirst: UInt64 = 0
  private(set) var eventsToLast: UInt64 = 0
  /// Without page faults what the model holds is no prediction: neither agreement nor disagreement proves anything.
  private let seesFaults: Bool
  private var unknownFindings: [UnknownCause: [Finding]] = [:]
  private var disagreeingFindings: [DisagreementCause: [Finding]] = [:]

  /// How many findings of each cause are kept with their place.
  private static let kept = 4

  init(seesFaults: Bool = true) { self.seesFaults = seesFaults }

  private enum Verdict { case agree, disagree, unknown }

  private mutating func count(_ verdict: Verdict, _ evidence: Finding.Evidence) {
    let tally: WritableKeyPath<Verifier, Tally> =
      switch evidence {
      case .decision: \.decisions
      case .entry: \.entries
      case .page: \.pages
      case .table: \.tables
      case .scan: \.scans
      }
    switch verdict {
    case .agree: self[keyPath: tally].agree += 1
    case .disagree: self[keyPath: tally].disagree += 1
    case .unknown: self[keyPath: tally].unknown += 1
    }
    coverage.note(isKnown: verdict != .unknown, at: now)
  }

  mutating func agree(_ evidence: Finding.Evidence) {
    guard seesFaults else { return proveNothing(evidence) }
    count(.agree, evidence)
  }

  private mutating func proveNothing(_ evidence: Finding.Evidence) {
    count(.unknown, evidence)
    unknowns[.faultsNotSeen, default: 0] += 1
  }

  mutating func unknown(_ evidence: Finding.Evidence, _ cause: UnknownCause, _ finding: (String) -> Finding) {
    count(.unknown, evidence)
    unknowns[cause, default: 0] += 1
    if unknownFindings[cause]?.count ?? 0 < Self.kept {
      unknownFindings[cause, default: []].append(finding(cause.rawValue))
      eventsToLast = events
    }
  }

  mutating func disagree(_ evidence: Finding.Evidence, _ cause: DisagreementCause, _ finding: (String) -> Finding) {
    guard seesFaults else { return proveNothing(evidence) }
    count(.disagree, evidence)
    disagreements[cause, default: 0] += 1
    guard first == nil || disagreeingFindings[cause]?.count ?? 0 < Self.kept else { return }
    let finding = finding(cause.rawValue)
    eventsToLast = events
    if first == nil { (first, eventsToFirst) = (finding, events) }
    if disagreeingFindings[cause]?.count ?? 0 < Self.kept { disagreeingFindings[cause, default: []].append(finding) }
  }

  mutating func notCompared(_ cause: NotComparedCause, count: UInt64 = 1) { notCompared[cause, default: 0] += count }

  /// The first few of every cause, disagreements first, each in the order of the trace.
  var findings: [Finding] {
    DisagreementCause.allCases.flatMap { disagreeingFindings[$0] ?? [] }
      + UnknownCause.allCases.flatMap { unknownFindings[$0] ?? [] }
  }

  /// The account; histories are empty.
  var account: Verification {
    var result = Verification()
    result.decisions = decisions
    result.entries = entries
    result.pages = pages
    result.tables = tables
    result.scans = scans
    result.unknownCauses = UnknownCause.allCases.compactMap { cause in
      unknowns[cause].map { NamedCount(name: cause.rawValue, count: $0) }
    }
    result.notComparedCauses = NotComparedCause.allCases.compactMap { cause in
      notCompared[cause].map { NamedCount(name: cause.rawValue, count: $0) }
    }
    result.disagreementCauses = DisagreementCause.allCases.compactMap { cause in
      disagreements[cause].map { NamedCount(name: cause.rawValue, count: $0) }
    }
    result.coverage = coverage.result
    result.firstDisagreement = first
    result.findings = findings
    return result
  }
}
