// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing
import TraceFile

@testable import Anonymize

/// Nothing of a capture that is a name or a pointer is in what is shared of it.
@Suite("The bytes of an anonymized capture")
struct SharedCaptureTests {
  static let captures = [
    "captures/6.18-shell", "captures/6.1-tour", "captures/6.1-two-nodes", "captures/6.12-tour",
    "captures/6.12-two-nodes", "captures/6.12-arm64-tour.dat", "captures/6.12-arm64-two-nodes.dat",
    "tracefile/shell.dat", "tracefile/two-buffers-zstd.dat",
  ]

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  static func fixture(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../fixtures/\(name)").standardizedFileURL
      .path
  }

  /// What of a capture may not be shared.
  private struct Private {
    var names: Set<String> = []
    var pointers: Set<UInt64> = []
    /// The first page of each block of memory that is at random.
    var addresses: Set<UInt64> = []

    init(_ path: String) throws {
      let reader = try TraceFile.open(path)
      var batch = RecordBatch()
      while reader.nextBatch(into: &batch) {
        for index in 0..<batch.count { try note(batch[index], reader.formats) }
      }
      if let capture = reader.capture {
        names.formUnion(try #require(capture.manifest).commandLine)
        let file = try SnapshotFile.open(capture.directory.snapshotPath)
        for position in 0..<file.count {
          for vma in try file.snapshot(at: position).vmas {
            names.insert(vma.name)
            if vma.start > 1 << 32 { addresses.insert(vma.start) }
          }
        }
      }
      // Shorter ones are in everything, and so is what JSON and formats call yes.
      names = names.filter { $0.utf8.count >= 4 && !$0.hasPrefix("[") && $0.allSatisfy(\.isASCII) }
      names.subtract(["cowscope", "record", "true"])
    }

    private mutating func note(_ record: RawRecord, _ formats: EventFormats) throws {
      guard let format = try formats.format(id: record.eventID) else { return }
      for field in format.fields {
        if ["comm", "filename", "parent_comm", "child_comm"].contains(field.name) {
          names.insert(try #require(field.layout.loadString(from: record)))
        } else if let value = field.layout.loadUInt64(from: record) {
          // Errors are no pointers, and the vsyscall page is nobody's.
          if (0xffff_0000_0000_0000..<0xffff_ffff_ff00_0000).contains(value) { pointers.insert(value) }
          if ["address", "addr", "index"].contains(field.name), (1 << 32..<1 << 56).contains(value) {
            addresses.insert(value)
          }
        }
      }
    }
  }

  private func anonymize(_ name: String) throws -> (files: [String], summary: CaptureAnonymizer.Summary) {
    let path = Self.fixture(name)
    let anonymizer = try CaptureAnonymizer(path, secret: Secret((3, 4)))
    guard name.hasSuffix(".dat") else {
      let directory = CaptureDirectory(scratch.path)
      let summary = try anonymizer.write(into: directory)
      return ([directory.tracePath, directory.snapshotPath, directory.manifestPath], summary)
    }
    return ([scratch.path("y.dat")], try anonymizer.write(to: scratch.path("y.dat")))
  }

  @Test("No name, no pointer, no address at random", arguments: captures)
  func nothing(name: String) throws {
    let secrets = try Private(Self.fixture(name))
    #expect(!secrets.names.isEmpty && !secrets.pointers.isEmpty && !secrets.addresses.isEmpty)
    let (files, summary) = try anonymize(name)
    #expect(summary.leftOut.isEmpty)
    for file in files {
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
      let found = numbers(in: bytes).intersection(secrets.pointers.union(secrets.addresses))
      #expect(found.isEmpty, "\(file)")
      let text = String(decoding: bytes, as: UTF8.self)
      for name in secrets.names.sorted() {
        let isThere = text.ranges(of: name).contains { !isWithinWord($0, of: text) }
        #expect(!isThere, "\(name) in \(file)")
      }
    }
  }

  /// `move` of `sys_enter_move_pages`.
  private func isWithinWord(_ range: Range<String.Index>, of text: String) -> Bool {
    func isOfWord(_ character: Character) -> Bool { character.isLetter || character.isNumber || character == "_" }
    return (range.lowerBound > text.startIndex && isOfWord(text[text.index(before: range.lowerBound)]))
      || (range.upperBound < text.endIndex && isOfWord(text[range.upperBound]))
  }

  /// The large numbers that any eight bytes make.
  private func numbers(in bytes: [UInt8]) -> Set<UInt64> {
    var numbers: Set<UInt64> = []
    var number: UInt64 = 0
    for byte in bytes {
      number = number >> 8 | UInt64(byte) << 56
      if number > 1 << 32 { numbers.insert(number) }
    }
    return numbers
  }

  @Test("What lay behind the records of a sub-buffer is not there")
  func remains() throws {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.fixture("tracefile/shell.dat"))))
    let page = Array("left by whoever had this page".utf8)
    // The last sub-buffer of the file is not full.
    bytes.replaceSubrange((bytes.count - page.count)..<bytes.count, with: page)
    let path = scratch.path("x.dat")
    try Data(bytes).write(to: URL(filePath: path))
    _ = try CaptureAnonymizer(path, secret: Secret((3, 4))).write(to: scratch.path("y.dat"))
    #expect(!(try scratch.read("y.dat")).contains("left by whoever"))
  }

  @Test("Records of events that nobody knows here are left out, and counted by name")
  func unknown() throws {
    let original = try Data(contentsOf: URL(filePath: Self.fixture("tracefile/shell.dat")))
    var bytes = original
    let name = try #require(bytes.range(of: Data("name: tlb_flush\n".utf8)))
    bytes.replaceSubrange(name, with: Data("name: my_secret\n".utf8))
    let path = scratch.path("x.dat")
    try bytes.write(to: URL(filePath: path))
    let summary = try CaptureAnonymizer(path, secret: Secret((3, 4))).write(to: scratch.path("y.dat"))
    // As trace-cmd counts them in the fixture.
    #expect(summary.leftOut == ["tlb:my_secret": 83])
    let (old, new) = (try TraceFile.open(path).summary(), try TraceFile.open(scratch.path("y.dat")).summary())
    #expect(new.records == old.records - 83 && new.damageCount == 0)
    #expect((new.firstTime, new.lastTime) == (old.firstTime, old.lastTime))
    var events = old.events
    events["tlb:my_secret"] = nil
    #expect(new.events == events)
    #expect(!(try scratch.read("y.dat")).contains("my_secret"))
  }

  @Test("One secret gives the same bytes, another one others")
  func keys() throws {
    func bytes(_ key: UInt64) throws -> Data {
      let path = scratch.path("\(UUID()).dat")
      _ = try CaptureAnonymizer(Self.fixture("tracefile/shell.dat"), secret: Secret((key, 4))).write(to: path)
      return try Data(contentsOf: URL(filePath: path))
    }
    #expect(try bytes(1) == bytes(1))
    #expect(try bytes(1) != bytes(2))
  }
}
