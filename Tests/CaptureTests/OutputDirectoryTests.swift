// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import TestSupport
import Testing
import TraceFile

@Suite("The output directory")
struct OutputDirectoryTests {
  private let directory: Scratch
  private let manifest = CaptureManifest(
    recorder: "cowscope 1", release: "6.18.0", machine: "x86_64", commandLine: ["true"], startTime: 1, pageSize: 4096,
    cpuCount: 2, clock: "mono")

  init() throws { directory = try Scratch() }

  private func path(_ name: String) -> String { directory.path + "/" + name }

  private func create(_ name: String = "x.cow") throws -> OutputDirectory {
    try OutputDirectory(creating: path(name), manifest: manifest)
  }

  /// A finished capture with a word in it.
  private func capture(_ word: String, at name: String = "x.cow") throws {
    try directory.write(word, to: name + "/trace.dat")
    try manifest.write(path(name) + "/capture.json")
  }

  private func mode(_ name: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path(name))
    return try #require(attributes[.posixPermissions] as? Int)
  }

  @Test("It is marked incomplete from the first moment, and the mark goes last")
  func life() throws {
    let output = try create()
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

  @Test("It is its owner's alone, whatever the umask")
  func modes() throws {
    let output = try create()
    #expect(try mode("x.cow") == 0o700)
    #expect(try mode("x.cow/raw") == 0o700)
    #expect(try mode("x.cow/capture.json") == 0o600)
    withExtendedLifetime(output) {}
  }

  @Test("The older capture becomes .old, the oldest goes", arguments: ["x.cow", "x.cow/", "x.cow//"])
  func rotation(name: String) throws {
    try capture("second")
    try capture("first", at: "x.cow.old")
    try directory.write("", to: "x.cow.old/raw/host.cpu0")
    try directory.write("", to: "x.cow.old/raw/buffers.json.new")
    try directory.write("", to: "x.cow.old/result.ndjson")
    let output = try create(name)
    #expect(try directory.read("x.cow.old/trace.dat") == "second")
    #expect(!directory.exists("x.cow.old/raw"))
    #expect(!directory.exists("x.cow/trace.dat"))
    withExtendedLifetime(output) {}
  }

  @Test(
    "Only a manifest of ours makes a capture: what merely has its file names is never moved or removed",
    arguments: ["x.cow", "x.cow.old"],
    ["thesis.txt", "trace.dat", "incomplete", "header.dat", "capture.json"])
  func foreign(name: String, file: String) throws {
    if name == "x.cow.old" { try capture("mine") }
    try directory.write("precious", to: name + "/" + file)
    #expect(throws: CaptureError.self) { try create() }
    #expect(try directory.read(name + "/" + file) == "precious")
  }

  @Test("A manifest of another program proves nothing")
  func otherRecorder() throws {
    var other = manifest
    other.recorder = "somebody's recorder"
    try directory.write("precious", to: "x.cow/trace.dat")
    try other.write(path("x.cow/capture.json"))
    #expect(throws: CaptureError.self) { try create() }
    #expect(try directory.read("x.cow/trace.dat") == "precious")
  }

  @Test(
    "A file that we do not write keeps the whole old capture", arguments: ["notes.txt", "raw/notes.txt", "raw/a.cpu"])
  func additions(file: String) throws {
    try capture("second")
    try capture("first", at: "x.cow.old")
    try directory.write("precious", to: "x.cow.old/" + file)
    let reason = "\(path("x.cow.old")): holds \(file), which no recording wrote; remove or rename it"
    #expect(throws: CaptureError.invalid(reason)) { try create() }
    #expect(try directory.read("x.cow.old/" + file) == "precious")
    #expect(try directory.read("x.cow.old/trace.dat") == "first")
    #expect(try directory.read("x.cow/trace.dat") == "second")
  }

  @Test("A link is no directory of ours, wherever it leads")
  func link() throws {
    try capture("elsewhere", at: "y.cow")
    try FileManager.default.createSymbolicLink(atPath: path("x.cow"), withDestinationPath: path("y.cow"))
    #expect(throws: CaptureError.self) { try create() }
    #expect(try directory.read("y.cow/trace.dat") == "elsewhere")
  }

  @Test("Links inside an old capture are removed, not followed", arguments: ["trace.dat", "raw/host.cpu1"])
  func links(name: String) throws {
    try directory.write("precious", to: "elsewhere/thesis.txt")
    try capture("second")
    try directory.write("", to: "x.cow.old/raw/host.cpu0")
    try manifest.write(path("x.cow.old/capture.json"))
    try FileManager.default.createSymbolicLink(
      atPath: path("x.cow.old/" + name), withDestinationPath: path("elsewhere/thesis.txt"))
    let output = try create()
    #expect(try directory.read("elsewhere/thesis.txt") == "precious")
    withExtendedLifetime(output) {}
  }

  @Test("One that is being written is refused, and free again when its recorder has ended")
  func lock() throws {
    do {
      let output = try create()
      #expect(throws: CaptureError.invalid("\(path("x.cow")): in use by another recorder")) { try create() }
      withExtendedLifetime(output) {}
    }
    // Its recorder died: what it left is a capture.
    let next = try create()
    #expect(directory.exists("x.cow.old/incomplete"))
    withExtendedLifetime(next) {}
  }

  @Test("A recording that never began gives the name back")
  func discard() throws {
    try capture("first")
    try create().discard()
    #expect(try directory.read("x.cow/trace.dat") == "first")
    #expect(!directory.exists("x.cow.old"))
  }
}

@Suite("Draining")
struct DrainTests {
  @Test("Sub-buffers are copied whole and in order")
  func copy() throws {
    let directory = try Scratch()
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
    let directory = try Scratch()
    let source = try directory.write(String(repeating: "a", count: 4096), to: "trace_pipe_raw")
    let drain = try BufferDrain(buffer: .task, cpu: 0, source: source, subBufferSize: 4096, path: "/dev/full")
    #expect {
      try drain.moveFullSubBuffers()
    } throws: { error in
      guard case CaptureError.file(let path, "write", _) = error else { return false }
      return path == "/dev/full"
    }
  }
}
