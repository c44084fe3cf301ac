// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Testing
import TraceFile

@Suite("Snapshots")
struct SnapshotTests {
  static func snapshot(_ index: UInt32) throws -> Snapshot {
    let lines = [
      "555555554000-555555556000 r-xp 00001000 fe:01 1234                       /usr/bin/my program",
      "7ffff7a00000-7ffff7b00000 rw-p 00000000 00:00 0 ",
      "7ffff7c00000-7ffff7d00000 rw-s 00000000 00:01 77                         /dev/zero (deleted)",
    ]
    return Snapshot(
      index: index, pid: 100 + Int32(index), processStartTime: 5_000, beginTime: 10, endTime: 20, wasFrozen: true,
      pageTableBytes: index == 1 ? nil : 12 << 12,
      vmas: try lines.map { try #require(SnapshotVMA(mapsLine: $0)) },
      pages: [3, 4, 5, 9, 10, 0x7_ffff_7a00].map {
        SnapshotPage(virtualPage: $0, pagemap: 1 << 63 | 1 << 56 | 1000 + $0 & 0xffff, pageFlags: 1 << 34)
      })
  }

  static func write(_ path: String) throws {
    var writer = try SnapshotFileWriter(creating: path, pageSize: 4096, clock: "mono")
    for index in 0..<3 as Range<UInt32> { try writer.append(try snapshot(index)) }
    try writer.finish()
  }

  @Test("What was written is read back")
  func roundTrip() throws {
    try Fixture.withScratch { scratch in
      try Self.write(scratch + "/s")
      let file = try SnapshotFile.open(scratch + "/s")
      #expect(file.count == 3 && file.pageSize == 4096 && file.clock == "mono" && file.damage == nil)
      for position in 0..<3 { #expect(try file.snapshot(at: position) == Self.snapshot(UInt32(position))) }
      let page = try file.snapshot(at: 0).pages[0]
      #expect(page.isPresent && page.isExclusivelyMapped && !page.isSwapped && page.pfn == 1003)
    }
  }

  @Test("A frame that no machine has, or a page that no address reaches, spoils its snapshot and no other")
  func impossible() throws {
    try Fixture.withScratch { scratch in
      var writer = try SnapshotFileWriter(creating: scratch + "/s", pageSize: 4096, clock: "mono")
      var odd = try Self.snapshot(0)
      odd.pages[0].pagemap = 1 << 63 | 1 << 34
      try writer.append(odd)
      odd = try Self.snapshot(1)
      odd.pages[5].virtualPage = 1 << 52
      try writer.append(odd)
      odd = try Self.snapshot(2)
      odd.pages[0].pagemap = 1 << 63 | (1 << 34 - 1)
      odd.pages[5].virtualPage = 1 << 52 - 2
      try writer.append(odd)
      let file = try SnapshotFile.open(scratch + "/s")
      for position in 0..<2 { #expect(throws: TraceFileError.self) { try file.snapshot(at: position) } }
      #expect(try file.snapshot(at: 2) == odd)
    }
  }

  @Test("A file of version 1 has no bytes of page tables; of a later version than ours nothing is read")
  func olderVersion() throws {
    try Fixture.withScratch { scratch in
      try Self.write(scratch + "/s")
      let written = [UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch + "/s")))
      let header = 32
      let each = (written.count - header) / 3
      func write(version: UInt8, dropping: Int) throws {
        var bytes = written[..<header]
        bytes[8] = version
        for index in 0..<3 {
          var record = Array(written[(header + index * each)..<(header + (index + 1) * each)])
          record.removeLast(dropping)
          let length = UInt64(record.count - 12)
          for byte in 0..<8 { record[4 + byte] = UInt8(truncatingIfNeeded: length >> UInt64(8 * byte)) }
          bytes += record
        }
        try Data(bytes).write(to: URL(fileURLWithPath: scratch + "/v"))
      }
      try write(version: 1, dropping: 8)
      let old = try SnapshotFile.open(scratch + "/v")
      for position in 0..<3 {
        var expected = try Self.snapshot(UInt32(position))
        expected.pageTableBytes = nil
        #expect(try old.snapshot(at: position) == expected)
      }
      try write(version: 3, dropping: 0)
      #expect(throws: TraceFileError.self) { try SnapshotFile.open(scratch + "/v") }
    }
  }

  @Test("A line of /proc/PID/maps")
  func maps() throws {
    let vmas = try Self.snapshot(0).vmas
    #expect(vmas.map(\.kind) == [.file, .anonymous, .shmem])
    #expect(vmas[0].name == "/usr/bin/my program" && vmas[0].offset == 0x1000 && vmas[0].device == 0xfe << 32 | 1)
    #expect(vmas[0].isReadable && !vmas[0].isWritable && vmas[0].isExecutable && !vmas[0].isShared)
    #expect(vmas[2].isShared)
    #expect(SnapshotVMA(mapsLine: "nonsense") == nil)
    #expect(SnapshotVMA(mapsLine: "2000-1000 rw-p 0 0:0 0") == nil)
    let own = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
    for line in own.split(separator: "\n") { #expect(SnapshotVMA(mapsLine: line) != nil, "\(line)") }
  }

  @Test("Cut at every byte: the whole snapshots before the cut, then a damage")
  func truncation() throws {
    try Fixture.withScratch { scratch in
      try Self.write(scratch + "/s")
      let whole = try Data(contentsOf: URL(fileURLWithPath: scratch + "/s"))
      let header = 32
      let each = (whole.count - header) / 3
      for length in stride(from: 0, to: whole.count, by: 7) {
        try whole[..<length].write(to: URL(fileURLWithPath: scratch + "/cut"))
        guard length >= header else {
          #expect(throws: TraceFileError.self) { try SnapshotFile.open(scratch + "/cut") }
          continue
        }
        let file = try SnapshotFile.open(scratch + "/cut")
        #expect(file.count == (length - header) / each)
        #expect((file.damage == nil) == ((length - header) % each == 0))
      }
    }
  }

  @Test("Bit flips end in an error or in a snapshot, never in a crash")
  func bitFlips() throws {
    try Fixture.withScratch { scratch in
      try Self.write(scratch + "/s")
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch + "/s")))
      var random = SplitMix(state: 7)
      for _ in 0..<500 {
        var bytes = whole
        bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
        try Data(bytes).write(to: URL(fileURLWithPath: scratch + "/flipped"))
        do throws(TraceFileError) {
          let file = try SnapshotFile.open(scratch + "/flipped")
          for position in 0..<file.count { _ = try file.snapshot(at: position) }
        } catch {
          #expect(error.file == scratch + "/flipped")
        }
      }
    }
  }
}
