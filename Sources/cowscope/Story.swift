// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import MMEvents
import Pipeline
import Replay
import Stories

struct StoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "story", abstract: "A divergence of a capture as a litmus story that gives the same verdict.",
    discussion: """
      Cuts the trace to the processes, pages and steps concerned, tells them as a story, leaves out whatever the verdict \
      does not need, and checks what is left with `litmus` before it prints it. The first step that user space cannot \
      take is told by `litmus --program`.
      Exits with 3 when no story was found that gives the verdict: it rests on something the steps do not show.
      """)

  @Argument(help: "The capture.") var capture = Cowscope.defaultCapture
  @Option(help: ArgumentHelp("Its number in the report of `replay`.", valueName: "n")) var divergence: Int?
  @Option(help: "The first that was found at the event of this sequence number.") var seq: Number?
  @Option(help: "The worst at a page that this frame held.") var pfn: Number?
  @Option(help: "Only this encoding (repeatable), as in `replay`.") var encoding: [EncodingID] = []
  @Option(help: ArgumentHelp("Leave this call site as it is today (repeatable).", valueName: "site"))
  var without: [CallSite] = []
  @Option(help: KernelRelease.help) var kernel: KernelRelease?
  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard [divergence != nil, seq != nil, pfn != nil].filter({ $0 }).count <= 1 else {
      throw ValidationError("one of --divergence, --seq and --pfn says which divergence is meant")
    }
  }

  func run() throws {
    var options = Analysis.Options()
    options.encodings = encoding
    options.without = without.flatMap(\.switches)
    options.audits = []
    let analysis = Analysis(path: capture, notices: verbosity.notices, kernel: kernel?.text)
    let (found, number) = try analysis.divergence(choice, options)
    guard let story = try analysis.story(of: found, number: number, options) else {
      Talk.say("\(capture): no story gives the verdict of divergence \(number)")
      throw ExitCode.inconclusive
    }
    var output = StandardOutput()
    try output.write(story.text)
    try output.flush()
    verbosity.detail("\(story.steps) steps")
  }

  private var choice: DivergenceChoice {
    if let seq { return .sequence(Sequence(seq.value)) }
    if let pfn { return .frame(PFN(pfn.value)) }
    return .number(divergence ?? 1)
  }
}
