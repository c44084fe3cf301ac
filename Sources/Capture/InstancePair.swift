// SPDX-License-Identifier: GPL-2.0-only

/// The two instances of a recording and its probes, from their making to their removal.
final class InstancePair {
  let host: TraceInstance
  /// Before the task instance, whose name says whose they are.
  let probes: DynamicProbes?
  let task: TraceInstance
  private let clock: String
  /// Those that are recorded, or will be.
  private(set) var events: [ChosenEvents.Event]
  /// "system:name" of what the kernel refused.
  private(set) var refused: [String] = []

  /// Makes both, set up but stopped. Should this program be killed from now on, the watchdog removes them.
  init(
    in tracefs: TraceFS, settings: BufferSettings, events: [ChosenEvents.Event], probes wanted: [WantedProbe],
    under watchdog: Watchdog
  ) throws(CaptureError) {
    clock = settings.clock
    host = try TraceInstance.create(role: TraceBuffer.host.rawValue, in: tracefs, announcing: watchdog.removes)
    task = try TraceInstance.create(role: TraceBuffer.task.rawValue, in: tracefs, announcing: watchdog.removes)
    probes =
      wanted.isEmpty
      ? nil
      : DynamicProbes(wanted, for: task, in: tracefs) { watchdog.removes(probe: $0, from: tracefs.dynamicEvents) }
    let events = events + (probes?.events ?? [])
    self.events = events
    for buffer in TraceBuffer.allCases {
      refused += try settings.apply(to: self[buffer], events: events.filter { $0.buffer == buffer }).map(\.title)
    }
    self.events.removeAll { refused.contains($0.title) }
  }

  subscript(buffer: TraceBuffer) -> TraceInstance {
    switch buffer {
    case .host: host
    case .task: task
    }
  }

  /// The unfiltered one first: what a followed task does must find its page's history begun.
  func start() throws(CaptureError) {
    try host.write("1", to: "tracing_on")
    try task.write("1", to: "tracing_on")
  }

  func stop() throws(CaptureError) {
    try task.stop()
    try host.stop()
  }

  /// What somebody else changed while they recorded: root can write to every instance. To be asked before `stop`.
  func interference() throws(CaptureError) -> [String] {
    var changes: [String] = []
    for buffer in TraceBuffer.allCases {
      let instance = self[buffer]
      let isOn = try instance.read("tracing_on").hasPrefix("1")
      let enabled = Set(try instance.read("set_event").split(whereSeparator: \.isWhitespace).map(String.init))
      let wanted = events.filter { $0.buffer == buffer }.map(\.title)
      changes += Self.interference(
        instance.name, isOn: isOn, disabled: wanted.filter { !enabled.contains($0) },
        clock: TraceFS.clocks(in: try instance.read("trace_clock")).active, expected: clock)
    }
    return changes
  }

  static func interference(
    _ name: String, isOn: Bool, disabled: [String], clock: String?, expected: String
  ) -> [String] {
    var changes: [String] = []
    if !isOn { changes.append("\(name) was switched off") }
    if let first = disabled.first {
      let others = disabled.count > 1 ? " and \(disabled.count - 1) other events" : ""
      changes.append("\(first)\(others) of \(name) were switched off")
    }
    if clock != expected { changes.append("the clock of \(name) was changed to \(clock ?? "none")") }
    return changes
  }

  /// Removes all, even when the first cannot be; throws the first failure.
  func remove() throws(CaptureError) {
    var failure: CaptureError?
    do throws(CaptureError) { try host.remove() } catch { failure = error }
    // They were enabled in the host instance.
    do throws(CaptureError) { try probes?.remove() } catch { failure = failure ?? error }
    do throws(CaptureError) { try task.remove() } catch { failure = failure ?? error }
    if let failure { throw failure }
  }
}
