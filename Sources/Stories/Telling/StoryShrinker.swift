// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// Leaves out of a story whatever does not matter to what it comes to.
struct StoryShrinker {
  private var best: StoryDraft
  private let kernel: LitmusKernel

  static func shrink(_ draft: StoryDraft, _ kernel: LitmusKernel) -> StoryDraft {
    var shrinker = StoryShrinker(best: draft, kernel: kernel)
    shrinker.leaveOutProcesses()
    shrinker.leaveOutRuns()
    shrinker.beginWithChildren()
    shrinker.endFork()
    shrinker.moveDown()
    return shrinker.best
  }

  private init(best: StoryDraft, kernel: LitmusKernel) { (self.best, self.kernel) = (best, kernel) }

  private mutating func adopt(_ steps: [StepRecorder.Recorded], _ places: StoryLines.Places) -> Bool {
    guard let draft = StoryDraft(steps, places, best.goal, kernel), draft.failures <= best.failures,
      draft.told.lines.count <= best.told.lines.count
    else { return false }
    best = draft
    return true
  }

  /// A process with all that comes of it, the last first.
  private mutating func leaveOutProcesses() {
    var all: [MMID] = []
    for step in best.steps { for mm in step.step.participants where !all.contains(mm) { all.append(mm) } }
    let deciding = best.steps.last?.step.participants ?? []
    for mm in all.reversed() where mm != best.goal.mm && !deciding.contains(mm) {
      _ = adopt(best.steps.filter { !$0.step.participants.contains(mm) }, best.places)
    }
  }

  /// Half of the steps, then smaller runs, then one by one, until nothing more goes. The last one decides.
  private mutating func leaveOutRuns() {
    var size = max(1, best.steps.count / 2)
    while true {
      var start = 0
      var isShorter = false
      while start < best.steps.count - 1 {
        var fewer = best.steps
        fewer.removeSubrange(start..<min(start + size, best.steps.count - 1))
        if adopt(fewer, best.places) { isShorter = true } else { start += size }
      }
      if size == 1, !isShorter { return }
      size = max(1, size / 2)
    }
  }

  /// A child that came with nothing might as well be the first of its kind.
  private mutating func beginWithChildren() {
    for index in best.steps.indices.reversed() where index < best.steps.count {
      guard case .forkEnd(let parent, let child) = best.steps[index].step else { continue }
      var steps = best.steps
      steps[index].step = .createMM(child, .exec)
      steps.removeAll { $0.step.participants == [parent, child] }
      if adopt(steps, best.places) { leaveOutRuns() }
    }
  }

  /// What shows in the middle of a fork may show at its end as well, if nothing else is to be copied.
  private mutating func endFork() {
    guard case .forkCopy(let parent, let child, _, _) = best.steps.last?.step else { return }
    _ = adopt(best.steps + [StepRecorder.Recorded(step: .forkEnd(parent: parent, child: child))], best.places)
  }

  /// Its lowest page becomes page 0, or as near to it as large folios allow.
  private mutating func moveDown() {
    let pages = best.told.pages
    guard let lowest = pages.min(), lowest > 0 else { return }
    for alignment in [1, 16, 512] where lowest & ~(alignment - 1) > 0 {
      var places = best.places
      places.shift = lowest & ~(alignment - 1)
      if adopt(best.steps, places) { return }
    }
  }
}
