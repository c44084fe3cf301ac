// SPDX-License-Identifier: GPL-2.0-only

/// The ring buffers both instances get.
package struct BufferSettings: Equatable, Sendable {
  package var clock: String
  /// Ring buffer size of one CPU of one instance.
  package var kibibytesPerCPU: Int

  /// At about 30 bytes an event this holds a second of the densest fault storm one CPU can make.
  package static let defaultKiB = 32 << 10
  /// Sub-buffers of this size make draining 2 to 4 times cheaper than 4 KiB ones.
  package static let subBufferKiB = 64
  /// A reader is woken when this part of a buffer is full, and has the rest of it as slack.
  package static let wakeUpPercent = 25

  package init(clock: String, kibibytesPerCPU: Int) {
    self.clock = clock
    self.kibibytesPerCPU = kibibytesPerCPU
  }

  /// The default size, made smaller until both instances take no more than a quarter of the available memory.
  package static func size(forCPUs cpus: Int, availableKiB: Int) -> Int {
    let cap = availableKiB / 4 / 2 / max(cpus, 1)
    return max(1024, min(defaultKiB, cap))
  }

  /// `local` where the TSC is the clocksource, because then it is the cheapest and all CPUs agree; else `mono`.
  package static func defaultClock(clocksource: String?, available: [String]) -> String {
    if clocksource == "tsc" && available.contains("local") { return "local" }
    return available.contains("mono") ? "mono" : "local"
  }

  /// Sets an instance up, with its events, leaving it stopped.
  ///
  /// The order matters: the clock first, since changing it clears the buffer; the sub-buffer size before the buffer
  /// size, since changing it reallocates; filters before their events. Returns the events that the kernel refused to
  /// let wait for others, and which are not recorded.
  @discardableResult
  package func apply(
    to instance: borrowing TraceInstance, events: [ChosenEvents.Event]
  ) throws(CaptureError) -> [ChosenEvents.Event] {
    try instance.write("0", to: "tracing_on")
    try instance.write(clock, to: "trace_clock")
    if instance.has("buffer_subbuf_size_kb") {
      try instance.write(String(Self.subBufferKiB), to: "buffer_subbuf_size_kb")
    }
    try instance.write(String(kibibytesPerCPU), to: "buffer_size_kb")
    if instance.has("buffer_percent") { try instance.write(String(Self.wakeUpPercent), to: "buffer_percent") }
    var refused: [ChosenEvents.Event] = []
    for event in events {
      let directory = "events/\(event.system)/\(event.name)"
      if event.triggers.isEmpty {
        if let filter = event.filter { try instance.write(filter, to: directory + "/filter") }
        try instance.write("1", to: directory + "/enable")
        continue
      }
      do throws(CaptureError) {
        if let filter = event.filter { try instance.write(filter, to: directory + "/filter") }
        for trigger in event.triggers {
          try instance.write(
            "enable_event:\(event.system):\(event.name) if \(trigger.condition)",
            to: "events/\(trigger.system)/\(trigger.name)/trigger")
        }
      } catch {
        refused.append(event)
      }
    }
    return refused
  }
}
