// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Testing
import TraceFile

@Suite("trace.dat")
struct TraceDatTests {
  @Test("Version 6, opened and summed up")
  func version6() throws {
    let reader = try TraceFile.open(Fixture.shell)
    #expect(reader.metadata.source == "trace.dat 6")
    #expect(reader.metadata.kernel == "Linux 6.18 x86_64")
    #expect(reader.buffers == [.init(name: "", clock: "local", subBufferSize: 4096, cpus: [0, 1])])
    let records = reader.all()
    #expect(reader.damages.isEmpty)
    #expect(zip(records, records.dropFirst()).allSatisfy { ($0.time, $0.cpu) <= ($1.time, $1.cpu) })
    let summary = reader.summary()
    #expect(summary.records == UInt64(records.count))
    #expect(summary.events.values.reduce(0, +) == summary.records)
    #expect(summary.firstTime == records.first?.time && summary.lastTime == records.last?.time)
    #expect(summary.lost.filter { !$0.lost.isNone }.isEmpty)
    reader.rewind()
    #expect(reader.all(batchSize: 7) == records)
  }

  @Test(
    "Every record and field agrees with trace-cmd", .enabled(if: Fixture.hasTraceCmd), arguments: ["6", "none", "zstd"])
  func agreesWithTraceCmd(_ form: String) throws {
    try Fixture.withScratch { scratch in
      var path = Fixture.shell
      if form != "6" {
        path = scratch + "/converted.dat"
        try Fixture.run(
          "/usr/bin/trace-cmd", "convert", "--file-version", "7", "--compression", form, "-i", Fixture.shell, "-o", path
        )
      }
      let reader = try TraceFile.open(path)
      #expect(reader.metadata.source == (form == "6" ? "trace.dat 6" : "trace.dat 7 (\(form))"))
      let lines = try Fixture.run("/usr/bin/trace-cmd", "report", "-R", "-t", "-i", path).split(separator: "\n")
        .filter { !$0.hasPrefix("cpus=") }
      var batch = RecordBatch()
      var position = 0
      while reader.nextBatch(into: &batch) {
        for index in 0..<batch.count {
          try #require(position < lines.count)
          try compare(batch[index], with: lines[position], reader)
          position += 1
        }
      }
      #expect(position == lines.count)
      #expect(reader.damages.isEmpty)
    }
  }

  /// `  sh-22697 [000]  4472.575186123: mm_page_free:  pfn=0x129bfe order=0`
  private func compare(_ record: RawRecord, with line: Substring, _ reader: TraceReader) throws {
    let parts = line.split(separator: " ", omittingEmptySubsequences: true)
    let bracket = try #require(parts.firstIndex { $0.hasPrefix("[") })
    #expect(parts[bracket] == "[\(String(repeating: "0", count: 3 - "\(record.cpu)".count))\(record.cpu)]")
    let digits = parts[bracket + 1].filter(\.isNumber)
    #expect(UInt64(digits) == record.timestamp)
    let format = try #require(try reader.formats.format(id: record.eventID))
    #expect(parts[bracket + 2] == "\(format.name):")
    let pid = try #require(format.field("common_pid")?.loadInt64(from: record))
    #expect(parts[bracket - 1].hasSuffix("-\(pid)"))
    for field in format.fields {
      guard let text = parts.first(where: { $0.hasPrefix(field.name + "=") })?.dropFirst(field.name.count + 1) else {
        // trace-cmd prints nothing after the name of an empty field.
        continue
      }
      switch field.layout.kind {
      case .scalar:
        let value = try #require(field.layout.loadInt64(from: record))
        // These print formats say %lx without a prefix.
        let isHexadecimal = text.hasPrefix("0x") || ["clone_flags", "sa_flags", "sa_handler"].contains(field.name)
        if isHexadecimal {
          let bits =
            UInt64(bitPattern: value) & (field.layout.size < 8 ? 1 << (8 * UInt64(field.layout.size)) - 1 : .max)
          #expect(UInt64(text.hasPrefix("0x") ? text.dropFirst(2) : text, radix: 16) == bits, "\(line)")
        } else if let number = Int64(text) {
          #expect(number == value, "\(line)")
        }
      case .array, .dataLocation, .relativeLocation:
        let string = try #require(field.layout.loadString(from: record))
        #expect(string.split(separator: " ").first == text, "\(line)")
      case .opaque: Issue.record("no event of the fixture has such a field: \(field.name)")
      }
    }
  }

  @Test("A zlib file is read like the others")
  func zlib() throws {
    let bytes = VersionSevenBuilder.build(compression: .zlib)
    let reader = try TraceFile.open(bytes: bytes, name: "zlib")
    #expect(reader.metadata.source == "trace.dat 7 (zlib)")
    #expect(reader.all().map(\.id) == [1, 2, 3])
    #expect(reader.damages.isEmpty)
  }

  @Test("Instances of version 7 have their own sub-buffer size and clock")
  func instances() throws {
    let reader = try TraceFile.open(
      bytes: VersionSevenBuilder.build(compression: .none, withInstance: true), name: "v7")
    #expect(
      reader.buffers == [
        .init(name: "", clock: "local", subBufferSize: 4096, cpus: [5]),
        .init(name: "marks", clock: "mono", subBufferSize: 8192, cpus: [0]),
      ])
    let records = reader.all()
    #expect(records.map(\.id) == [1, 9, 2, 3])
    #expect(records.map(\.buffer) == [0, 1, 0, 0])
    #expect(records.map(\.cpu) == [5, 0, 5, 5])
  }

  @Test("OFFSET and DATE shift, TSC2NSEC scales first")
  func timeOptions() throws {
    let plain = try TraceFile.open(bytes: VersionSevenBuilder.build(compression: .none), name: "v7").all().map(\.time)
    func times(_ options: [(UInt16, [UInt8])]) throws -> [UInt64] {
      try TraceFile.open(bytes: VersionSevenBuilder.build(compression: .none, options: options), name: "v7").all()
        .map(\.time)
    }
    #expect(try times([(7, Array("-100\0".utf8))]) == plain.map { $0 - 100 })
    #expect(try times([(1, Array("0x10\0".utf8))]) == plain.map { $0 + 16_000 })
    var scale = LittleBytes()
    scale.add32(6)
    scale.add32(2)
    scale.add64(0)
    #expect(try times([(14, scale.bytes), (7, Array("7".utf8))]) == plain.map { ($0 * 6) >> 2 + 7 })
    // An option nobody knows is passed over.
    #expect(try times([(999, [1, 2, 3])]) == plain)
  }

  @Test("Opening reads no format that is not asked for, and an unknown name is nil")
  func formats() throws {
    let reader = try TraceFile.open(Fixture.shell)
    #expect(reader.formats.names.contains("kmem:mm_page_alloc"))
    #expect(try reader.formats.format(named: "no_such_event") == nil)
    let alloc = try #require(try reader.formats.format(named: "mm_page_alloc"))
    #expect(alloc.id == reader.formats.id(ofName: "mm_page_alloc"))
    #expect(alloc.field("pfn")?.size == 8)
    let flags = try #require(alloc.symbols(of: "gfp_flags"))
    let user = try #require(flags.value(ofText: "GFP_HIGHUSER_MOVABLE|__GFP_COMP"))
    #expect(flags.text(of: user) == "GFP_HIGHUSER_MOVABLE|__GFP_COMP")
    let rss = try #require(try reader.formats.format(named: "rss_stat"))
    #expect(rss.symbols(of: "member")?.value(of: "MM_ANONPAGES") == 1)
    #expect(rss.field("size")?.isSigned == true)
  }
}
