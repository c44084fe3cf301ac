// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// Steps of a trace, told as a story and played: does it come to what it has to?
struct StoryDraft {
  let steps: [StepRecorder.Recorded]
  let places: StoryLines.Places
  let told: StoryLines
  let trail: LitmusTrail
  let scenario: LitmusScenario
  let goal: StoryGoal
  /// Where the verdict is looked for.
  let place: LitmusTrail.Place

  /// `nil`: it cannot be read or played, or does not come there at its last step.
  init?(_ steps: [StepRecorder.Recorded], _ places: StoryLines.Places, _ goal: StoryGoal, _ kernel: LitmusKernel) {
    let told = StoryLines(steps, places)
    guard told.lines.last?.step == steps.indices.last,
      let draft = Self(told, steps, places, goal, kernel, isEndOnly: true), let last = draft.trail.steps.indices.last,
      goal.isReached(in: draft.trail, at: last, draft.place)
    else { return nil }
    self = draft
  }

  /// The same, cut off after the last step at which it comes there, of the kernel path that is wanted.
  init?(
    cutting steps: [StepRecorder.Recorded], _ places: StoryLines.Places, _ goal: StoryGoal, _ kernel: LitmusKernel
  ) {
    let told = StoryLines(steps, places)
    guard let whole = Self(told, steps, places, goal, kernel) else { return nil }
    let last = whole.trail.steps.indices.last { index in
      let step = steps[told.lines[index].step].step
      return goal.isReached(in: whole.trail, at: index, whole.place) && step.isOf(goal.transition)
    }
    guard let last else { return nil }
    self.init(Array(steps[...told.lines[last].step]), places, goal, kernel)
  }

  private init?(
    _ told: StoryLines, _ steps: [StepRecorder.Recorded], _ places: StoryLines.Places, _ goal: StoryGoal,
    _ kernel: LitmusKernel, isEndOnly: Bool = false
  ) {
    guard let name = told.everyName[goal.mm], let page = places.page(goal.page) else { return nil }
    let text = Self.text(told.lines.map(\.text), goal, kernel, id: "draft", title: "", source: "")
    guard let scenario = try? LitmusParser.parse(text, file: "draft").first else { return nil }
    let trail = LitmusTrail(scenario, goal.configuration, kernel, isEndOnly: isEndOnly)
    guard trail.stop == nil, trail.steps.count == told.lines.count else { return nil }
    (self.steps, self.places, self.told, self.trail, self.scenario) = (steps, places, told, trail, scenario)
    self.goal = goal
    place = LitmusTrail.Place(name, page)
  }

  /// Steps that today's kernel refuses: the story goes beyond what it was cut from.
  var failures: Int { trail.steps.count(where: \.failed) }

  static func text(
    _ lines: [String], _ goal: StoryGoal, _ kernel: LitmusKernel, id: String, title: String, source: String
  ) -> String {
    """
    # SPDX-License-Identifier: GPL-2.0-only
    example \(id) "\(title)"
    source "\(source)"
    kernels \(kernel.name)
    verdict \(goal.configuration.description): OK

    \(lines.joined(separator: "\n"))

    """
  }
}

extension Operation {
  /// What a replay does to entries when an mm goes, it files under the exit.
  fileprivate func isOf(_ transition: Transition) -> Bool {
    if case .zap = self { return [.zap, .exit, .fork, .swapIn, .lazyfree].contains(transition) }
    if case .swapOut = self, transition == .lazyfree { return true }
    if case .learn = self, transition == .swapIn { return true }
    return self.transition == transition
      || ([.anonymousFault, .fileCopy, .writeFault].contains(self.transition) && transition == .writeFault)
  }
}
