// SPDX-License-Identifier: GPL-2.0-only

import Anonymize
import ArgumentParser
import Capture
import Glibc
import TraceFile

struct AnonymizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "anonymize", abstract: "A capture that can be shared: other names, addresses, frames and pointers.",
    discussion: """
      Names of tasks, programs, files and hosts become pseudonyms, kernel pointers numbers; regions of user memory and \
      blocks of page frames change places. Events, times, pids and sizes stay, and so do all results but for those names \
      and numbers. What is not known here is left out, and said. docs/security.md tells what can still be concluded.
      """)

  @Argument(help: "The capture directory or trace.dat.") var capture: String
  @Option(name: [.short, .long], help: "The new one; nothing of that name is there.") var output: String
  @Option(
    help: ArgumentHelp("16 random bytes: captures under one key have one pseudonym for a name.", valueName: "file"))
  var key: String?
  @OptionGroup var verbosity: Verbosity

  func run() throws {
    guard !TraceFile.exists(output) else {
      throw CommandError(path: output, reason: "exists; give another name with -o")
    }
    let secret = try key.map { path throws(AnonymizeError) in try Secret(contentsOf: path) } ?? .random()
    let summary = try Self.anonymize(capture, to: output, secret)
    for line in summary.lines { verbosity.note("\(output): \(line)") }
  }

  /// Writes one of the same kind.
  static func anonymize(_ capture: String, to output: String, _ secret: Secret) throws -> CaptureAnonymizer.Summary {
    let anonymizer = try CaptureAnonymizer(capture, secret: secret)
    guard let manifest = anonymizer.manifest else {
      do {
        return try anonymizer.write(to: output)
      } catch {
        unsafe unlink(output)
        throw error
      }
    }
    let directory = try OutputDirectory(creating: output, manifest: manifest)
    do {
      let summary = try anonymizer.write(into: CaptureDirectory(directory.path))
      try directory.complete()
      return summary
    } catch {
      directory.discard()
      throw error
    }
  }
}

extension CaptureAnonymizer.Summary {
  /// What is not in the new capture.
  var lines: [String] {
    var lines: [String] = []
    let records = leftOut.values.reduce(0, +)
    if records > 0 {
      let events = leftOut.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
      lines.append("\(records) records of events not known here are left out: \(events.joined(separator: ", "))")
    }
    if settings > 0 { lines.append("\(settings) settings and notes are left out") }
    return lines
  }
}
