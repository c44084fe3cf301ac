// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Testing
import TraceFile

@Suite("Merge")
struct MergeTests {
  @Test("CPUs are merged by time, equal times by CPU, and within a CPU in file order")
  func ties() throws {
    func page(_ times: [UInt64], base: UInt16) -> [UInt8] {
      var page = PageBuilder(timestamp: 0)
      var last: UInt64 = 0
      for (index, time) in times.enumerated() {
        page.event(delta: time - last, page.payload(id: base + UInt16(index)))
        last = time
      }
      return page.page()
    }
    let bytes = VersionSixBuilder.build(cpus: [
      page([5, 10, 10, 30], base: 100), page([10, 10, 20], base: 200), page([1, 10, 40], base: 300),
    ])
    for batchSize in [1, 2, 3, 100] {
      let records = try TraceFile.open(bytes: bytes, name: "ties").all(batchSize: batchSize)
      #expect(records.map(\.id) == [300, 100, 101, 102, 200, 201, 301, 202, 103, 302])
      #expect(records.map(\.cpu) == [2, 0, 0, 0, 1, 1, 2, 1, 0, 2])
    }
  }

  @Test("Many CPUs of random events come out as a stable sort would put them")
  func random() throws {
    var random = SplitMix(state: 42)
    var expected: [(time: UInt64, cpu: Int, id: UInt16)] = []
    var cpus: [[UInt8]] = []
    var id: UInt16 = 0
    for cpu in 0..<20 {
      var data: [UInt8] = []
      var time: UInt64 = 0
      for _ in 0..<(random.next() % 4) {
        time += random.next() % 50
        var page = PageBuilder(timestamp: time)
        for _ in 0..<(random.next() % 60) {
          let delta = random.next() % 8
          time += delta
          page.event(delta: delta, page.payload(id: id))
          expected.append((time, cpu, id))
          id += 1
        }
        data += page.page()
      }
      cpus.append(data)
    }
    // Swift's sort is stable, and the records were made in order of (CPU, place).
    expected.sort { $0.time < $1.time }
    let records = try TraceFile.open(bytes: VersionSixBuilder.build(cpus: cpus), name: "random").all(batchSize: 33)
    #expect(records.map(\.id) == expected.map(\.id))
    #expect(records.map(\.time) == expected.map(\.time))
    #expect(records.map { Int($0.cpu) } == expected.map(\.cpu))
  }

  @Test("Loss on an empty sub-buffer goes to the next record of that CPU, and adds up")
  func lossTravels() throws {
    var one = PageBuilder(timestamp: 0)
    one.event(delta: 1, one.payload(id: 1))
    var two = PageBuilder(timestamp: 50)
    two.event(delta: 1, two.payload(id: 2))
    let data = one.page() + PageBuilder().page(loss: .counted(3)) + two.page(loss: .counted(4))
    let reader = try TraceFile.open(bytes: VersionSixBuilder.build(cpus: [data]), name: "loss")
    #expect(reader.all().map(\.lostBefore) == [0, 7])
    #expect(reader.lost.first?.lost.counted == 7)
    #expect(reader.summary().lost.first?.lost.counted == 7)
  }

  /// A sub-buffer with one record of this time.
  private func page(_ time: UInt64, loss: PageBuilder.LossMark = .none) -> [UInt8] {
    var page = PageBuilder(timestamp: time)
    page.event(delta: 0, page.payload(id: UInt16(time)))
    return page.page(loss: loss)
  }

  /// The times of the records, and the marks as (records before, CPU), whatever the size of the batches.
  private func walk(_ bytes: [UInt8], batchSize: Int) throws -> (times: [UInt64], marks: [[Int]], TraceReader) {
    let reader = try TraceFile.open(bytes: bytes, name: "loss")
    var batch = RecordBatch(capacity: batchSize)
    var (times, marks): ([UInt64], [[Int]]) = ([], [])
    while reader.nextBatch(into: &batch) {
      marks += batch.lossMarks.map { [times.count + $0.position, Int($0.cpu)] }
      times += (0..<batch.count).map { batch[$0].timestamp }
    }
    return (times, marks, reader)
  }

  @Test(
    "Loss is marked behind the CPU's last record before it, though others' come in between", arguments: [1, 2, 100])
  func lossIsMarked(_ batchSize: Int) throws {
    let bytes = VersionSixBuilder.build(cpus: [
      page(10) + page(20) + page(30) + page(40), page(11) + page(35, loss: .counted(7)), page(25, loss: .uncounted),
    ])
    let (times, marks, _) = try walk(bytes, batchSize: batchSize)
    #expect(times == [10, 11, 20, 25, 30, 35, 40])
    #expect(marks == [[0, 2], [2, 1]])
  }

  @Test(
    "A CPU that the file cuts off is missing from its last record on; one that ends before is not", arguments: [1, 9])
  func cutOff(_ batchSize: Int) throws {
    let whole = VersionSixBuilder.build(cpus: [page(10), page(11) + page(50), page(5) + page(20) + page(30)])
    let (times, marks, reader) = try walk(Array(whole.dropLast(8192)), batchSize: batchSize)
    #expect(times == [5, 10, 11, 50])
    #expect(marks == [[1, 2]])
    #expect(reader.lost.map(\.lost.uncountedGaps) == [0, 0, 1])
    // Nothing of the last two is left.
    let (rest, all, _) = try walk(Array(whole.dropLast(5 * 4096)), batchSize: batchSize)
    #expect(rest == [10] && all == [[0, 1], [0, 2]])
  }

  @Test("A sub-buffer that is older than the one before it is damage and loss; its records are there")
  func backwards() throws {
    let bytes = VersionSixBuilder.build(cpus: [page(10) + page(30) + page(20) + page(40)])
    let (times, marks, reader) = try walk(bytes, batchSize: 10)
    #expect(times == [10, 30, 20, 40] && marks == [[2, 0]])
    #expect(reader.damages.map(\.reason) == [.record(.timeBackwards(from: 30, to: 20))])
    #expect(reader.lost[0].lost.uncountedGaps == 1)
  }

  @Test(
    "Batches filled ahead of use still point to their records",
    arguments: ["shell.dat", "two-buffers-zstd.dat", "shell-report.txt"])
  func filledAhead(_ name: String) throws {
    final class Held { var batch = RecordBatch(capacity: 50) }
    let path = Fixture.root.appendingPathComponent("fixtures/tracefile/\(name)").path
    let reader = try TraceFile.open(path)
    var filled: [Held] = []
    var spare = (0..<8).map { _ in Held() }
    var records: [Copied] = []
    // Eight are filled before the first is used; then one is filled again for every one used.
    while true {
      if let next = spare.popLast() {
        guard reader.nextBatch(into: &next.batch) else { break }
        filled.append(next)
      } else {
        let used = filled.removeFirst()
        records += Copied.all(of: used.batch)
        spare.append(used)
      }
    }
    for held in filled { records += Copied.all(of: held.batch) }
    #expect(records.count > 1000)
    #expect(try TraceFile.open(path).all() == records)
  }
}
