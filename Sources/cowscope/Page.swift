// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import MMEvents
import Pipeline
import Replay
import Report

struct PageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "page", abstract: "One page's life: every event, its entry in every encoding, who else maps it.",
    discussion: """
      The page of an address (hexadecimal, 0x...) in every mm that has it, or of those that --pid acted in and their \
      ancestors; or the page in a frame (decimal), wherever it is mapped. Columns: seq, time, task, mm, today's entry \
      after the event, event.
      Exits with 3 when nothing in the capture is about the page.
      """)

  @Argument(help: "The capture.") var capture: String
  @Argument(help: ArgumentHelp("An address (0x...) or a page frame number.", valueName: "addr|pfn")) var page: String
  @Option(help: "Only where this process acted (a thread id), and what it was forked from.") var pid: Int32?
  @Option(help: "Only this encoding (repeatable), as in `replay`.") var encoding: [EncodingID] = []
  @Option(help: "Stop after the event of this sequence number.") var until: Number?
  @Option(help: KernelRelease.help) var kernel: KernelRelease?
  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard Number(argument: page) != nil else {
      throw ValidationError("'\(page)' is neither an address (0x...) nor the number of a page frame")
    }
    if pid != nil, !page.hasPrefix("0x") { throw ValidationError("--pid goes with an address: a frame is one page") }
  }

  func run() throws {
    let analysis = Analysis(path: capture, notices: verbosity.notices, kernel: kernel?.text)
    var options = Analysis.Options()
    options.encodings = encoding
    options.until = until.map { Sequence($0.value) }
    let shift = try analysis.pageShift()
    var text = PageLifeText(style: StandardOutput.style, pageShift: shift)
    var output = StandardOutput()
    var lines = 0
    let ends = try analysis.life(of: try subject(analysis, shift), options) { line in
      lines += 1
      try output.write(text.lines(line))
    }
    guard lines > 0 else {
      Talk.say("\(capture): nothing is about \(page)\(pid.map { " of \($0)" } ?? "")")
      throw ExitCode.inconclusive
    }
    try output.write(text.end(ends))
    try output.flush()
  }

  private func subject(_ analysis: Analysis, _ shift: UInt8) throws -> PageLife.Subject {
    let number = Number(argument: page)?.value ?? 0
    guard page.hasPrefix("0x") else { return .frame(PFN(number)) }
    return .address(
      VirtualPage(number >> UInt64(shift)), in: try pid.map { try analysis.addressSpaces(of: TaskID($0)) })
  }
}
