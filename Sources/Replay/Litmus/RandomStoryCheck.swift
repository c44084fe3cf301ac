// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Plays random stories against the baseline and every encoding that is sound when done fully, and asks after each
/// step: does every rule hold, is no verdict severe, and does the model's truth agree with counting by brute force?
package enum RandomStoryCheck {
  package struct Finding: Sendable {
    package var seed: UInt64
    package var what: String
    /// The shortest story found that still shows something.
    package var lines: [String]
  }

  /// Encodings that promise never to be severe.
  private static let sound: [any Encoding.Type] = [FolioFlag<AndEager>.self, PageTableBitmap.self, PTEBits.self]
  private static let severe: Set<Verdict> = [
    .unsafe, .unsafeIO, .dataLoss, .conservativePin, .livelock, .invariantBreak,
  ]

  /// `nil`: nothing to complain about.
  package static func check(seed: UInt64, steps: Int, without: [String] = []) -> Finding? {
    let story = RandomStory(seed: seed, steps: steps)
    guard let what = complaint(story.lines, without) else { return nil }
    let shortest = shrink(story.lines, without)
    return Finding(seed: seed, what: complaint(shortest, without) ?? what, lines: shortest)
  }

  /// Leaves out runs of steps, then single ones, as long as there is something to complain about.
  private static func shrink(_ lines: [String], _ without: [String]) -> [String] {
    var lines = lines
    var size = lines.count / 2
    while size > 0 {
      var start = RandomStory.setUp.count
      while start < lines.count {
        var fewer = lines
        fewer.removeSubrange(start..<min(start + size, lines.count))
        if complaint(fewer, without) != nil { lines = fewer } else { start += size }
      }
      size /= 2
    }
    return lines
  }

  private static func complaint(_ lines: [String], _ without: [String]) -> String? {
    guard
      let scenario = try? LitmusParser.parse(
        RandomStory.file(lines, seed: 0), file: "random"
      ).first
    else { return nil }
    let operations = scenario.lines.compactMap { statement -> (LitmusOperation, String)? in
      if case .step(let operation) = statement.body { (operation, statement.text) } else { nil }
    }
    for encoding in sound {
      if let complaint = play(encoding, operations, without) { return complaint }
    }
    return nil
  }

  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  private static func play<E: Encoding>(
    _ encoding: E.Type, _ operations: [(LitmusOperation, String)], _ without: [String]
  ) -> String? {
    let forgotten = without.filter { LitmusSwitches.names(of: E.id).contains($0) }
    var baseline = LitmusPlayer<Baseline>(kernel: .v7_3, machine: LitmusMachine(), configuration: nil)
    var own = LitmusPlayer<E>(
      kernel: .v7_3, machine: LitmusMachine(), configuration: LitmusConfiguration(E.id, without: forgotten))
    var verdicts = LitmusVerdicts()
    for (operation, text) in operations {
      // A step that the state does not allow may have been done in part, in both worlds.
      _ = try? baseline.perform(operation)
      _ = try? own.perform(operation)
      // Stories merge pages whatever they hold: where only one world did, contents say nothing any more.
      if !agreeOnMerge(operation, baseline, own) { return nil }
      baseline.settle()
      own.settle()
      let livelocked = own.takeLivelocked()
      _ = baseline.takeLivelocked()
      verdicts = .of(
        own.world, against: baseline.world, after: verdicts, livelocked: livelocked)
      for (place, held) in verdicts.held where severe.contains(held.verdict) {
        return "\(E.id.rawValue), after '\(text)': \(held.verdict.rawValue) at "
          + "\(own.processes[place.mm]?.name ?? "?")\(place.page)"
      }
      if let broken = brokenRule(own.world) ?? brokenRule(baseline.world) { return "after '\(text)': \(broken)" }
    }
    return nil
  }

  private static func agreeOnMerge<E: Encoding>(
    _ operation: LitmusOperation, _ baseline: LitmusPlayer<Baseline>, _ own: LitmusPlayer<E>
  ) -> Bool {
    switch operation {
    case .ksmMerge(let one, let other), .ksmReplace(let one, with: let other):
      [one, other].allSatisfy { range in
        guard let mm = baseline.mms[range.process] else { return true }
        return baseline.world.content(mm, range.first) == own.world.content(mm, range.first)
      }
    default: true
    }
  }

  private static func brokenRule<E: Encoding>(_ world: World<E>) -> String? {
    for rule in RuleCatalogue.all where rule.visibility == .state {
      if let violation = rule.violations(in: world).first {
        return "\(E.id.rawValue) breaks \(rule.id): \(violation.what) at page \(violation.page.rawValue)"
      }
    }
    return world.disagreesWithCounting
  }
}

extension World {
  /// t by brute force: who, over all entries of all mms, names the same page or its swap slot. `nil`: the model's
  /// counts say the same, and nobody claims a page that others can observe.
  fileprivate var disagreesWithCounting: String? {
    var observers: [ObservedPage: Int] = [:]
    var seen: [(ref: EntryRef, pages: [ObservedPage])] = []
    for case let mm? in mms {
      forEachRef(mm.id, .everything) { ref in
        let pages = observed(ref)
        for page in pages { observers[page, default: 0] += 1 }
        if !pages.isEmpty { seen.append((ref, pages)) }
      }
    }
    for (ref, pages) in seen {
      let entry = tables.entry(ref)
      if entry.kind != .swap, folios.flags(FolioID(entry.index)).contains(.ksm) { continue }
      let isAlone = pages.allSatisfy { observers[$0] == 1 }
      if (isTrulyExclusive(ref) == .exclusive) != isAlone {
        return
          "\(E.id.rawValue): the counts say \(isAlone ? "shared" : "exclusive") of page \(owner(ref).page.rawValue)"
      }
      if E.claim(self, ref, entry) == .exclusive, !isAlone {
        return "\(E.id.rawValue) claims page \(owner(ref).page.rawValue), which others can observe"
      }
    }
    return nil
  }

  private func observed(_ ref: EntryRef) -> [ObservedPage] {
    let entry = tables.entry(ref)
    if entry.kind == .swap {
      let slot = slots[entry.index]
      return [
        slot.folio == noIndex
          ? ObservedPage(inSwap: true, index: entry.index, page: 0)
          : ObservedPage(inSwap: false, index: slot.folio, page: Int(slot.page))
      ]
    }
    guard entry.kind.refersToFolio else { return [] }
    let count = isHuge(ref) ? folios.order(FolioID(entry.index)).pageCount : 1
    return (0..<count).map { ObservedPage(inSwap: false, index: entry.index, page: entry.page + $0) }
  }
}

/// A page of a folio, or a swap slot nobody has read in.
private struct ObservedPage: Hashable {
  var inSwap: Bool
  var index: UInt32
  var page: Int
}
