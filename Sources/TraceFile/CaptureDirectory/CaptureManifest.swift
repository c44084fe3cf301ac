// SPDX-License-Identifier: GPL-2.0-only

internal import FoundationEssentials

/// `capture.json`: what the recording host and the recorder were. Written twice: when recording starts, so that a
/// killed recording has it, and when it ends.
package struct CaptureManifest: Codable, Equatable, Sendable {
  /// Raised when a reader of an older version would misread the file.
  package static let currentFormat = 1

  package var format = CaptureManifest.currentFormat
  /// Program and version that recorded.
  package var recorder: String
  /// `uname -r` and `uname -m`.
  package var release: String
  package var machine: String
  /// `uname -v`.
  package var version: String?
  package var commandLine: [String]
  /// Seconds since 1970.
  package var startTime: Double
  package var endTime: Double?
  /// Base page size in bytes.
  package var pageSize: Int
  package var cpuCount: Int
  /// Trace clock (`mono`, `local`, ...).
  package var clock: String
  /// `CONFIG_...` names and their values (`y`, `m`, a number); absent when unknown.
  package var kernelConfig: [String: String] = [:]
  /// Files under /sys/kernel/mm and /proc/sys/vm, /proc/swaps: path and content.
  package var knobs: [String: String] = [:]
  package var events = Events()
  /// Absent where none were wanted.
  package var probes: Probes?
  /// Processes whose descendants are followed; empty for a system-wide recording.
  package var followedPIDs: [Int32] = []
  package var cpuStats: [CPUStats] = []
  package var commandStatus: CommandStatus?
  package var snapshotCount = 0
  /// Raw swap entry types of migration entries as measured on the host: name (`read`, `readExclusive`, `write`) and
  /// type number.
  package var migrationEntryTypes: [String: UInt64]?
  /// Per-CPU ring buffer size used, and what the recorder would use next time after loss.
  package var bufferKiB: Int?
  package var suggestedBufferKiB: Int?
  /// What somebody else did to the instances while they recorded, such as switching them off: events are missing that
  /// no counter of the kernel knows of. Absent when the instances were found as they had been left.
  package var interference: [String]?
  /// Anything a person should read: why something is missing.
  package var notes: [String] = []

  package struct Events: Codable, Equatable, Sendable {
    /// `system:name`.
    package var wanted: [String] = []
    package var enabled: [String] = []
    package var missing: [String] = []

    package init(wanted: [String] = [], enabled: [String] = [], missing: [String] = []) {
      self.wanted = wanted
      self.enabled = enabled
      self.missing = missing
    }
  }

  /// What was set in the kernel to see what has no tracepoint.
  package struct Probes: Codable, Equatable, Sendable {
    /// As `dynamic_events` takes them, in the group `cowscope`.
    package var set: [String] = []
    package var refused: [Refusal] = []
    /// Hits of which the kernel made no record.
    package var missed: UInt64 = 0

    package struct Refusal: Codable, Equatable, Sendable {
      package var function: String
      package var reason: String

      package init(function: String, reason: String) {
        self.function = function
        self.reason = reason
      }
    }

    package init(set: [String], refused: [Refusal]) {
      self.set = set
      self.refused = refused
    }
  }

  /// `per_cpu/cpuN/stats` at the end of the recording.
  package struct CPUStats: Codable, Equatable, Sendable {
    package var buffer: String
    package var cpu: Int
    package var entries: UInt64
    /// Lost by overwriting.
    package var overrun: UInt64
    /// Lost because the buffer was full (overwrite off).
    package var dropped: UInt64
    package var bytes: UInt64
    package var read: UInt64

    package init(
      buffer: String, cpu: Int, entries: UInt64, overrun: UInt64, dropped: UInt64, bytes: UInt64, read: UInt64
    ) {
      self.buffer = buffer
      self.cpu = cpu
      self.entries = entries
      self.overrun = overrun
      self.dropped = dropped
      self.bytes = bytes
      self.read = read
    }
  }

  /// How the recorded command ended.
  package enum CommandStatus: Codable, Equatable, Sendable {
    case exited(code: Int32)
    case signaled(signal: Int32)
  }

  package init(
    recorder: String, release: String, machine: String, version: String? = nil, commandLine: [String],
    startTime: Double, pageSize: Int, cpuCount: Int, clock: String
  ) {
    self.recorder = recorder
    self.release = release
    self.machine = machine
    self.version = version
    self.commandLine = commandLine
    self.startTime = startTime
    self.pageSize = pageSize
    self.cpuCount = cpuCount
    self.clock = clock
  }

  /// Whether `recorder` is this program, in whatever version.
  package var isOurs: Bool { recorder.hasPrefix("cowscope ") }

  /// Base pages of Linux: 4 KiB to 64 KiB, on hexagon to 256 KiB.
  static func isPageSize(_ size: Int) -> Bool { (4096...(256 << 10)).contains(size) && size.nonzeroBitCount == 1 }

  /// Reads a manifest; fields of newer recorders are ignored.
  package static func read(_ path: String) throws(TraceFileError) -> CaptureManifest {
    let region = try ByteRegion(mapping: path)
    let manifest: CaptureManifest
    do {
      let bytes = unsafe Data(region.bytes(0..<region.count))
      manifest = try JSONDecoder().decode(CaptureManifest.self, from: bytes)
    } catch {
      throw TraceFileError(file: path, offset: nil, reason: .malformed("the manifest (\(error))"))
    }
    guard isPageSize(manifest.pageSize) else {
      throw TraceFileError(
        file: path, offset: nil, reason: .badLength("page size", UInt64(bitPattern: Int64(manifest.pageSize))))
    }
    return manifest
  }

  /// Writes through a temporary name, so that a reader never sees half a manifest.
  package func write(_ path: String) throws(TraceFileError) {
    let text: Data
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      text = try encoder.encode(self)
    } catch {
      throw TraceFileError(file: path, offset: nil, reason: .malformed("the manifest cannot be written (\(error))"))
    }
    try OutputFile.replace(path, with: Array(text))
  }
}
