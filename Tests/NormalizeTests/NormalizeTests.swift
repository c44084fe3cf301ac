// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import MMEvents
import Normalize
import TraceFile
import Testing

/// The bundled recording of a shell that forks: what the kernel's own process events say must show in the stream.
@Suite("Normalizing the capture of 6.18")
struct NormalizeTests {
  private let events: [MMEventRecord]
  private let gaps: GapCounts
  private let forks: UInt64

  init() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../fixtures/captures/6.18-shell").standardizedFileURL.path
    let reader = try TraceFile.open(path)
    var normalizer = try Normalizer(formats: reader.formats)
    var batch = RecordBatch()
    var events: [MMEventRecord] = []
    let id = try #require(reader.formats.id(ofName: "sched_process_fork"))
    var forks: UInt64 = 0
    while reader.nextBatch(into: &batch) {
      for index in 0..<batch.count where batch[index].eventID == id { forks += 1 }
      normalizer.consume(batch, into: &events)
    }
    normalizer.finish(into: &events)
    self.events = events
    gaps = normalizer.gaps
    self.forks = forks
  }

  @Test("Every fork the scheduler saw has a beginning, copies and an end")
  func everyFork() {
    var begun = Set<MMID>()
    var copied = Set<MMID>()
    var ended = Set<MMID>()
    for record in events {
      switch record.event {
      case .forkBegan(let child): begun.insert(child)
      case .forkCopied(let child, _): copied.insert(child)
      case .forkEnded(let child): ended.insert(child)
      default: break
      }
    }
    #expect(ended.count > 0 && UInt64(ended.count) <= forks)
    #expect(begun == ended && copied == ended)
  }

  @Test("No record was malformed, and no fault lacked an address space")
  func nothingLost() {
    #expect(gaps[.malformedRecords] == 0)
    #expect(gaps[.faultsWithoutMM] <= 1)
  }

  @Test("Nothing happens to an mm after it exited")
  func afterExit() {
    var gone = Set<MMID>()
    for record in events {
      guard let mm = record.mm else { continue }
      if case .removalEnded = record.event { continue }
      #expect(!gone.contains(mm), "seq \(record.sequence.rawValue)")
      if case .mmExited = record.event { gone.insert(mm) }
    }
    #expect(!gone.isEmpty)
  }
}
