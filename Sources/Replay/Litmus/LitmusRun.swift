// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// One story, one kernel, one configuration: the baseline's world and the encoding's side by side.
struct LitmusRun<E: Encoding> {
  private let scenario: LitmusScenario
  private let configuration: LitmusConfiguration?
  private let kernel: LitmusKernel
  private var baseline: LitmusPlayer<Baseline>
  /// `nil` when only the baseline's states are looked at, or its own entries (C-raw).
  private var own: LitmusPlayer<E>?
  private var verdicts = LitmusVerdicts()
  /// The verdicts before the step.
  private var previous = LitmusVerdicts()
  private var failures: [LitmusFailure] = []
  /// The step the following claims are about.
  private var step: LitmusStatement?
  /// What the step did, beside changing entries.
  private var baselineFailed = false
  /// Pages written to swap beyond the baseline's.
  private var extraWrites: UInt64 = 0
  private var labels: Set<LitmusLabel> = []
  private var costsBefore = CostTable()
  private var baselineCostsBefore = CostTable()

  init(
    _ scenario: LitmusScenario, _ configuration: LitmusConfiguration?, _ kernel: LitmusKernel,
    _ selection: LitmusRunner.Selection
  ) {
    self.scenario = scenario
    self.configuration = configuration
    self.kernel = kernel
    baseline = LitmusPlayer(kernel: kernel, machine: scenario.machine, configuration: nil, skips: selection.skipped)
    guard var configuration, configuration.encoding != .cRaw else { return }
    configuration.without += selection.without.filter { LitmusSwitches.names(of: configuration.encoding).contains($0) }
    configuration.without.removeAll { selection.restoring.contains($0) }
    own = LitmusPlayer(
      kernel: kernel, machine: scenario.machine, configuration: configuration, skips: selection.skipped)
  }

  mutating func play() -> [LitmusFailure] {
    let lines = scenario.lines.filter { $0.applies(to: kernel) }
    var position = 0
    while position < lines.count {
      if case .step(let operation) = lines[position].body {
        step = lines[position]
        guard perform(operation) else { return failures }
        position += 1
      }
      let first = position
      while position < lines.count {
        if case .step = lines[position].body { break }
        position += 1
      }
      check(lines[first..<position])
    }
    return failures
  }

  private mutating func fail(_ subject: String, expected: String, got: String) {
    failures.append(
      LitmusFailure(
        kernel: kernel, line: step?.line ?? 0, step: step?.text ?? "", subject: subject, expected: expected, got: got))
  }

  // — the step

  /// False when the model cannot go on.
  private mutating func perform(_ operation: LitmusOperation) -> Bool {
    baselineCostsBefore = baseline.world.costs
    costsBefore = own?.world.costs ?? CostTable()
    labels = []
    extraWrites = 0
    do {
      let expected = try baseline.perform(operation)
      baselineFailed = expected.failed
      if let report = try own?.perform(operation) {
        labels = report.labels(beside: expected)
        extraWrites = report.written > expected.written ? report.written - expected.written : 0
      }
    } catch {
      switch error {
      case .unsupported(let what): fail("the step", expected: "a transition of the model", got: what)
      case .failed: fail("the step", expected: "a result", got: "none")
      }
      return false
    }
    baseline.settle()
    own?.settle()
    judge()
    return true
  }

  private mutating func judge() {
    let before = verdicts
    let livelocked = own?.takeLivelocked() ?? []
    _ = baseline.takeLivelocked()
    switch configuration?.encoding {
    case nil: return
    case .cRaw: verdicts = .raw(baseline.world, after: before)
    case .baseline:
      // Only mprotect by the wrong page lets the baseline differ from itself.
      if let own = own as? LitmusPlayer<Baseline> {
        verdicts = .writability(of: own.world, against: baseline.world)
      }
    default:
      if let own {
        verdicts = .of(
          own.world, against: baseline.world, after: before, livelocked: livelocked,
          isStored: { own.stored[$0.mm]?[$0.page] != nil })
      }
    }
    previous = before
  }
}

// — what the story claims about it

