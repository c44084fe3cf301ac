// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import MMEvents
import Pipeline
import Report

struct ScriptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "script", abstract: "The normalized events, one per line.",
    discussion: "Columns: seq, time, cpu, task, mm, event, then the event's fields. Filters combine with and.")

  @Argument(help: "The capture.") var capture = Cowscope.defaultCapture
  @Flag(help: "One JSON object per line.") var json = false
  @Flag(help: "Only how many events of each kind there are.") var count = false
  @Option(help: "Only events of this task (a thread id).") var pid: Int32?
  @Option(help: "Only events that name this page frame.") var pfn: Number?
  @Option(help: "Only events that name the page of this address.") var addr: Number?
  @Option(help: ArgumentHelp("Only events between these times of the trace clock.", valueName: "a,b"))
  var time: TimeRange?
  @Option(help: KernelRelease.help) var kernel: KernelRelease?
  @OptionGroup var verbosity: Verbosity

  func run() throws {
    let analysis = Analysis(path: capture, notices: verbosity.notices, kernel: kernel?.text)
    var filter = EventFilter()
    filter.task = pid.map { TaskID($0) }
    filter.frame = pfn.map { PFN($0.value) }
    filter.page = try addr.map { VirtualPage($0.value >> UInt64(try analysis.pageShift())) }
    filter.time = time?.range
    if count {
      try printCounts(of: analysis, passing: filter)
    } else {
      try printEvents(of: analysis, passing: filter, pageShift: analysis.pageShift())
    }
  }

  private func printEvents(of analysis: Analysis, passing filter: EventFilter, pageShift: UInt8) throws {
    let text = EventText(pageShift: pageShift)
    let object = EventJSON(pageShift: pageShift)
    var output = StandardOutput()
    var line = LineBuffer()
    try analysis.forEachBatch(ahead: true) { events in
      for event in events where filter.admits(event) {
        line.removeAll()
        if json { object.append(event, to: &line) } else { text.append(event, to: &line) }
        try output.write(line.bytes)
      }
      return !output.isClosed
    }
    try output.flush()
  }

  private func printCounts(of analysis: Analysis, passing filter: EventFilter) throws {
    var counts = EventCounts()
    try analysis.forEachBatch(ahead: false) { events in
      if filter.admitsAll {
        counts.add(contentsOf: events)
      } else {
        for event in events where filter.admits(event) { counts.add(event.event) }
      }
      return true
    }
    var output = StandardOutput()
    try output.write(json ? try counts.json() : Array(counts.text.utf8))
    try output.flush()
  }
}
