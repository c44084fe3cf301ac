// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Plays random stories against the baseline and every encoding that is sound when done fully, and asks after each
/// step: does every rule hold, is no verdict severe, and does the model's truth agree with counting by brute force?
package struct RandomStoryCheck: Sendable {
  package struct Finding: Sendable {
    package var seed: UInt64
    package var what: String
    /// The shortest story found that still shows something.
    package var lines: [String]
  }

  /// Steps that today's kernel did.
  package private(set) var played = 0
  /// Steps that the state did not allow, or that found nothing to do.
  package private(set) var refused = 0
  /// `nil`: nothing to complain about.
  package private(set) var finding: Finding?

  /// What is wrong with a story.
  private enum Complaint {
    /// It cannot be played at all: a fault of its author, or of the language.
    case notPlayable(String)
    case broken(String)

    var what: String {
      switch self {
      case .notPlayable(let why): "the story cannot be played: \(why)"
      case .broken(let what): what
      }
    }
  }

  package init(seed: UInt64, steps: Int, without: [String] = []) {
    let story = RandomStory(seed: seed, steps: steps)
    switch complaint(story.lines, without) {
    case nil: break
    case .notPlayable(let why)?:
      finding = Finding(seed: seed, what: Complaint.notPlayable(why).what, lines: story.lines)
    case .broken(let what)?:
      let shortest = Self.shrink(story.lines, without)
      var again = self
      finding = Finding(seed: seed, what: again.complaint(shortest, without)?.what ?? what, lines: shortest)
    }
  }

  /// Leaves out runs of steps, then single ones, as long as what is left can be played and something is broken.
  private static func shrink(_ lines: [String], _ without: [String]) -> [String] {
    var lines = lines
    var size = lines.count / 2
    while size > 0 {
      var start = RandomStory.setUp.count
      while start < lines.count {
        var fewer = lines
        fewer.removeSubrange(start..<min(start + size, lines.count))
        if isBroken(fewer, without) { lines = fewer } else { start += size }
      }
      size /= 2
    }
    return lines
  }

  private static func isBroken(_ lines: [String], _ without: [String]) -> Bool {
    var check = RandomStoryCheck()
    switch check.complaint(lines, without) {
    case .broken?: return true
    case .notPlayable?, nil: return false
    }
  }

  private init() {}

  private mutating func complaint(_ lines: [String], _ without: [String]) -> Complaint? {
    let scenarios: [LitmusScenario]
    do {
      scenarios = try LitmusParser.parse(RandomStory.file(lines, seed: 0), file: "random")
    } catch {
      return .notPlayable(error.description)
    }
    let statements = scenarios.flatMap(\.lines)
    let steps = statements.compactMap { statement -> (operation: LitmusOperation, text: String)? in
      if case .step(let operation) = statement.body { (operation, statement.text) } else { nil }
    }
    guard steps.count == lines.count else { return .notPlayable("\(lines.count - steps.count) lines are no steps") }
    return play(steps, without)
  }

  private mutating func play(_ steps: [(operation: LitmusOperation, text: String)], _ without: [String]) -> Complaint? {
    var baseline = LitmusPlayer<Baseline>(kernel: .v7_3, machine: LitmusMachine(), configuration: nil)
    var lanes = EncodingRegistry.sound.map { randomStoryLane($0, without) }
    for (number, (operation, text)) in steps.enumerated() {
      do {
        let report = try baseline.perform(operation)
        if number >= RandomStory.setUp.count {
          if report.failed || report.isIdle { refused += 1 } else { played += 1 }
        }
      } catch {
        switch error {
        case .unsupported: refused += 1
        case .failed: preconditionFailure("a failed step is a report")
        }
      }
      baseline.settle()
      _ = baseline.takeLivelocked()
      for index in lanes.indices {
        if let complaint = lanes[index].play(operation, beside: baseline) {
          return .broken("\(complaint) after '\(text)'")
        }
      }
      if let broken = baseline.world.brokenRule { return .broken("\(broken) after '\(text)'") }
    }
    return nil
  }
}

/// One encoding's world in a random story.
private protocol RandomStoryLane {
  /// The step that `baseline` has just done; what is wrong then.
  mutating func play(_ operation: LitmusOperation, beside baseline: LitmusPlayer<Baseline>) -> String?
}

