// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
package import Replay

/// What a story has to come to at its last step: an entry of an encoding comes to hold a verdict there.
package struct StoryGoal: Sendable {
  package var configuration: LitmusConfiguration
  package var verdict: Verdict
  /// The kernel path of the step.
  package var transition: Transition
  package var mm: MMID
  package var page: VirtualPage

  package init(_ divergence: Divergence, without: [String]) {
    let sites = LitmusSwitches.names(of: divergence.encoding)
    configuration = LitmusConfiguration(divergence.encoding, without: without.filter(sites.contains))
    (verdict, transition) = (divergence.verdict, divergence.transition)
    (mm, page) = (divergence.mm, divergence.page)
  }

  /// The entry at the place comes to hold the verdict at this step, and did not hold it before.
  func isReached(in trail: LitmusTrail, at index: Int, _ place: LitmusTrail.Place) -> Bool {
    let step = trail.steps[index]
    if verdict == .lost { return step.lost.contains(place) }
    return step.verdicts[place] == verdict && (index == 0 || trail.steps[index - 1].verdicts[place] != verdict)
  }
}
