// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Testing
import TraceFile

/// Broken input must end in an error or in a result that is marked; these tests mostly fail by crashing.
@Suite("Damaged files")
struct DamageTests {
  struct Outcome {
    var records = 0
    var isMarked = false
  }

  /// Opens, reads to the end, and parses every format when asked.
  static func read(_ bytes: [UInt8], parseFormats: Bool) -> Outcome {
    var outcome = Outcome()
    do throws(TraceFileError) {
      let reader = try TraceFile.open(bytes: bytes, name: "damaged")
      var batch = RecordBatch()
      while reader.nextBatch(into: &batch) { outcome.records += batch.count }
      outcome.isMarked = reader.damageCount > 0
      if parseFormats {
        for name in reader.formats.names {
          let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
          _ = try reader.formats.format(named: String(parts.last ?? ""))
        }
      }
    } catch {
      outcome.isMarked = true
    }
    return outcome
  }

  @Test("Cut anywhere: the whole records before the cut, and a mark", arguments: ["6", "7", "zlib"])
  func truncation(_ form: String) throws {
    let whole: [UInt8] =
      switch form {
      case "6": try Fixture.bytes()
      case "7": VersionSevenBuilder.build(compression: .none, withInstance: true)
      default: VersionSevenBuilder.build(compression: .zlib, withInstance: true)
      }
    let all = Self.read(whole, parseFormats: false)
    #expect(!all.isMarked)
    var before = 0
    for length in stride(from: 0, to: whole.count, by: form == "6" ? 4096 : 97) + [whole.count - 1] {
      let outcome = Self.read(Array(whole[..<length]), parseFormats: false)
      #expect(outcome.isMarked || outcome.records == all.records, "cut at \(length)")
      #expect(outcome.records >= before && outcome.records <= all.records)
      before = outcome.records
    }
  }

  @Test("A cut names the file and the place")
  func cutIsNamed() throws {
    let whole = try Fixture.bytes()
    let reader = try TraceFile.open(bytes: Array(whole[..<(whole.count - 6000)]), name: "cut.dat")
    let damage = try #require(reader.damages.first)
    #expect(damage.file == "cut.dat")
    #expect(damage.offset == UInt64(whole.count - 6000))
    #expect(damage.reason == .truncated("the data of CPU 0") || damage.reason == .truncated("the data of CPU 1"))
  }

  @Test("Random bit flips", arguments: 0..<4)
  func bitFlips(_ part: UInt64) throws {
    let whole = try Fixture.bytes()
    let prefix = 40_000
    var random = SplitMix(state: 0xc0c0_0000 + part)
    for round in 0..<300 {
      var bytes = whole
      for _ in 0...Int(random.next() % 4) {
        let limit = round % 2 == 0 ? UInt64(prefix) : UInt64(bytes.count)
        bytes[Int(random.next() % limit)] ^= 1 << UInt8(random.next() % 8)
      }
      _ = Self.read(bytes, parseFormats: round % 2 == 0)
    }
  }

  @Test("Random bit flips in the small version 7 files, plain and compressed", arguments: 0..<4)
  func bitFlipsVersion7(_ part: UInt64) throws {
    var random = SplitMix(state: 0x7c7c_0000 + part)
    let forms = [
      VersionSevenBuilder.build(compression: .none, withInstance: true),
      VersionSevenBuilder.build(compression: .zlib, withInstance: true),
    ]
    for round in 0..<500 {
      var bytes = forms[round % 2]
      for _ in 0...Int(random.next() % 4) {
        bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
      }
      _ = Self.read(bytes, parseFormats: false)
    }
  }

  @Test("Not a trace at all")
  func foreign() throws {
    try Fixture.withScratch { scratch in
      func reason(_ path: String) -> TraceFileError.Reason? {
        do {
          _ = try TraceFile.open(path)
          return nil
        } catch {
          return error.reason
        }
      }
      try Data().write(to: URL(fileURLWithPath: scratch + "/empty"))
      #expect(reason(scratch + "/empty") == .notATrace)
      try Data("\u{7f}ELF and more".utf8).write(to: URL(fileURLWithPath: scratch + "/foreign"))
      #expect(reason(scratch + "/foreign") == .notATrace)
      #expect(reason(scratch) == .notACapture)
      #expect(reason(scratch + "/missing") == .system(call: "open", errno: ENOENT))
      #expect(reason("/dev/null") == .notAFile)
      var future = try Fixture.bytes()
      future[10] = UInt8(ascii: "8")
      #expect(throws: TraceFileError(file: "f", offset: 10, reason: .unsupportedVersion("8"))) {
        try TraceFile.open(bytes: future, name: "f")
      }
    }
  }

  @Test("A broken sub-buffer costs its rest; the next record of that CPU says that something is missing")
  func brokenSubBuffer() throws {
    var pages: [UInt8] = []
    var first = PageBuilder(timestamp: 0)
    first.event(delta: 1, first.payload(id: 1))
    first.word(0, 0)
    first.raw(first.bytes(2, 4))
    var second = PageBuilder(timestamp: 100)
    second.event(delta: 1, second.payload(id: 2))
    second.event(delta: 1, second.payload(id: 3))
    pages = first.page() + second.page()
    let bytes = VersionSixBuilder.build(cpus: [pages])
    let reader = try TraceFile.open(bytes: bytes, name: "broken")
    let records = reader.all()
    #expect(records.map(\.id) == [1, 2, 3])
    #expect(records.map(\.lostBefore) == [0, -1, 0])
    #expect(reader.damages.map(\.reason) == [.record(.lengthTooSmall(2))])
    #expect(reader.damages.first?.offset == UInt64(bytes.count - 8192 + 24))
    #expect(reader.lost[0].lost.uncountedGaps == 1)
  }
}

/// A seeded generator: the same cases every time.
struct SplitMix {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

private func + (a: StrideTo<Int>, b: [Int]) -> [Int] { Array(a) + b }
