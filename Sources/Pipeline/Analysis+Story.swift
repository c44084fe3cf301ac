// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
package import Replay
import Report
package import Stories

/// Which divergence a story is wanted of.
package enum DivergenceChoice: Sendable {
  /// As the report numbers them, from 1.
  case number(Int)
  /// Found at this event.
  case sequence(Sequence)
  /// At a page that this frame held.
  case frame(PFN)
}

extension Analysis {
  /// The divergence that was asked for, the worst if several were.
  package func divergence(_ choice: DivergenceChoice, _ options: Options) throws -> (Divergence, number: Int) {
    let found = try replay(options).divergencesTold
    let index: Int?
    switch choice {
    case .number(let number): index = found.indices.first { $0 + 1 == number }
    case .sequence(let sequence): index = found.firstIndex { $0.firstSequence == sequence }
    case .frame(let frame): index = found.firstIndex { $0.frame == frame }
    }
    guard let index else {
      throw AnalysisError(path: path, reason: "no such divergence: a replay that is asked so finds \(found.count)")
    }
    return (found[index], index + 1)
  }

  /// A story that gives the same verdict; `nil` where none was found.
  package func story(of divergence: Divergence, number: Int, _ options: Options) throws -> ToldStory? {
    var options = options
    options.encodings = [divergence.encoding]
    let goal = StoryGoal(divergence, without: options.without.map(\.rawValue))
    var (recorder, kernel) = try record(ToldStory.recorder(around: divergence.page), upTo: divergence, options)
    // What mremap brought here may have come there by another.
    for _ in 0..<4 {
      guard let wider = ToldStory.wider(than: recorder) else { break }
      (recorder, kernel) = try record(wider, upTo: divergence, options)
    }
    guard let kernel else { return nil }
    let place =
      "mm\(divergence.mm.rawValue) 0x\(String(divergence.page.rawValue << UInt64(try pageShift()), radix: 16))"
    return ToldStory(
      recorder, goal, kernel, id: "story-\(number)",
      title: "\(divergence.verdict.rawValue) of \(divergence.encoding.rawValue) at \(divergence.transition.rawValue)",
      source: "\(path.replacing("\"", with: "'")), seq \(divergence.firstSequence.rawValue), \(place)")
  }

  private func record(
    _ recorder: StepRecorder, upTo divergence: Divergence, _ options: Options
  ) throws -> (StepRecorder, LitmusKernel?) {
    var (filled, kernel) = (recorder, LitmusKernel?.none)
    var isFirst = true
    try follow(options) { events, model in
      if isFirst {
        model.add(recorder)
        kernel = LitmusKernel(name: model.kernel.name[...])
        isFirst = false
      }
      var rest = events
      for index in events.indices where events[index].sequence == divergence.firstSequence {
        model.apply(rest[...index])
        rest = events[(index + 1)...]
        guard !model.hasFound(divergence) else {
          filled = model.audit(StepRecorder.self) ?? recorder
          return false
        }
      }
      model.apply(rest)
      return true
    }
    return (filled, kernel)
  }
}