extension LitmusRun {
  private mutating func check(_ claims: ArraySlice<LitmusStatement>) {
    var expectsFailure = false
    var named: [LitmusVerdict] = []
    for statement in claims {
      switch statement.body {
      case .step: break
      case .expect(let expectation):
        if expectation.configuration == nil {
          if expectation.claims.contains(where: { if case .fails = $0 { true } else { false } }) {
            expectsFailure = true
          }
          if configuration == nil { checkBaseline(expectation) } else { own?.learnNames(expectation) }
        } else if expectation.configuration == configuration {
          checkOwn(expectation)
        }
      case .verdict(let verdict):
        if let configuration, verdict.configurations.contains(configuration) { named.append(verdict) }
      case .cost(let cost):
        checkCost(cost)
      }
    }
    if configuration == nil, step != nil, baselineFailed != expectsFailure {
      fail("the step", expected: expectsFailure ? "an error" : "success", got: baselineFailed ? "an error" : "success")
    }
    if configuration != nil { checkVerdicts(named) }
  }

  private mutating func checkBaseline(_ expectation: LitmusExpectation) {
    for claim in expectation.claims {
      if let (subject, expected, got) = baseline.mismatch(claim) { fail(subject, expected: expected, got: got) }
    }
  }

  private mutating func checkOwn(_ expectation: LitmusExpectation) {
    for claim in expectation.claims {
      let mismatch = own?.mismatch(claim) ?? (own == nil ? baseline.mismatch(claim) : nil)
      if let (subject, expected, got) = mismatch { fail(subject, expected: expected, got: got) }
    }
  }

  private mutating func checkCost(_ cost: LitmusCost) {
    let isBaseline = configuration == nil && cost.configuration == LitmusConfiguration(.baseline)
    guard isBaseline || cost.configuration == configuration else { return }
    let now = isBaseline ? baseline.world.costs : own?.world.costs ?? CostTable()
    let before = isBaseline ? baselineCostsBefore : costsBefore
    for (name, value) in cost.figures {
      guard let kind = CostKind.allCases.first(where: { $0.name == name }) else {
        fail(name, expected: "the name of a cost", got: "unknown")
        continue
      }
      let got = kind == .extraWritebackPages ? extraWrites : kind.isLevel ? now[kind] : now[kind] - before[kind]
      if got != UInt64(value) { fail(name, expected: "\(value)", got: "\(got)") }
    }
  }

  // — verdicts

  private mutating func checkVerdicts(_ statements: [LitmusVerdict]) {
    var expected: [LitmusPage: Verdict] = [:]
    var namedLabels: Set<LitmusLabel> = []
    var allAreOK = false
    for group in statements.flatMap(\.groups) {
      for outcome in group.outcomes {
        switch outcome {
        case .label(let label): namedLabels.insert(label)
        case .lost: checkLost(group.entries)
        case .verdict(let verdict):
          if group.entries.isEmpty {
            checkAllOK(verdict)
            allAreOK = true
          } else {
            for page in pages(group.entries) { expected[page] = verdict }
          }
        }
      }
    }
    compare(expected)
    if !allAreOK { checkRepairs(expected) }
    checkLabels(namedLabels)
  }

  private func pages(_ ranges: [LitmusEntryRange]) -> [LitmusPage] {
    ranges.flatMap { range in
      guard let mm = (own?.mms ?? baseline.mms)[range.process] else { return [LitmusPage]() }
      return range.pages.map { LitmusPage(mm: mm, page: $0) }
    }
  }

  private mutating func checkAllOK(_ verdict: Verdict) {
    guard verdict == .ok else {
      fail("the step", expected: "entries that are \(verdict.rawValue)", got: "no entry named")
      return
    }
    for (page, held) in sorted(verdicts.held) where step != nil {
      fail(name(page), expected: "OK", got: held.verdict.rawValue)
    }
  }

