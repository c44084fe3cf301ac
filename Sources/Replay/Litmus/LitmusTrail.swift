// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What a story comes to, step by step, in today's kernel and in an encoding beside it. It does not look at what the
/// story claims.
package struct LitmusTrail: Sendable {
  /// A page of a process.
  package struct Place: Hashable, Comparable, Sendable {
    package var process: String
    package var page: Int

    package init(_ process: String, _ page: Int) { (self.process, self.page) = (process, page) }

    package static func < (a: Self, b: Self) -> Bool { (a.process, a.page) < (b.process, b.page) }
  }

  /// What is there after a step.
  package struct State: Sendable {
    package var today: EntryStanding
    package var own: EntryStanding
    /// Today's entry in the notation of the stories.
    package var text: String
    /// Other processes have an entry for the folio that today's entry names, too.
    package var isSharedFolio: Bool
  }

  package struct Step: Sendable {
    package var statement: LitmusStatement
    package var operation: LitmusOperation
    /// Today's kernel returned an error.
    package var failed: Bool
    /// Every entry that holds a verdict, and which; `OK` is not among them.
    package var verdicts: [Place: Verdict] = [:]
    /// Entries whose exclusivity the step lost.
    package var lost: Set<Place> = []
    /// What the step came to beside that, in the encoding's world.
    package var labels: Set<LitmusLabel> = []
    /// Of the places that were asked for, those with an entry.
    package var states: [Place: State] = [:]
    /// The VMAs of every process there is.
    package var areas: [String: [Range<Int>]] = [:]
  }

  package private(set) var steps: [Step] = []
  /// Why it ends before the story does: the model has no such step.
  package private(set) var stop: String?

  /// `isEndOnly`: verdicts are wanted of the last step and the one before it. `states`: of what they are wanted; they
  /// take longer than the rest.
  package init(
    _ scenario: LitmusScenario, _ configuration: LitmusConfiguration, _ kernel: LitmusKernel, isEndOnly: Bool = false,
    states: ((Place) -> Bool)? = nil
  ) {
    // C-raw reads today's entries.
    let encoding = configuration.encoding == .cRaw ? nil : EncodingRegistry.encoding(configuration.encoding)
    let lane = encoding.map { trailLane($0, scenario, configuration, kernel) }
    var walk = TrailWalk(scenario, kernel, lane)
    let statements = scenario.lines.filter { statement in
      if case .step = statement.body { statement.applies(to: kernel) } else { false }
    }
    for (number, statement) in statements.enumerated() {
      guard case .step(let operation) = statement.body else { continue }
      let isJudged = !isEndOnly || number + 2 >= statements.count
      do {
        steps.append(try walk.take(operation, statement, isJudged: isJudged, states))
      } catch {
        switch error {
        case .unsupported(let what): stop = what
        case .failed: preconditionFailure("a failed step is a report")
        }
        return
      }
    }
  }
}

/// The worlds of a trail.
private struct TrailWalk {
  private var baseline: LitmusPlayer<Baseline>
  private var lane: (any TrailLane)?
  private var verdicts = LitmusVerdicts()

  init(_ scenario: LitmusScenario, _ kernel: LitmusKernel, _ lane: (any TrailLane)?) {
    baseline = LitmusPlayer(kernel: kernel, machine: scenario.machine, configuration: nil)
    self.lane = lane
  }

  mutating func take(
    _ operation: LitmusOperation, _ statement: LitmusStatement, isJudged: Bool,
    _ wanted: ((LitmusTrail.Place) -> Bool)?
  ) throws(LitmusStop) -> LitmusTrail.Step {
    let report = try baseline.perform(operation)
    baseline.settle()
    _ = baseline.takeLivelocked()
    var step = LitmusTrail.Step(statement: statement, operation: operation, failed: report.failed)
    step.labels = try lane?.take(operation, beside: report) ?? []
    guard isJudged else { return step }
    verdicts = lane?.judge(beside: baseline, after: verdicts) ?? .raw(baseline.world, after: verdicts)
    for (page, held) in verdicts.held { step.verdicts[place(page)] = held.verdict }
    step.lost = Set(verdicts.lost.map(place))
    for (process, mm) in baseline.mms where baseline.world.memory.isLive(mm) {
      step.areas[process.name] = baseline.vmas[mm]?.areas.map(\.pages) ?? []
    }
    if let wanted { step.states = states(wanted) }
    return step
  }

