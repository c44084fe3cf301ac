// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Pipeline
import Replay
import Report

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "The model against the kernel's own evidence.",
    discussion: """
      Three witnesses: copy or reuse at every write-protection fault, the type of every migration entry, and bit 34 \
      of /proc/kpageflags where the capture has snapshots.
      Exits with 2 on a disagreement, with 3 when the answer is not to be relied on: the first line says why.
      """)

  @Argument(help: "The capture.") var capture = Cowscope.defaultCapture
  @Flag(help: "One JSON object.") var json = false
  @Flag(help: "Walk the first findings of every cause through their evidence, event by event.") var explain = false
  @OptionGroup var trust: TrustOptions
  @Option(help: KernelRelease.help) var kernel: KernelRelease?
  @OptionGroup var verbosity: Verbosity

  func run() throws {
    var options = Analysis.Options()
    options.encodings = [.baseline]
    options.audits = []
    options.explainsFindings = explain
    if let percent = trust.maxUnknown { options.maxUnknownPercent = percent }
    let result = try Analysis(path: capture, notices: verbosity.notices, kernel: kernel?.text).replay(options)
    var output = StandardOutput()
    if json {
      try output.write(try ResultWriter().verification(of: result, explains: explain))
    } else {
      try output.write(
        VerificationText(style: StandardOutput.style, detail: verbosity.detail, explains: explain).render(result))
    }
    try output.flush()
    try result.verificationOutcome.exit()
  }
}
