// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Everything a replay found: the one source of every report format.
package struct ReplayResult: Sendable {
  package var capture: CaptureSummary
  package var encodings: [EncodingResult]
  /// One per signature, the worst first.
  package var divergences: [Divergence]
  package var audits: [AuditResult]
  package var loss: LossSummary
  package var verification: Verification
  /// Normalized events replayed.
  package var events: UInt64
  /// Forks that ended, and page faults; `nil` where the capture shows none, or an older version counted none.
  package var forks: UInt64?
  package var faults: UInt64?
  /// What of the capture was not read, not followed or not explained.
  package var gaps: GapCounts
  /// The encodings that the user named; empty when none was.
  package var named: [EncodingID] = []
  /// How much of what was checked may be unknown in a result that is to be relied on.
  package var maxUnknownPercent: UInt8 = 5
  /// From the first event to the trust horizon: what happened after unrepaired loss is not trusted.
  package var trustedNanoseconds: UInt64
  /// `nil` where there was no event, or the result is one of before.
  package var timeline: Timeline?
  /// Those that copied most first.
  package var processes: [ProcessAccount] = []

  package init(
    capture: CaptureSummary, encodings: [EncodingResult], divergences: [Divergence], audits: [AuditResult],
    loss: LossSummary, verification: Verification, events: UInt64, gaps: GapCounts, trustedNanoseconds: UInt64
  ) {
    self.capture = capture
    self.encodings = encodings
    self.divergences = divergences
    self.audits = audits
    self.loss = loss
    self.verification = verification
    self.events = events
    self.gaps = gaps
    self.trustedNanoseconds = trustedNanoseconds
  }
}

package struct NamedCount: Sendable, Equatable {
  package var name: String
  package var count: UInt64

  package init(name: String, count: UInt64) {
    self.name = name
    self.count = count
  }
}

/// What was replayed.
package struct CaptureSummary: Sendable {
  /// The path the user gave.
  package var name: String
  /// `uname -r`, or "unknown".
  package var kernel: String
  package var command: [String]
  /// Raw records read.
  package var records: UInt64
  package var spanNanoseconds: UInt64
  package var addressSpaces: UInt64
  /// Bits of an address below the page number, to print pages as addresses.
  package var pageShift: UInt8
  /// What its records can show, and what its recorder would have recorded had it happened.
  package var capabilities = Capabilities.all
  /// What happened in it, of what makes other things observable or not.
  package var occurrences: Set<Occurrence> = []
  /// The recording did not end by itself: it goes on, or was killed.
  package var isIncomplete = false

  package init(
    name: String, kernel: String, command: [String], records: UInt64, spanNanoseconds: UInt64, addressSpaces: UInt64,
    pageShift: UInt8 = 12
  ) {
    self.name = name
    self.kernel = kernel
    self.command = command
    self.records = records
    self.spanNanoseconds = spanNanoseconds
    self.addressSpaces = addressSpaces
    self.pageShift = pageShift
  }
}

/// One encoding's account of the whole capture.
package struct EncodingResult: Sendable {
  package var id: EncodingID
  /// Entries judged.
  package var checks: UInt64
  /// How often an entry came to hold each verdict; `ok` is not listed.
  package var verdicts: [Verdict: CertaintyCounts]
  /// In the order in which reports print them; the unit is part of the name (`bitmap_bytes_peak`).
  package var costs: [NamedCount]
  /// The rules that were asked of the whole state, at snapshots and at the end.
  package var states: [StateRuleCount]

  package init(
    id: EncodingID, checks: UInt64, verdicts: [Verdict: CertaintyCounts], costs: [NamedCount],
    states: [StateRuleCount] = []
  ) {
    self.states = states
    self.id = id
    self.checks = checks
    self.verdicts = verdicts
    self.costs = costs
  }
}

/// All occurrences with one signature: (encoding, verdict, certainty, rule, transition, order).
package struct Divergence: Sendable {
  package var encoding: EncodingID
  package var verdict: Verdict
  package var certainty: Certainty
  /// The rule that was broken (`I1`, `A1`, `C1`, ...).
  package var rule: RuleID
  /// The kernel path at which the entry came to hold the verdict (`fork`, `wp-fault`, ...).
  package var transition: Transition
  package var order: FolioOrder
  package var count: UInt64
  package var firstSequence: Sequence
  package var firstTime: Timestamp
  /// The first entry it was seen at.
  package var mm: MMID
  package var page: VirtualPage
  /// The frame the entry held then; `nil` when the trace does not tell.
  package var frame: PFN?
  /// What happened to the page until then, oldest first.
  package var history: [HistoryEntry]

  package init(
    encoding: EncodingID, verdict: Verdict, certainty: Certainty, rule: RuleID, transition: Transition,
    order: FolioOrder, count: UInt64, firstSequence: Sequence, firstTime: Timestamp, mm: MMID, page: VirtualPage,
    frame: PFN? = nil, history: [HistoryEntry]
  ) {
    self.encoding = encoding
    self.verdict = verdict
    self.certainty = certainty
    self.rule = rule
    self.transition = transition
    self.order = order
    self.count = count
    self.firstSequence = firstSequence
    self.firstTime = firstTime
    self.mm = mm
    self.page = page
    self.frame = frame
    self.history = history
  }
}

