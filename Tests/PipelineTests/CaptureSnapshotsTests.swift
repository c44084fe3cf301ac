// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import MMEvents
import Replay
import TestSupport
import Testing
import TraceFile

@testable import Pipeline

@Suite("Snapshots in the terms of the model")
struct CaptureSnapshotsTests {
  private static let present: UInt64 = 1 << 63
  /// pagemap's bit for a page of a file, and for shared anonymous memory.
  private static let file: UInt64 = 1 << 61
  private static let anonymous: UInt64 = 1 << 12
  private static let exclusive: UInt64 = 1 << 34

  /// `/proc/kpageflags` is read after pagemap: the frame of a file's page may belong to somebody else by then.
  @Test("A file's page is none of the anonymous ones, whatever its frame is used for a moment later")
  func fileFrameReused() throws {
    let scratch = try Scratch()
    let path = scratch.url.appending(path: "snapshots.bin").path
    var writer = try SnapshotFileWriter(creating: path, pageSize: 4096, clock: "mono")
    try writer.append(
      Snapshot(
        index: 7, pid: 100, processStartTime: 0, beginTime: 1, endTime: 2, wasFrozen: false, vmas: [],
        pages: [
          SnapshotPage(
            virtualPage: 0x462, pagemap: Self.present | Self.file | 500, pageFlags: Self.anonymous | Self.exclusive),
          SnapshotPage(virtualPage: 0x463, pagemap: Self.present | 501, pageFlags: Self.anonymous | Self.exclusive),
        ]))
    try writer.finish()
    let snapshots = CaptureSnapshots(try SnapshotFile.open(path), facts: .v6_18)
    let snapshot = try #require(snapshots.snapshot(7))
    #expect(snapshot.anonymous.map(\.page) == [VirtualPage(0x463)])
  }
}
