// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Testing
import TraceFile

@Suite("Capture directory")
struct CaptureDirectoryTests {
  static let pageFormat = """
    name: mark
    ID: 9
    format:
    \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;

    \tfield:unsigned short number;\toffset:2;\tsize:2;\tsigned:0;

    print fmt: "%d", REC->number

    """

  /// A writer, and two buffers of two CPUs in raw files: events 9 at 1001 (CPU 0), 1002 (CPU 1), and at 1003 in the
  /// second buffer.
  static func record(into directory: CaptureDirectory) throws -> (TraceDatWriter, [TraceDatWriter.BufferFiles]) {
    try FileManager.default.createDirectory(atPath: directory.rawPath, withIntermediateDirectories: true)
    var writer = TraceDatWriter(
      headerPage: Array(VersionSevenBuilder.headerPage.utf8), headerEvent: [], ftraceFormats: [],
      subsystems: [.init(name: "test", formats: [Array(pageFormat.utf8)])], cpuCount: 2, subBufferSize: 4096,
      clock: "mono")
    writer.uname = "Linux test"
    var buffers: [TraceDatWriter.BufferFiles] = []
    for (name, cpus) in [("main", [1, 2]), ("marks", [3])] as [(String, [UInt64])] {
      var files: [Int: String] = [:]
      for (cpu, delta) in cpus.enumerated() {
        var page = PageBuilder()
        page.event(delta: delta, page.payload(id: 9, page.bytes(delta, 2)))
        let path = directory.rawPath(buffer: name, cpu: cpu)
        try Data(page.page()).write(to: URL(fileURLWithPath: path))
        files[cpu] = path
      }
      buffers.append(.init(name: name, files: files))
    }
    try directory.writeRawBuffers([
      .init(name: "main", clock: "mono", subBufferSize: 4096, cpus: [0, 1]),
      .init(name: "marks", clock: "mono", subBufferSize: 4096, cpus: [0]),
    ])
    return (writer, buffers)
  }

  private func check(_ reader: TraceReader) throws {
    #expect(
      reader.buffers == [
        .init(name: "", clock: "mono", subBufferSize: 4096, cpus: [0, 1]),
        .init(name: "marks", clock: "mono", subBufferSize: 4096, cpus: [0]),
      ])
    let records = reader.all()
    #expect(records.map(\.time) == [1001, 1002, 1003])
    #expect(records.map(\.cpu) == [0, 1, 0])
    #expect(records.map(\.buffer) == [0, 0, 1])
    let format = try #require(try reader.formats.format(named: "mark", system: "test"))
    #expect(format.field("number")?.offset == 2)
  }

  @Test("Finished: what the writer wrote is read back, by us and by trace-cmd")
  func finished() throws {
    try Fixture.withScratch { scratch in
      let directory = CaptureDirectory(scratch)
      let (writer, buffers) = try Self.record(into: directory)
      #expect(try writer.write(to: directory.tracePath, buffers: buffers) == [])
      let manifest = CaptureManifest(
        recorder: "test 1", release: "6.18.0", machine: "x86_64", commandLine: ["true"], startTime: 1, pageSize: 4096,
        cpuCount: 2, clock: "mono")
      try manifest.write(directory.manifestPath)
      try FileManager.default.removeItem(atPath: directory.rawPath)
      let reader = try TraceFile.open(scratch)
      #expect(reader.capture?.isFinished == true)
      #expect(reader.capture?.manifest == manifest)
      #expect(reader.metadata.kernel == "Linux test")
      #expect(reader.damages.isEmpty)
      try check(reader)
      if Fixture.hasTraceCmd {
        let report = try Fixture.run("/usr/bin/trace-cmd", "report", "-i", directory.tracePath)
        #expect(report.split(separator: "\n").filter { $0.contains("mark:") }.count == 3)
      }
    }
  }

  @Test("Died: the raw files, also with a cut sub-buffer, and without a manifest")
  func died() throws {
    try Fixture.withScratch { scratch in
      let directory = CaptureDirectory(scratch)
      let (writer, buffers) = try Self.record(into: directory)
      try writer.writeHeader(to: directory.headerPath)
      try Data().write(to: URL(fileURLWithPath: directory.incompletePath))
      let reader = try TraceFile.open(scratch)
      #expect(reader.capture?.isFinished == false)
      #expect(reader.damages.map(\.reason) == [.system(call: "open", errno: ENOENT)])
      try check(reader)

      // Killed in the middle of a write: 10 bytes of a sub-buffer, too few to say anything.
      let path = try #require(buffers[0].files[1])
      let handle = try #require(FileHandle(forWritingAtPath: path))
      handle.seekToEndOfFile()
      handle.write(Data(repeating: 1, count: 10))
      let again = try TraceFile.open(scratch)
      try check(again)
      #expect(again.damages.last?.reason == .record(.headerCut))
      #expect(again.damages.last?.file == path && again.damages.last?.offset == 4096)
    }
  }

  @Test("The writer takes whole sub-buffers and says what it left")
  func cutTail() throws {
    try Fixture.withScratch { scratch in
      let directory = CaptureDirectory(scratch)
      let (writer, buffers) = try Self.record(into: directory)
      let path = try #require(buffers[0].files[0])
      let handle = try #require(FileHandle(forWritingAtPath: path))
      handle.seekToEndOfFile()
      handle.write(Data(repeating: 1, count: 10))
      let cut = try writer.write(to: directory.tracePath, buffers: buffers)
      #expect(cut.map(\.file) == [path] && cut.map(\.bytes) == [10])
      try check(try TraceFile.open(directory.tracePath))
    }
  }

  @Test("The fixture, taken apart and written again, is the same stream")
  func rewritten() throws {
    let original = try TraceFile.open(Fixture.shell).all()
    try Fixture.withScratch { scratch in
      let bytes = try Fixture.bytes()
      // Both CPU areas lie at the end, page aligned, CPU 1 has one page.
      let one = bytes[(bytes.count - 4096)...]
      let zero = bytes[(bytes.count - 4096 - 86_016)..<(bytes.count - 4096)]
      try Data(zero).write(to: URL(fileURLWithPath: scratch + "/0"))
      try Data(one).write(to: URL(fileURLWithPath: scratch + "/1"))
      let writer = TraceDatWriter(
        headerPage: Array(VersionSevenBuilder.headerPage.utf8), headerEvent: [], ftraceFormats: [], subsystems: [],
        cpuCount: 2, subBufferSize: 4096, clock: "local")
      _ = try writer.write(
        to: scratch + "/trace.dat", buffers: [.init(name: "", files: [0: scratch + "/0", 1: scratch + "/1"])])
      #expect(try TraceFile.open(scratch + "/trace.dat").all() == original)
    }
  }
}