/// One line of a page's history.
package struct HistoryEntry: Sendable, Equatable {
  package var sequence: Sequence
  package var time: Timestamp
  package var task: TaskID
  /// Whose entry it tells of, where that is not the page's own: an ancestor's.
  package var mm: MMID?
  /// What today's kernel had for the page afterwards: `r D PAE-`.
  package var today: String
  /// What the encoding had: `r D +`. `nil` where today's kernel alone is in question.
  package var encoding: String?
  /// What happened: `fork_copied child=mm3 ...`.
  package var text: String
  /// The divergence was found at this event.
  package var isDeciding: Bool

  package init(
    sequence: Sequence, time: Timestamp, task: TaskID, mm: MMID? = nil, today: String, encoding: String? = nil,
    text: String, isDeciding: Bool = false
  ) {
    self.sequence = sequence
    self.time = time
    self.task = task
    self.mm = mm
    self.today = today
    self.encoding = encoding
    self.text = text
    self.isDeciding = isDeciding
  }
}

/// What the ring buffer dropped, and what that did to knowledge.
package struct LossSummary: Sendable {
  /// Records lost per CPU; `nil` where the kernel gave no count.
  package var perCPU: [(cpu: CPU, count: UInt64?)]
  /// Address spaces that were unknown at the end because of loss.
  package var unknownAddressSpaces: UInt64

  package init(perCPU: [(cpu: CPU, count: UInt64?)], unknownAddressSpaces: UInt64) {
    self.perCPU = perCPU
    self.unknownAddressSpaces = unknownAddressSpaces
  }
}

/// The model against the kernel's own evidence.
package struct Verification: Sendable {
  /// Write-protection faults: copy or reuse.
  package var decisions: Tally
  /// `set_migration_pte` types.
  package var entries: Tally
  /// `/proc/kpageflags` and pagemap.
  package var pages: Tally
  /// `VmPTE` of `/proc/PID/status`: bytes of an mm's page tables.
  package var tables: Tally
  /// What scans for huge pages counted.
  package var scans: Tally
  /// Why something stayed unknown, by name.
  package var unknownCauses: [NamedCount]
  /// Pages of snapshots that are no evidence, by cause; not among those checked.
  package var notComparedCauses: [NamedCount] = []
  /// Disagreements by cause.
  package var disagreementCauses: [NamedCount]
  /// How much of it could be known, over the time of the capture.
  package var coverage: [CoverageSlice] = []
  package var firstDisagreement: Finding?
  /// The first few of every cause, disagreements before unknowns: what `verify --explain` walks through.
  package var findings: [Finding] = []

  package init() {
    decisions = Tally()
    entries = Tally()
    pages = Tally()
    tables = Tally()
    scans = Tally()
    unknownCauses = []
    disagreementCauses = []
  }
}

package struct Tally: Sendable, Equatable {
  package var agree: UInt64 = 0
  package var disagree: UInt64 = 0
  package var unknown: UInt64 = 0

  package init() {}

  /// Everything the kernel showed, whether or not the model had an opinion.
  package var checked: UInt64 { agree + disagree + unknown }
}

/// One point where model and kernel differ, or where the model could not tell.
package struct Finding: Sendable {
  package enum Evidence: String, Sendable { case decision, entry, page, table, scan }

  package var evidence: Evidence
  /// The name of the `DisagreementCause` or `UnknownCause`.
  package var cause: String
  package var sequence: Sequence
  package var time: Timestamp
  package var mm: MMID
  package var page: VirtualPage
  package var expected: String
  package var observed: String
  package var history: [HistoryEntry]

  package init(
    evidence: Evidence, cause: String, sequence: Sequence, time: Timestamp, mm: MMID, page: VirtualPage,
    expected: String, observed: String, history: [HistoryEntry] = []
  ) {
    self.evidence = evidence
    self.cause = cause
    self.sequence = sequence
    self.time = time
    self.mm = mm
    self.page = page
    self.expected = expected
    self.observed = observed
    self.history = history
  }
}
