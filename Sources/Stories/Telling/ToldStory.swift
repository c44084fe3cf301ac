// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
package import Replay

/// A divergence of a trace as a litmus story that gives the same verdict.
package struct ToldStory: Sendable {
  /// The file: it has been read, played and judged, and is right.
  package let text: String
  /// How many steps it has, those that introduce processes and memory among them.
  package let steps: Int

  /// What the steps of a replay come to, up to the one at which the divergence was found.
  ///
  /// `nil`: told with these processes and pages alone, they do not give the verdict.
  package init?(
    _ recorder: StepRecorder, _ goal: StoryGoal, _ kernel: LitmusKernel, id: String, title: String, source: String
  ) {
    let places = StoryLines.Places(recorder.tables)
    let steps = recorder.recorded
    // First what happened to this page alone, then to all about it.
    let cuts = [StoryCut.onePage(steps, goal), StoryCut.family(steps, goal)]
    guard let draft = cuts.lazy.compactMap({ StoryDraft(cutting: $0, places, goal, kernel) }).first else { return nil }
    let shortest = StoryShrinker.shrink(draft, kernel)
    let told = StoryClaims(shortest, kernel).lines
    let text = StoryDraft.text(told, goal, kernel, id: id, title: title, source: source)
    guard let scenario = try? LitmusParser.parse(text, file: id).first,
      LitmusRunner.run(scenario).allSatisfy(\.passed)
    else { return nil }
    self.text = text
    self.steps = shortest.told.lines.count
  }

  /// Page tables that a first recording has to look at: around the page.
  package static func recorder(around page: VirtualPage) -> StepRecorder {
    StepRecorder(tables: [page.rawValue >> 9])
  }

  /// What has to be recorded too, because pages came from there; `nil`: nothing more.
  package static func wider(than recorder: StepRecorder) -> StepRecorder? {
    let tables = recorder.tables.union(recorder.others)
    return tables == recorder.tables ? nil : StepRecorder(tables: tables)
  }
}

/// Which steps of a recording a story may be about.
enum StoryCut {
  /// Those of mms that fork, or a merge, brought together with the one concerned.
  static func family(_ steps: [StepRecorder.Recorded], _ goal: StoryGoal) -> [StepRecorder.Recorded] {
    var groups: [MMID: MMID] = [:]
    func root(_ mm: MMID) -> MMID {
      var mm = mm
      while let next = groups[mm] { mm = next }
      return mm
    }
    for one in steps {
      guard one.step.participants.count == 2 else { continue }
      let (a, b) = (root(one.step.participants[0]), root(one.step.participants[1]))
      if a != b { groups[b] = a }
    }
    let family = root(goal.mm)
    return steps.filter { one in one.step.participants.first.map { root($0) == family } ?? true }
  }

  /// Of those, what touched the page itself, or the pages of a folio that it was in.
  static func onePage(_ steps: [StepRecorder.Recorded], _ goal: StoryGoal) -> [StepRecorder.Recorded] {
    family(steps, goal).filter { one in
      guard case .pages(let range) = one.step.extent else { return true }
      return range.contains(goal.page)
    }
  }
}
