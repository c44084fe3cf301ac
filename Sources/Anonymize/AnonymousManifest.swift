// SPDX-License-Identifier: GPL-2.0-only

import TraceFile

/// `capture.json` of a capture that is shared: what analyses read, and settings of which it is known what they can say.
struct AnonymousManifest {
  private(set) var manifest: CaptureManifest
  /// Settings, events and notes that are not in it.
  private(set) var leftOut = 0

  init(_ old: CaptureManifest, _ names: Pseudonyms) {
    manifest = CaptureManifest(
      recorder: old.isOurs ? old.recorder : names.name(old.recorder), release: old.release, machine: old.machine,
      commandLine: names.command(old.commandLine), startTime: old.startTime, pageSize: old.pageSize,
      cpuCount: old.cpuCount, clock: old.clock)
    manifest.format = old.format
    manifest.endTime = old.endTime
    manifest.followedPIDs = old.followedPIDs
    manifest.commandStatus = old.commandStatus
    manifest.snapshotCount = old.snapshotCount
    manifest.migrationEntryTypes = old.migrationEntryTypes
    (manifest.bufferKiB, manifest.suggestedBufferKiB) = (old.bufferKiB, old.suggestedBufferKiB)
    manifest.cpuStats = old.cpuStats.map { stats in
      var stats = stats
      if !["host", "task"].contains(stats.buffer) { stats.buffer = names.name(stats.buffer) }
      return stats
    }
    manifest.kernelConfig = old.kernelConfig.filter { Self.isConfiguration($0.key, $0.value) }
    manifest.knobs = old.knobs.filter { Self.isHarmless(knob: $0.key) }
    leftOut += old.kernelConfig.count - manifest.kernelConfig.count + old.knobs.count - manifest.knobs.count
    func known(_ events: [String]) -> [String] { events.filter(RecordPlans.knownTitles.contains) }
    manifest.events = .init(
      wanted: known(old.events.wanted), enabled: known(old.events.enabled), missing: known(old.events.missing))
    leftOut += old.events.wanted.count - manifest.events.wanted.count
    manifest.interference = old.interference.map { $0.map { _ in "something of its instances was changed" } }
    // They name files and processes.
    manifest.notes = old.notes.filter { $0.hasPrefix("no snapshots, because") }
    leftOut += old.notes.count - manifest.notes.count
  }

  /// Records that were left out were not read, as far as the new trace goes.
  mutating func subtract(_ leftOut: [TraceRewriting.LeftOut], buffers: [String]) {
    for part in leftOut {
      let name = buffers[part.buffer]
      let index = manifest.cpuStats.firstIndex {
        $0.cpu == Int(part.cpu) && ($0.buffer == name || (name.isEmpty && $0.buffer == "host"))
      }
      if let index { manifest.cpuStats[index].read -= min(manifest.cpuStats[index].read, part.records) }
    }
  }

  /// A switch or a number.
  private static func isConfiguration(_ name: String, _ value: String) -> Bool {
    name.hasPrefix("CONFIG_") && (["y", "m", "n"].contains(value) || UInt64(value) != nil)
  }

  /// Under these are numbers and choices. `/proc/cmdline` and `/proc/swaps` name disks.
  private static func isHarmless(knob path: String) -> Bool {
    [
      "/sys/kernel/mm/", "/proc/sys/vm/", "/proc/sys/kernel/numa_balancing", "/proc/sys/kernel/randomize_va_space",
      "/sys/module/zswap/parameters/enabled", "/sys/devices/system/clocksource/", "/proc/meminfo MemTotal",
    ].contains { path.hasPrefix($0) }
  }
}
