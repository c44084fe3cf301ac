// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Normalize
import Pipeline
package import TraceFile

/// Makes a capture that can be shared of one that cannot: same events, other names, addresses, frames and pointers.
///
/// What is written is made anew, from what was read and is known: a field, a file or a setting that nobody here knows is
/// not in it.
package struct CaptureAnonymizer {
  package struct Summary: Equatable, Sendable {
    /// Records of unknown events, which are left out, by event.
    package var leftOut: [String: UInt64] = [:]
    /// Settings and notes of the manifest that are left out.
    package var settings = 0
  }

  private let reader: TraceReader
  private let secret: Secret
  private let names: Pseudonyms
  private let plans: RecordPlans
  private let snapshots: SnapshotFile?
  private let survey: CaptureSurvey
  private let rewriter: RecordRewriter

  /// Reads all of the capture; refuses what cannot be read as a whole.
  package init(_ path: String, secret: Secret) throws {
    reader = try TraceFile.open(path)
    guard reader.lines == nil else {
      throw AnonymizeError(path: path, reason: "text cannot be anonymized; the trace.dat that it was printed from can")
    }
    if let capture = reader.capture {
      guard capture.isFinished else { throw AnonymizeError(path: path, reason: "the recording has not ended") }
      guard capture.manifest != nil else { throw reader.damages.first ?? Self.noManifest(path) }
    }
    self.secret = secret
    names = Pseudonyms(secret)
    plans = try RecordPlans(reader.formats)
    var survey = CaptureSurvey(pageSize: reader.pageSize)
    survey.note(reader, plans, reader.machine)
    if let damage = reader.damages.first { throw damage }
    snapshots = try Self.snapshots(of: reader)
    if let snapshots { for position in 0..<snapshots.count { survey.note(try snapshots.snapshot(at: position)) } }
    self.survey = survey
    rewriter = RecordRewriter(
      plans: plans, machine: reader.machine,
      addresses: AddressMap(survey.addresses, pageSize: reader.pageSize, secret: secret),
      frames: FrameMap(survey.frames, secret: secret),
      pointers: survey.pointers, hashes: survey.hashes, names: names)
  }

  private static func noManifest(_ path: String) -> AnonymizeError {
    AnonymizeError(path: path, reason: "capture.json cannot be read")
  }

  private static func snapshots(of reader: TraceReader) throws -> SnapshotFile? {
    guard let path = reader.capture?.directory.snapshotPath, TraceFile.exists(path) else { return nil }
    let file = try SnapshotFile.open(path)
    if let damage = file.damage { throw damage }
    return file
  }

  /// What the new manifest is; `nil` of a single file.
  package var manifest: CaptureManifest? { anonymousManifest?.manifest }

  private var anonymousManifest: AnonymousManifest? {
    reader.capture?.manifest.map { AnonymousManifest($0, names) }
  }

  /// Writes `trace.dat`, `snapshots.bin` and `capture.json` into a directory that is there.
  package func write(into directory: CaptureDirectory) throws -> Summary {
    var summary = Summary(leftOut: survey.unknown)
    let leftOut = try writeTrace(directory.tracePath)
    if let snapshots { try write(snapshots, to: directory.snapshotPath) }
    if var anonymous = anonymousManifest {
      anonymous.subtract(leftOut, buffers: reader.buffers.map(\.name))
      summary.settings = anonymous.leftOut
      try anonymous.manifest.write(directory.manifestPath)
    }
    return summary
  }

  /// Writes a single trace.dat.
  package func write(to path: String) throws -> Summary {
    _ = try writeTrace(path)
    return Summary(leftOut: survey.unknown)
  }

  private func writeTrace(_ path: String) throws -> [TraceRewriting.LeftOut] {
    let (known, names) = (plans.names, names)
    var rewriting = TraceRewriting(
      keepsFormat: { known.contains("\($0):\($1)") },
      bufferName: { ["host", "task"].contains($0) ? $0 : names.name($0) })
    // The reader takes the first word that begins with a digit for the release, the last for the machine.
    if let release = reader.release, let machine = reader.metadata.kernel?.split(separator: " ").last {
      rewriting.uname = "Linux \(release) \(reader.capture?.manifest?.machine ?? String(machine))"
    }
    rewriting.recorder = reader.metadata.recorder.map { $0.hasPrefix("cowscope ") ? $0 : names.name($0) }
    rewriting.savedCommands = Array(
      survey.commands.sorted { $0.key < $1.key }.map { "\($0.key) \(names.name($0.value))\n" }.joined().utf8)
    return try unsafe reader.rewrite(to: path, rewriting) { unsafe rewriter.write($0, into: $1) }
  }

  private func write(_ snapshots: SnapshotFile, to path: String) throws {
    var writer = try SnapshotFileWriter(creating: path, pageSize: snapshots.pageSize, clock: snapshots.clock)
    let rewriter = SnapshotRewriter(
      addresses: rewriter.addresses, frames: rewriter.frames, names: names, pageSize: UInt64(snapshots.pageSize))
    for position in 0..<snapshots.count {
      try writer.append(rewriter.rewritten(try snapshots.snapshot(at: position)))
    }
    try writer.finish()
  }
}