private func randomStoryLane<E: Encoding>(_ encoding: E.Type, _ without: [String]) -> any RandomStoryLane {
  EncodingLane<E>(without)
}

private struct EncodingLane<E: Encoding>: RandomStoryLane {
  private var own: LitmusPlayer<E>
  private var verdicts = LitmusVerdicts()

  init(_ without: [String]) {
    let forgotten = without.filter { LitmusSwitches.names(of: E.id).contains($0) }
    own = LitmusPlayer<E>(
      kernel: .v7_3, machine: LitmusMachine(), configuration: LitmusConfiguration(E.id, without: forgotten))
  }

  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func play(_ operation: LitmusOperation, beside baseline: LitmusPlayer<Baseline>) -> String? {
    // A step that the state does not allow may have been done in part, in both worlds.
    _ = try? own.perform(operation)
    own.settle()
    let livelocked = own.takeLivelocked()
    verdicts = .of(
      own.world, against: baseline.world, after: verdicts, livelocked: livelocked,
      isStored: { own.stored[$0.mm]?[$0.page] != nil })
    for (place, held) in verdicts.held where held.verdict.isSevere {
      return "\(E.id.rawValue): \(held.verdict.rawValue) at \(own.processes[place.mm]?.name ?? "?")\(place.page)"
    }
    return own.world.brokenRule
  }
}

extension Verdict {
  /// What no encoding that promises to be sound may come to.
  fileprivate var isSevere: Bool {
    switch self {
    case .unsafe, .unsafeIO, .dataLoss, .conservativePin, .livelock, .invariantBreak: true
    case .conservativeCopy, .conservativeFault, .lost, .better, .ok: false
    }
  }
}

extension World {
  fileprivate var brokenRule: String? {
    for rule in RuleCatalogue.all where rule.visibility == .state {
      if let violation = rule.violations(in: self).first {
        return "\(E.id.rawValue) breaks \(rule.id.rawValue): \(violation.what) at page \(violation.page.rawValue)"
      }
    }
    return disagreesWithCounting
  }
}

extension World {
  /// t by brute force: who, over all entries of all mms, names the same page or its swap slot. `nil`: the model's
  /// counts say the same, and nobody claims a page that others can observe.
  fileprivate var disagreesWithCounting: String? {
    var observers: [ObservedPage: Int] = [:]
    var seen: [(ref: EntryRef, pages: [ObservedPage])] = []
    for case let mm? in mms {
      memory.forEachRef(mm.id, .everything) { ref in
        let pages = observed(ref)
        for page in pages { observers[page, default: 0] += 1 }
        if !pages.isEmpty { seen.append((ref, pages)) }
      }
    }
    for (ref, pages) in seen {
      let entry = tables.entry(ref)
      if entry.kind != .swap, folios.flags(entry.folio).contains(.ksm) { continue }
      let isAlone = pages.allSatisfy { observers[$0] == 1 }
      if (memory.isTrulyExclusive(ref) == .exclusive) != isAlone {
        return
          "\(E.id.rawValue): the counts say \(isAlone ? "shared" : "exclusive") of page \(memory.owner(ref).page.rawValue)"
      }
      if E.claim(self, ref, entry) == .exclusive, !isAlone {
        return "\(E.id.rawValue) claims page \(memory.owner(ref).page.rawValue), which others can observe"
      }
    }
    return nil
  }

  private func observed(_ ref: EntryRef) -> [ObservedPage] {
    let entry = tables.entry(ref)
    if entry.kind == .swap {
      let slot = slots[entry.swapSlot]
      return [
        slot.folio.map { ObservedPage(target: .folio($0), page: Int(slot.page)) }
          ?? ObservedPage(target: .swapSlot(entry.swapSlot), page: 0)
      ]
    }
    guard entry.kind.refersToFolio else { return [] }
    let count = memory.isHuge(ref) ? folios.order(entry.folio).pageCount : 1
    return (0..<count).map { ObservedPage(target: .folio(entry.folio), page: entry.page + $0) }
  }
}

/// A page of a folio, or a swap slot nobody has read in.
private struct ObservedPage: Hashable {
  var target: EntryTarget
  var page: Int
}
