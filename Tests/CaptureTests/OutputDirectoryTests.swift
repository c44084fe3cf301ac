// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import Testing

@Suite("The output directory")
struct OutputDirectoryTests {
  @Test("It is marked incomplete from the first moment, and the mark goes last")
  func life() throws {
    let directory = try TemporaryDirectory()
    let output = try OutputDirectory(creating: directory.path + "/x.cow")
    #expect(directory.exists("x.cow/incomplete"))
    try directory.write("raw", to: "x.cow/raw/host.cpu0")
    try directory.write("header", to: "x.cow/header.dat")
    try directory.write("trace", to: "x.cow/trace.dat")
    try output.complete()
    #expect(!directory.exists("x.cow/incomplete"))
    #expect(!directory.exists("x.cow/raw"))
    #expect(!directory.exists("x.cow/header.dat"))
    #expect(try directory.read("x.cow/trace.dat") == "trace")
  }

  @Test("The older capture becomes .old, the oldest goes")
  func rotation() throws {
    let directory = try TemporaryDirectory()
    try directory.write("second", to: "x.cow/trace.dat")
    try directory.write("first", to: "x.cow.old/trace.dat")
    try directory.write("", to: "x.cow.old/raw/host.cpu0")
    _ = try OutputDirectory(creating: directory.path + "/x.cow")
    #expect(try directory.read("x.cow.old/trace.dat") == "second")
    #expect(!directory.exists("x.cow.old/raw"))
    #expect(!directory.exists("x.cow/trace.dat"))
  }

  @Test("A directory that is no capture is never moved or removed", arguments: ["x.cow", "x.cow.old"])
  func foreign(name: String) throws {
    let directory = try TemporaryDirectory()
    if name == "x.cow.old" { try directory.write("", to: "x.cow/incomplete") }
    try directory.write("precious", to: name + "/thesis.txt")
    #expect(throws: CaptureError.self) { try OutputDirectory(creating: directory.path + "/x.cow") }
    #expect(try directory.read(name + "/thesis.txt") == "precious")
  }

  @Test("Links inside an old capture are removed, not followed")
  func links() throws {
    let directory = try TemporaryDirectory()
    try directory.write("precious", to: "elsewhere/thesis.txt")
    for name in ["x.cow", "x.cow.old"] { try directory.write("", to: name + "/trace.dat") }
    try FileManager.default.createSymbolicLink(
      atPath: directory.path + "/x.cow.old/link", withDestinationPath: directory.path + "/elsewhere")
    _ = try OutputDirectory(creating: directory.path + "/x.cow")
    #expect(try directory.read("elsewhere/thesis.txt") == "precious")
  }
}

@Suite("Draining")
struct DrainTests {
  @Test("Sub-buffers are copied whole and in order")
  func copy() throws {
    let directory = try TemporaryDirectory()
    let text = ["a", "b", "c"].map { String(repeating: $0, count: 4096) }.joined()
    let source = try directory.write(text, to: "trace_pipe_raw")
    let drain = try BufferDrain(
      buffer: .host, cpu: 0, source: source, subBufferSize: 4096, path: directory.path + "/host.cpu0")
    try drain.moveFullSubBuffers()
    try drain.finish()
    #expect(try directory.read("host.cpu0") == text)
    #expect(drain.bytesWritten == 3 * 4096)
  }

  @Test("A full disk is an error that names the file")
  func fullDisk() throws {
    let directory = try TemporaryDirectory()
    let source = try directory.write(String(repeating: "a", count: 4096), to: "trace_pipe_raw")
    let drain = try BufferDrain(buffer: .task, cpu: 0, source: source, subBufferSize: 4096, path: "/dev/full")
    #expect {
      try drain.moveFullSubBuffers()
    } throws: { error in
      guard case CaptureError.file(let path, "write to", _) = error else { return false }
      return path == "/dev/full"
    }
  }
}
