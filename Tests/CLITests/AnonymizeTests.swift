// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing

/// What a capture says is what it said, but for names, addresses and frames.
@Suite("anonymize")
struct AnonymizeTests {
  private let scratch: Scratch
  private let key: String

  init() throws {
    scratch = try Scratch()
    key = try scratch.write("0123456789abcdef", to: "key")
  }

  private func copy(_ name: String) throws -> String {
    let fixture = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../fixtures/\(name)")
      .standardizedFileURL
    let copy = scratch.url.appending(path: "x-" + fixture.lastPathComponent)
    try FileManager.default.copyItem(at: fixture, to: copy)
    return copy.path
  }

  /// Two outputs read side by side: equal but for what may differ, and that differs the same way everywhere.
  private struct Comparison {
    var differences: [String] = []
    private var known: [String: String] = [:]

    mutating func compare(_ old: Any, _ new: Any, _ key: String) {
      switch (old, new) {
      case (let old as [String: Any], let new as [String: Any]):
        if old.keys.sorted() != new.keys.sorted() { differences.append("\(key): keys") }
        for (name, value) in old { compare(value, new[name] ?? "nothing", name) }
      case (let old as [Any], let new as [Any]):
        if old.count != new.count { differences.append("\(key): \(old.count) and \(new.count)") }
        if key != "command" { for (a, b) in zip(old, new) { compare(a, b, key) } }
      case (let old as String, let new as String):
        if key != "name" { compare(text: old, new, key) }
      default:
        if key == "pfn" {
          compare(text: "pfn=\(old)", "pfn=\(new)", key)
        } else if "\(old)" != "\(new)" {
          differences.append("\(key): \(old) and \(new)")
        }
      }
    }

    private mutating func compare(text old: String, _ new: String, _ key: String) {
      // A page alone, in hexadecimal.
      let (old, new) = key == "page" ? ("0x\(old)000", "0x\(new)000") : (old, new)
      let pattern = /0x[0-9a-f]+|pfn=[0-9]+/
      let (olds, news) = (old.matches(of: pattern).map(\.output), new.matches(of: pattern).map(\.output))
      if old.replacing(pattern, with: "*") != new.replacing(pattern, with: "*") {
        differences.append("\(key): \(old) and \(new)")
      }
      for (a, b) in zip(olds, news) { note(String(a), String(b)) }
    }

    /// The low part is what it was, and the rest always the same of the same.
    private mutating func note(_ old: String, _ new: String) {
      let (radix, kept): (Int, UInt64) = old.hasPrefix("pfn=") ? (10, 1024) : (16, 1 << 30)
      func number(_ text: String) -> UInt64? { UInt64(text.drop { $0 != "=" && $0 != "x" }.dropFirst(), radix: radix) }
      if number(old).map({ $0 % kept }) != number(new).map({ $0 % kept }) || known[old, default: new] != new {
        differences.append("\(old) became \(new), and \(known[old] ?? "nothing")")
      }
      known[old] = new
    }
  }

  private static func lines(_ output: String) throws -> [Any] {
    try output.split(separator: "\n").map { try JSONSerialization.jsonObject(with: Data($0.utf8)) }
  }

  @Test(
    "Replay, audits and verify find the same",
    arguments: [
      "captures/6.18-shell", "captures/6.1-tour", "captures/6.1-two-nodes", "captures/6.12-tour",
      "captures/6.12-two-nodes", "captures/6.1-pins", "captures/6.12-pins", "captures/7.2-pins",
      "captures/6.12-arm64-tour.dat", "captures/6.12-arm64-two-nodes.dat",
      "tracefile/shell.dat", "tracefile/two-buffers-zstd.dat",
    ])
  func same(name: String) throws {
    let old = try copy(name)
    let new = scratch.path("y")
    #expect(try Invocation("anonymize", old, "-o", new, "--key", key).status == 0)
    var comparison = Comparison()
    for verb in ["replay", "verify"] {
      let (before, after) = (try Invocation(verb, "--json", old), try Invocation(verb, "--json", new))
      #expect(before.status == after.status && [0, 3].contains(after.status))
      comparison.compare(try Self.lines(before.output), try Self.lines(after.output), verb)
    }
    #expect(comparison.differences == [])
  }

  @Test("The events of a capture are the same, each with its task")
  func events() throws {
    let old = try copy("captures/6.12-tour")
    let new = scratch.path("y")
    #expect(try Invocation("anonymize", old, "-o", new).status == 0)
    let (before, after) = (try Invocation("script", "--json", old), try Invocation("script", "--json", new))
    #expect(before.output.count > 100_000)
    var comparison = Comparison()
    comparison.compare(try Self.lines(before.output), try Self.lines(after.output), "script")
    #expect(comparison.differences.filter { !$0.hasPrefix("addr") && !$0.hasPrefix("page") } == [])
  }

  @Test("What is not whole is refused by name, and nothing is left")
  func refused() throws {
    let new = scratch.path("y")
    func refusal(_ path: String) throws -> String {
      let run = try Invocation("anonymize", path, "-o", new)
      #expect(run.status == 1)
      #expect(!FileManager.default.fileExists(atPath: new))
      return run.talk
    }
    #expect(try refusal(copy("tracefile/shell-report.txt")).contains("text cannot be anonymized"))
    let killed = try copy("captures/6.18-shell")
    try scratch.write("", to: "x-6.18-shell/incomplete")
    #expect(try refusal(killed).contains("the recording has not ended"))
    let cut = try copy("tracefile/shell.dat")
    let handle = try FileHandle(forWritingTo: URL(filePath: cut))
    try handle.truncate(atOffset: 110_000)
    #expect(try refusal(cut).contains("the file ends inside"))
    let odd = try copy("captures/6.1-tour")
    try scratch.write("{}", to: "x-6.1-tour/capture.json")
    #expect(try refusal(odd).contains("capture.json"))
  }

  @Test("Nothing that is there is replaced, and a key is 16 bytes")
  func outputs() throws {
    let old = try copy("tracefile/shell.dat")
    let there = try scratch.write("mine", to: "there")
    let run = try Invocation("anonymize", old, "-o", there)
    #expect(run.status == 1 && run.talk.contains("exists"))
    #expect(try scratch.read("there") == "mine")
    let short = try scratch.write("0123456789abcde", to: "short")
    let other = try Invocation("anonymize", old, "-o", scratch.path("y"), "--key", short)
    #expect(other.status == 1 && other.talk.contains("16 random bytes"))
  }
}
