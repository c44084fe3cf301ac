// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import MMEvents
import Normalize
import Replay
import Report
import TraceFile
import Testing

@testable import Pipeline

/// What threads, batches and blocks do for speed must not show: the plain way gives the same bytes.
@Suite("Against the plain path")
struct PlainPathTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../fixtures")
    .standardizedFileURL
  static let traces = [
    "captures/6.18-shell", "tracefile/two-buffers-zstd.dat", "tracefile/shell.dat", "tracefile/shell-report.txt",
  ].map { fixtures.appending(path: $0).path }

  @Test("The events of batches read ahead are those of records taken one by one", arguments: traces)
  func events(_ path: String) throws {
    let text = EventJSON(pageShift: 12)
    let reader = try TraceFile.open(path)
    var normalizer = try Normalizer(formats: reader.formats)
    var batch = RecordBatch(capacity: 1)
    var expected = LineBuffer()
    var events: [MMEventRecord] = []
    while reader.nextBatch(into: &batch) { normalizer.consume(batch, into: &events) }
    normalizer.finish(into: &events)
    for event in events { text.append(event, to: &expected) }
    #expect(events.count > 500)

    for ahead in [true, false] {
      var lines = LineBuffer()
      try Analysis(path: path).forEachBatch(ahead: ahead) { events in
        for event in events { text.append(event, to: &lines) }
        return true
      }
      #expect(lines.bytes == expected.bytes)
    }
  }

  @Test("A replay on three threads gives the bytes of one on one thread", arguments: traces)
  func replay(_ path: String) throws {
    try expectSameResults(path)
  }

  @Test("So does one of a damaged capture, damage behind the last history included")
  func damaged() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "cowscope-plain-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = directory.appending(path: "trace.dat").path
    var bytes = [UInt8](try Data(contentsOf: Self.fixtures.appending(path: "tracefile/shell.dat")))
    // The last sub-buffer has events: its commit word names more bytes than there are.
    let size = try TraceFile.open(Self.traces[2]).buffers[0].subBufferSize
    for offset in 8..<10 { bytes[bytes.count - size + offset] = 0xff }
    try Data(bytes).write(to: URL(filePath: path))
    let result = try expectSameResults(path)
    #expect(result.gaps[.damagedPlaces] == 1)
  }

  @discardableResult
  private func expectSameResults(_ path: String) throws -> ReplayResult {
    var options = Analysis.Options()
    options.explainsFindings = true
    let plain = try Analysis(path: path, readsAhead: false).replay(options)
    let ahead = try Analysis(path: path).replay(options)
    #expect(try ResultWriter().lines(of: ahead) == ResultWriter().lines(of: plain))
    #expect(
      try ResultWriter().verification(of: ahead, explains: true)
        == ResultWriter().verification(of: plain, explains: true))
    return ahead
  }

  @Test("What the model throws, and an early end, reach the caller and stop the reader")
  func errors() throws {
    struct Enough: Error {}
    let analysis = Analysis(path: Self.traces[0])
    #expect(throws: Enough.self) { try analysis.forEachBatch(ahead: true) { _ in throw Enough() } }
    var batches = 0
    try analysis.forEachBatch(ahead: true) { _ in
      batches += 1
      return false
    }
    #expect(batches == 1)
  }
}
