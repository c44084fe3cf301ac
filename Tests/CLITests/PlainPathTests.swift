// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Foundation
import MMEvents
import Normalize
import Replay
import Report
import TraceFile
import Testing

@testable import cowscope

/// What threads, batches and blocks do for speed must not show: the plain way gives the same bytes.
@Suite("Against the plain path")
struct PlainPathTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../fixtures")
    .standardizedFileURL
  static let traces = [
    "captures/6.18-shell", "tracefile/two-buffers-zstd.dat", "tracefile/shell.dat", "tracefile/shell-report.txt",
  ].map { fixtures.appending(path: $0).path }

  private func verbosity() throws -> Verbosity { try Verbosity.parse(["-q"]) }

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
      try Analysis(path: path, verbosity: verbosity()).forEachBatch(ahead: ahead) { events in
        for event in events { text.append(event, to: &lines) }
        return true
      }
      #expect(lines.bytes == expected.bytes)
    }
  }

  @Test("A replay on three threads gives the bytes of one on one thread", arguments: traces)
  func replay(_ path: String) throws {
    let plain = try Analysis(path: path, verbosity: verbosity(), readsAhead: false).replay(Analysis.Options())
    let ahead = try Analysis(path: path, verbosity: verbosity()).replay(Analysis.Options())
    #expect(try ResultWriter().lines(of: ahead) == ResultWriter().lines(of: plain))
  }

  @Test("What the model throws, and an early end, reach the caller and stop the reader")
  func errors() throws {
    struct Enough: Error {}
    let analysis = Analysis(path: Self.traces[0], verbosity: try verbosity())
    #expect(throws: Enough.self) { try analysis.forEachBatch(ahead: true) { _ in throw Enough() } }
    var batches = 0
    try analysis.forEachBatch(ahead: true) { _ in
      batches += 1
      return false
    }
    #expect(batches == 1)
  }
}
