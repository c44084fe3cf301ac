// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// The lines of a story with what it claims below its steps: every verdict where it is first held, and the entries
/// concerned at the end.
struct StoryClaims {
  let lines: [String]

  init(_ draft: StoryDraft, _ kernel: LitmusKernel) {
    let trail = LitmusTrail(draft.scenario, draft.goal.configuration, kernel) { $0.page == draft.place.page }
    let name = draft.goal.configuration.description
    var lines: [String] = []
    for (index, step) in trail.steps.enumerated() {
      lines.append(draft.told.lines[index].text)
      if step.failed { lines.append("  expect fails") }
      if index == trail.steps.count - 1 {
        let entries = step.states.sorted { $0.key < $1.key }.compactMap { place, state in
          state.claim.map { "\(place.process)\(place.page)=\($0)" }
        }
        if !entries.isEmpty { lines.append("  expect " + entries.joined(separator: ", ")) }
      }
      let before = index > 0 ? trail.steps[index - 1].verdicts : [:]
      var groups = Self.changes(from: before, to: step.verdicts)
      if index == trail.steps.count - 1, draft.goal.verdict == .lost { groups.append("\(Self.ranges(step.lost)) LOST") }
      groups += step.labels.map(\.rawValue).sorted()
      if !groups.isEmpty { lines.append("  verdict \(name): " + groups.joined(separator: "; ")) }
    }
    self.lines = lines
  }

  /// `P0..3 UNSAFE`, a group a verdict.
  private static func changes(
    from before: [LitmusTrail.Place: Verdict], to now: [LitmusTrail.Place: Verdict]
  ) -> [String] {
    var changed: [Verdict: Set<LitmusTrail.Place>] = [:]
    for place in Set(before.keys).union(now.keys) where before[place] != now[place] {
      changed[now[place] ?? .ok, default: []].insert(place)
    }
    return changed.sorted { $0.key < $1.key }.map { "\(ranges($0.value)) \($0.key.rawValue)" }
  }

  private static func ranges(_ places: Set<LitmusTrail.Place>) -> String {
    var runs: [(process: String, pages: ClosedRange<Int>)] = []
    for place in places.sorted() {
      if let last = runs.last, last.process == place.process, last.pages.upperBound + 1 == place.page {
        runs[runs.count - 1].pages = last.pages.lowerBound...place.page
      } else {
        runs.append((place.process, place.page...place.page))
      }
    }
    return runs.map { "\($0.process)\(StoryLines.text($0.pages.lowerBound..<$0.pages.upperBound + 1))" }
      .joined(separator: ", ")
  }
}

extension LitmusTrail.State {
  /// The entry as a claim; `nil` where the notation has more to it than matters here.
  fileprivate var claim: String? {
    switch today.kind {
    case .present:
      text.replacing("s+", with: "+").replacing("s-", with: "-").replacing("S+", with: "+").replacing("S-", with: "-")
    case .none, .zeroPage, .filePage, .swap, .migrationRead, .migrationReadExclusive, .migrationWrite,
      .devicePrivate, .deviceExclusive, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
      nil
    }
  }
}
