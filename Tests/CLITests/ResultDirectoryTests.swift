// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing

@Suite("replay --result")
struct ResultDirectoryTests {
  private let scratch: Scratch
  private let fixture = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../fixtures/captures/6.18-shell").standardizedFileURL.path

  init() throws { scratch = try Scratch() }

  /// Everything below the directory.
  private func files() throws -> [String] {
    try Invocation(shell: "cd '\(scratch.path("out"))' && find . -type f | sort").output
      .split(separator: "\n").map(String.init)
  }

  private func replay(_ words: String...) throws -> Invocation {
    try Invocation(["replay", fixture, "--result", scratch.path("out")] + words)
  }

  @Test("The file is called by the host and by what sha256sum says of the capture, and says so inside")
  func place() throws {
    let run = try replay("--host", "../a", "--workload", "shell")
    #expect(run.status == 0)
    let hash = try Invocation(
      shell: "cd '\(fixture)' && sha256sum capture.json snapshots.bin trace.dat | sha256sum"
    ).output.prefix(64)
    let release = "6.18.44-fc-v595"
    let path = "kernel=\(release)/host=%2E%2E%2Fa/capture=\(hash).ndjson"
    #expect(try files() == ["./" + path])
    let lines = try scratch.read("out/" + path).split(separator: "\n")
    let origin = try #require(lines.last)
    for part in [
      "\"type\":\"origin\"", "\"capture\":\"\(hash)\"", "\"host\":\"../a\"", "\"kernel\":\"\(release)\"",
      "\"thp\":\"madvise\"", "\"mthp\":{}", "\"tool\":\"cowscope 0.1", "\"version\":2", "\"workload\":\"shell\"",
    ] { #expect(origin.contains(part), "\(part)") }
    // As `script --count` has it: what the counts are counts among.
    let counts = try Invocation("script", "--json", "--count", fixture).output
    let summary = try #require(lines.dropLast().last)
    for (name, kind) in [("forks", "fork_ended"), ("faults", "fault")] {
      let count = try #require(try number(kind, in: counts))
      #expect(count > 0)
      #expect(try number(name, in: String(summary)) == count)
    }
    #expect(try Invocation("report", scratch.path("out/" + path)).output == run.output)
  }

  private func number(_ name: String, in text: String) throws -> Int? {
    try Regex("\"\(name)\":([0-9]+)").firstMatch(in: text).flatMap { Int($0[1].substring ?? "") }
  }

  @Test("Twice is the same bytes, and the same as by another way to the capture")
  func deterministic() throws {
    _ = try replay("--host", "a")
    let file = "out/" + (try #require(try files().first))
    let first = try scratch.read(file)
    _ = try replay("--host", "a")
    #expect(try scratch.read(file) == first)
    try FileManager.default.createSymbolicLink(atPath: scratch.path("link"), withDestinationPath: fixture)
    _ = try Invocation("replay", scratch.path("link"), "--result", scratch.path("out"), "--host", "a")
    #expect(try files().count == 1)
    let again = try scratch.read(file)
    #expect(again == first.replacing("\"name\":\"\(fixture)\"", with: "\"name\":\"\(scratch.path("link"))\""))
  }

  @Test("What lies there already and is none of ours is replaced")
  func replaced() throws {
    _ = try replay("--host", "a")
    let file = "out/" + (try #require(try files().first))
    let genuine = try scratch.read(file)
    for other in ["", "{}\n", String(genuine.prefix(genuine.count / 2))] {
      _ = try scratch.write(other, to: file)
      #expect(try replay("--host", "a").status == 0)
      #expect(try scratch.read(file) == genuine)
    }
  }

  @Test(
    "A piece, or some encodings only, is no result of the capture",
    arguments: [
      ["--until", "5"], ["--encoding", "B"], ["--without", "c.fork"], ["--pfn", "1"], ["--audit", "none"],
    ])
  func pieces(words: [String]) throws {
    let run = try Invocation(["replay", fixture, "--result", scratch.path("out")] + words)
    #expect(run.status == 64)
    #expect(!FileManager.default.fileExists(atPath: scratch.path("out")))
  }

  @Test("A name without --result is a mistake; a place that cannot be written is a failure")
  func mistakes() throws {
    #expect(try Invocation("replay", fixture, "--host", "a").status == 64)
    #expect(try Invocation("replay", fixture, "--result", "/proc/none", "--host", "a").status == 1)
  }
}