  private func place(_ page: LitmusPage) -> LitmusTrail.Place {
    LitmusTrail.Place(baseline.processes[page.mm]?.name ?? "?", page.page)
  }

  private mutating func states(_ wanted: (LitmusTrail.Place) -> Bool) -> [LitmusTrail.Place: LitmusTrail.State] {
    var found: [LitmusTrail.Place: (mm: MMID, page: VirtualPage)] = [:]
    for case let mm? in baseline.world.mms {
      baseline.world.memory.forEachRef(mm.id, .everything) { ref in
        guard baseline.world.tables.entry(ref).kind != .none else { return }
        let first = baseline.world.memory.owner(ref).page
        for offset in 0..<(baseline.world.memory.isHuge(ref) ? 512 : 1) {
          let page = first.advanced(by: offset)
          let place = place(LitmusPage(mm: mm.id, page: Int(page.rawValue)))
          if wanted(place) { found[place] = (mm.id, page) }
        }
      }
    }
    var states: [LitmusTrail.Place: LitmusTrail.State] = [:]
    for (place, (mm, page)) in found.sorted(by: { $0.key < $1.key }) {
      baseline.nameFolio(mm, place.page)
      let today = baseline.world.standing(mm, page)
      let raw = baseline.world.standing(mm, page) { PTEBits.rawClaim(baseline.world, $0) }
      states[place] = LitmusTrail.State(
        today: today, own: lane?.standing(mm, page) ?? raw, text: baseline.describe(mm, place.page),
        isSharedFolio: baseline.isFolioShared(mm, place.page))
    }
    return states
  }
}

/// The encoding's world of a trail.
private protocol TrailLane {
  /// Returns what a story has to say of the step, where today's kernel did what `expected` tells.
  mutating func take(
    _ operation: LitmusOperation, beside expected: LitmusStepReport
  ) throws(LitmusStop) -> Set<LitmusLabel>
  mutating func judge(beside baseline: LitmusPlayer<Baseline>, after before: LitmusVerdicts) -> LitmusVerdicts
  func standing(_ mm: MMID, _ page: VirtualPage) -> EntryStanding
}

private func trailLane<E: Encoding>(
  _ encoding: E.Type, _ scenario: LitmusScenario, _ configuration: LitmusConfiguration, _ kernel: LitmusKernel
) -> any TrailLane {
  EncodingTrail<E>(
    player: LitmusPlayer(kernel: kernel, machine: scenario.machine, configuration: configuration))
}

private struct EncodingTrail<E: Encoding>: TrailLane {
  var player: LitmusPlayer<E>

  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func take(
    _ operation: LitmusOperation, beside expected: LitmusStepReport
  ) throws(LitmusStop) -> Set<LitmusLabel> {
    let report = try player.perform(operation)
    player.settle()
    return report.labels(beside: expected)
  }

  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func judge(beside baseline: LitmusPlayer<Baseline>, after before: LitmusVerdicts) -> LitmusVerdicts {
    .of(
      player.world, against: baseline.world, after: before, livelocked: player.takeLivelocked(),
      isStored: { player.stored[$0.mm]?[$0.page] != nil })
  }

  func standing(_ mm: MMID, _ page: VirtualPage) -> EntryStanding { player.world.standing(mm, page) }
}

extension LitmusPlayer {
  /// Gives the folio mapped there the next name that none had, if it has none.
  fileprivate mutating func nameFolio(_ mm: MMID, _ page: Int) {
    guard let target = mapped(mm, page), names.name(of: target.folio) == nil else { return }
    var number = 0
    while names.byName[Self.folioName(number)] != nil || names.dead.contains(Self.folioName(number)) { number += 1 }
    _ = names.bind(Self.folioName(number), to: target.folio)
  }

  /// `F` to `O`, then `F1` and so on: `P` and those after it are taken for processes.
  private static func folioName(_ number: Int) -> String {
    let letters = Array("FGHIJKLMNO")
    return "\(letters[number % letters.count])" + (number < letters.count ? "" : "\(number / letters.count)")
  }

  fileprivate func isFolioShared(_ mm: MMID, _ page: Int) -> Bool {
    guard let target = mapped(mm, page) else { return false }
    return world.memory.mappings(of: target.folio).contains { world.memory.owner($0).mm != mm }
  }
}
