// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Pipeline
import Report

struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "What a capture holds: host, kernel, events, loss per CPU.")

  @Argument(help: "The capture.") var capture = Cowscope.defaultCapture
  @Flag(help: "One JSON object.") var json = false
  @OptionGroup var verbosity: Verbosity

  func run() throws {
    let info = try Analysis(path: capture, notices: verbosity.notices).info()
    var output = StandardOutput()
    if json {
      try output.write(try info.json())
    } else {
      try output.write(info.text(style: StandardOutput.style, showsSettings: verbosity.verbose))
    }
    try output.flush()
  }
}