  /// Every verdict an entry came to hold at this step is named, and everything named came to be held at this step.
  private mutating func compare(_ expected: [LitmusPage: Verdict]) {
    var mismatches: [(LitmusPage, String, String)] = []
    for (page, verdict) in expected {
      let got = verdicts[page]
      if got != verdict {
        mismatches.append((page, verdict.rawValue, describe(got, page)))
      } else if verdict != .ok, previous[page] == verdict {
        mismatches.append((page, "\(verdict.rawValue) for the first time", "\(verdict.rawValue) since an earlier step"))
      }
    }
    for (page, now) in verdicts.held where previous[page] != now.verdict && expected[page] == nil {
      mismatches.append((page, "OK, or to be named", describe(now.verdict, page)))
    }
    for (subject, want, got) in grouped(mismatches) { fail(subject, expected: want, got: got) }
  }

  /// A verdict that an entry no longer holds is named as `OK`.
  private mutating func checkRepairs(_ expected: [LitmusPage: Verdict]) {
    var mismatches: [(LitmusPage, String, String)] = []
    for (page, before) in previous.held where verdicts.held[page] == nil && expected[page] == nil && isThere(page) {
      mismatches.append((page, "\(before.verdict.rawValue) still, or OK to be named", describe(.ok, page)))
    }
    for (subject, want, got) in grouped(mismatches) { fail(subject, expected: want, got: got) }
  }

  /// What is gone needs no verdict any more.
  private func isThere(_ page: LitmusPage) -> Bool {
    let entry = (own?.entry(page.mm, page.page) ?? baseline.entry(page.mm, page.page))
    return entry.kind.refersToFolio || entry.kind == .swap
  }

  private mutating func checkLost(_ ranges: [LitmusEntryRange]) {
    let missing = pages(ranges).filter { !verdicts.lost.contains($0) }
    for (subject, want, got) in grouped(missing.map { ($0, "LOST at this step", "no loss") }) {
      fail(subject, expected: want, got: got)
    }
  }

  private mutating func checkLabels(_ named: Set<LitmusLabel>) {
    for label in LitmusLabel.allCases where named.contains(label) != labels.contains(label) {
      fail(
        "the step", expected: named.contains(label) ? label.rawValue : "no \(label.rawValue)",
        got: labels.isEmpty ? "no label" : labels.map(\.rawValue).sorted().joined(separator: " "))
    }
  }

  // — words

  private func name(_ page: LitmusPage) -> String {
    "\(((own?.processes ?? baseline.processes)[page.mm])?.name ?? "?")\(page.page)"
  }

  private func describe(_ verdict: Verdict, _ page: LitmusPage) -> String {
    let state = own?.describe(page.mm, page.page) ?? baseline.describe(page.mm, page.page)
    return "\(verdict.rawValue) (\(state); baseline \(baseline.describe(page.mm, page.page)))"
  }

  private func sorted(_ held: [LitmusPage: LitmusVerdicts.Held]) -> [(LitmusPage, LitmusVerdicts.Held)] {
    held.sorted { ($0.key.mm, $0.key.page) < ($1.key.mm, $1.key.page) }.map { ($0.key, $0.value) }
  }

  /// Runs of pages that differ in the same way become one line.
  private func grouped(_ mismatches: [(LitmusPage, String, String)]) -> [(String, String, String)] {
    var lines: [(first: LitmusPage, last: LitmusPage, want: String, got: String)] = []
    for (page, want, got) in mismatches.sorted(by: { ($0.0.mm, $0.0.page) < ($1.0.mm, $1.0.page) }) {
      if let line = lines.last, line.last.mm == page.mm, line.last.page + 1 == page.page, line.want == want,
        verdictWord(line.got) == verdictWord(got)
      {
        lines[lines.count - 1].last = page
      } else {
        lines.append((page, page, want, got))
      }
    }
    return lines.map { line in
      (line.first == line.last ? name(line.first) : "\(name(line.first))..\(line.last.page)", line.want, line.got)
    }
  }

  private func verdictWord(_ text: String) -> Substring { text.prefix { $0 != " " } }
}

extension CostKind {
  /// A level to be read as it is; the others are counters, read as what a step added.
  var isLevel: Bool { self == .bitmapBytesNow || self == .bitmapBytesPeak }
}
