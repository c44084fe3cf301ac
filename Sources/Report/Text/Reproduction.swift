// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// The command that shows a finding again.
enum Reproduction {
  static func command(capture: CaptureSummary, divergence: Divergence) -> String {
    command(capture: capture, sequence: divergence.firstSequence)
      + (divergence.frame.map { " --pfn \($0.rawValue)" } ?? "")
  }

  static func command(capture: CaptureSummary, sequence: Sequence) -> String {
    "cowscope replay \(ShellWord.quoted(capture.name)) --until \(sequence.rawValue)"
  }
}
