// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Testing
import TraceFile

@Suite("Against a plain reader")
struct ReferenceTests {
  private static let twoBuffers = Fixture.root.appendingPathComponent("fixtures/captures/6.18-shell/trace.dat").path

  @Test(
    "Every record of every bundled trace, byte for byte, whatever the batches", arguments: [Fixture.shell, twoBuffers])
  func version6(_ path: String) throws {
    let expected = try ReferenceReader(version6: [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))).records
    #expect(expected.count > 1000)
    for batchSize in [1, 7, 1024, 100_000] {
      let reader = try TraceFile.open(path)
      #expect(reader.all(batchSize: batchSize) == expected)
      #expect(reader.damages.isEmpty)
    }
  }

  @Test("A v7 file converted by trace-cmd holds the same records, though it misstates the size of its sub-buffers")
  func convertedWithWrongSize() throws {
    let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Self.twoBuffers)))
    let expected = try ReferenceReader(version6: original).records
    let path = Fixture.root.appendingPathComponent("fixtures/tracefile/two-buffers-zstd.dat").path
    let reader = try TraceFile.open(path)
    #expect(reader.buffers.map(\.subBufferSize) == [65536, 65536])
    #expect(reader.all(batchSize: 512) == expected)
    #expect(reader.damages.isEmpty)
    #expect(reader.summary().records == UInt64(expected.count))
  }

  @Test("The text that trace-cmd makes of a trace has its records and times")
  func text() throws {
    let expected = try ReferenceReader(version6: Fixture.bytes()).records
    let reader = try TraceFile.open(Fixture.root.appendingPathComponent("fixtures/tracefile/shell-report.txt").path)
    let records = reader.all()
    #expect(records.map(\.cpu) == expected.map(\.cpu))
    // Text has microseconds, rounded.
    #expect(zip(records, expected).allSatisfy { $0.time.distance(to: $1.time).magnitude <= 500 })
  }
}
