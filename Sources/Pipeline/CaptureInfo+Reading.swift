// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Report
package import TraceFile

extension CaptureInfo {
  /// Walks over every record of the capture; none is decoded.
  init(reading reader: TraceReader, path: String) {
    var batch = RecordBatch()
    var perID = [UInt64](repeating: 0, count: 1 << 16)
    var records: UInt64 = 0
    var first: UInt64?
    var last: UInt64 = 0
    while reader.nextBatch(into: &batch) {
      for index in 0..<batch.count { perID[Int(batch[index].eventID)] += 1 }
      first = first ?? batch[0].timestamp
      last = batch[batch.count - 1].timestamp
      records += UInt64(batch.count)
    }
    var events: [String: UInt64] = [:]
    for (id, count) in perID.enumerated() where count > 0 {
      events[reader.formats.name(ofID: UInt16(id)) ?? "event \(id) without a format", default: 0] += count
    }
    self.init(
      name: path, kernel: reader.release ?? "unknown", records: records, events: events,
      lost: reader.lostPerCPU, spanNanoseconds: first.map { max(last, $0) - $0 } ?? 0,
      gaps: reader.gaps, facts: CaptureInfo.facts(reader),
      settings: reader.capture?.manifest.map(CaptureInfo.settings) ?? [])
  }

  private static func facts(_ reader: TraceReader) -> [(name: String, value: String)] {
    var facts: [(name: String, value: String)] = [("format", reader.metadata.source)]
    for buffer in reader.buffers {
      let name = buffer.name.isEmpty ? "buffer" : "buffer \(buffer.name)"
      facts.append((name, "clock \(buffer.clock), \(buffer.cpus.count) CPUs, sub-buffers of \(buffer.subBufferSize)"))
    }
    if let capture = reader.capture {
      facts.append(("state", capture.isFinished ? "finished" : "incomplete: recording, or killed while recording"))
    }
    if let manifest = reader.capture?.manifest {
      facts += CaptureInfo.facts(manifest)
    } else if let recorder = reader.metadata.recorder {
      facts.append(("recorder", recorder))
    }
    return facts
  }

  private static func facts(_ manifest: CaptureManifest) -> [(name: String, value: String)] {
    var facts: [(name: String, value: String)] = [
      ("recorder", manifest.recorder), ("machine", manifest.machine),
      ("command", manifest.commandLine.joined(separator: " ")), ("page size", "\(manifest.pageSize)"),
      ("CPUs", "\(manifest.cpuCount)"), ("snapshots", "\(manifest.snapshotCount)"),
      ("events", "\(manifest.events.enabled.count) of \(manifest.events.wanted.count) wanted are enabled"),
    ]
    if !manifest.events.missing.isEmpty {
      facts.append(("events missing", manifest.events.missing.joined(separator: " ")))
    }
    if let status = manifest.commandStatus {
      switch status {
      case .exited(let code): facts.append(("command ended", "exit status \(code)"))
      case .signaled(let signal): facts.append(("command ended", "signal \(signal)"))
      }
    }
    facts += (manifest.interference ?? []).map { ("disturbed", "\($0) while it recorded") }
    return facts + manifest.notes.map { ("note", $0) }
  }

  private static func settings(_ manifest: CaptureManifest) -> [(name: String, value: String)] {
    manifest.kernelConfig.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      + manifest.knobs.sorted { $0.key < $1.key }.map { ($0.key, CaptureInfo.oneLine($0.value)) }
  }

  /// Knobs are whole files: `/proc/swaps` has a line per device.
  private static func oneLine(_ text: String) -> String {
    text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
      .joined(separator: " | ")
  }
}

extension TraceReader {
  /// Loss per CPU over all buffers.
  var lostPerCPU: [(cpu: CPU, count: UInt64?)] {
    var perCPU: [UInt16: UInt64?] = [:]
    for entry in lost {
      let here: UInt64? = entry.lost.uncountedGaps > 0 ? nil : entry.lost.counted
      let before = perCPU[entry.cpu, default: 0]
      perCPU.updateValue(before.flatMap { before in here.map { before &+ $0 } }, forKey: entry.cpu)
    }
    return perCPU.sorted { $0.key < $1.key }.map { (CPU($0.key), $0.value) }
  }

  /// Bytes of a base page. Files of other programs do not say: 4096 then.
  package var pageSize: Int { capture?.manifest?.pageSize ?? 4096 }

  /// `uname -r` of the recording host; `nil` when the capture does not say. Files of trace-cmd hold all that `uname`
  /// printed: the release is the first word that begins with a digit.
  package var release: String? {
    if let toldRelease { return toldRelease }
    if let release = capture?.manifest?.release { return release }
    return metadata.kernel?.split(separator: " ").first { $0.first?.isNumber ?? false && $0.contains(".") }
      .map(String.init)
  }
}
