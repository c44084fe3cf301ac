// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing

@Suite("report and diff of stored results")
struct StoredResultTests {
  private let scratch: Scratch
  private let result: String

  init() throws {
    scratch = try Scratch()
    result = try scratch.write(
      Stored.result([Stored.divergence(transition: "fork", count: 3)]), to: "result.ndjson")
  }

  @Test("The report is on stdout, without colours when stdout is no terminal, and stderr is silent")
  func report() throws {
    let run = try Invocation("report", result)
    #expect(run.status == 0)
    #expect(run.output.contains("UNSAFE C-strict: C1 at fork, order 0; 3 entries, definite"))
    #expect(run.output.contains("cowscope replay t.cow --until 41 --pfn 77"))
    #expect(!run.output.contains("\u{1b}"))
    #expect(run.talk == "")
  }

  /// A capture with its result, and how `report -v` takes it.
  private func report(_ capture: String, key: String = "key") throws -> (output: String, isStored: Bool) {
    let run = try Invocation("report", "-v", capture, environment: ["XDG_STATE_HOME": scratch.path(key)])
    #expect(run.status == 0)
    return (run.output, run.talk.contains("cowscope: reading \(capture)/result.ndjson\n"))
  }

  @Test("A stored result is believed by who made it, of the very capture, unchanged")
  func sealed() throws {
    let capture = scratch.path("x.cow")
    let fixture = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../fixtures/captures/6.18-shell").standardizedFileURL
    try FileManager.default.copyItem(at: fixture, to: URL(filePath: capture))
    let state = ["XDG_STATE_HOME": scratch.path("key")]
    #expect(try Invocation("replay", capture, environment: state).status == 0)
    let file = capture + "/result.ndjson"
    let genuine = try String(contentsOfFile: file, encoding: .utf8)
    let first = try report(capture)
    #expect(first.isStored)
    // Somebody else has another key.
    #expect(try report(capture, key: "other").isStored == false)
    // Forged: what it says is not what is shown.
    try genuine.replacing("\"C-raw\"", with: "\"C-strict\"").write(toFile: file, atomically: true, encoding: .utf8)
    var now = try report(capture)
    #expect(!now.isStored && now.output == first.output)
    // No seal at all.
    try Stored.result([]).write(toFile: file, atomically: true, encoding: .utf8)
    now = try report(capture)
    #expect(!now.isStored && now.output == first.output)
    try genuine.write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try report(capture).isStored)
    // Stale: another trace, with an older date.
    let trace = try #require(FileHandle(forWritingAtPath: capture + "/trace.dat"))
    try trace.seek(toOffset: 30_000)
    trace.write(Data([0xff]))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: capture + "/trace.dat")
    #expect(!(try Invocation("report", "-v", capture, environment: state).talk.contains("reading")))
    // The key is its owner's alone.
    let mode = try FileManager.default.attributesOfItem(atPath: scratch.path("key/cowscope/key"))[.posixPermissions]
    #expect(mode as? Int == 0o600)
  }

  @Test("On a terminal there are colours, unless NO_COLOR says no")
  func colours() throws {
    let onTerminal = "script -qec \"'$cowscope' report '\(result)'\" /dev/null"
    #expect(try Invocation(shell: onTerminal).output.contains("\u{1b}[1;31mUNSAFE"))
    #expect(!(try Invocation(shell: onTerminal, environment: ["NO_COLOR": "1"]).output.contains("\u{1b}")))
  }

  @Test("Files go where they are told, and stderr says so unless -q")
  func files() throws {
    let page = scratch.path("page.html")
    let trace = scratch.path("trace.json")
    let run = try Invocation("report", result, "--html", page, "--perfetto", trace)
    #expect(run.status == 0)
    #expect(run.output == "")
    #expect(run.talk == "cowscope: wrote \(page)\ncowscope: wrote \(trace)\n")
    #expect(try scratch.read("page.html").hasPrefix("<!doctype html>"))
    #expect(try scratch.read("trace.json").hasPrefix("{"))
    #expect(try Invocation("report", result, "--html", page, "-q").talk == "")
    #expect(try Invocation("report", result, "--html", "-").output == (try scratch.read("page.html")))
  }

  @Test("What is no regular file stays what it is, and is written to")
  func notRegular() throws {
    let scratch = try Scratch()
    let page = try Invocation("report", result, "--html", "-").output
    let target = try scratch.write("old", to: "target")
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: target)
    try FileManager.default.createSymbolicLink(atPath: scratch.path("link"), withDestinationPath: target)
    #expect(try Invocation("report", result, "-q", "--html", scratch.path("link")).status == 0)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: scratch.path("link")) == target)
    #expect(try scratch.read("target") == page)
    // A regular one is replaced, and keeps its mode.
    #expect(try Invocation("report", result, "-q", "--html", target).status == 0)
    let mode = try FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? Int
    #expect(mode == 0o640)
    let script =
      "cd '\(scratch.url.path)'; mkfifo f; cat f >copy & \"$cowscope\" report '\(result)' -q --html f; wait; [ -p f ]"
    #expect(try Invocation(shell: script).status == 0)
    #expect(try scratch.read("copy") == page)
    let full = try Invocation("report", result, "--html", "/dev/full")
    #expect(full.status == 1)
    #expect(full.talk == "cowscope: /dev/full: No space left on device\n")
  }

  @Test("A hostile result does nothing to a terminal, and forges no line")
  func hostile() throws {
    let words = "x\\u001b]0;owned\\u0007\\u009b31m\\u001b[8m\\nNo divergence: forged"
    let told = Stored.divergence(transition: "fork", count: 3, text: words)
    let named = Stored.divergence(transition: words, count: 3)
    for (line, options) in [(told, ""), (told, "--ktap"), (named, "")] {
      let hostile = try scratch.write(Stored.result([line]), to: "h.ndjson")
      let run = try Invocation(shell: "script -qec \"'$cowscope' report \(options) '\(hostile)'\" /dev/null")
      let colours = /\u{1b}\[[0-9;]*m/
      let text = run.output.replacing("\r\n", with: "\n")
      #expect(!text.contains("\u{1b}[8m"))
      #expect(
        text.replacing(colours, with: "").unicodeScalars.allSatisfy {
          $0 == "\n" || $0.value >= 0x20 && $0.value != 0x9b
        })
      #expect(!text.split(separator: "\n").contains { $0.hasPrefix("No divergence") })
    }
  }

  @Test("A file that cannot be written is a failure")
  func unwritable() throws {
    let run = try Invocation("report", result, "--html", "/nonexistent/page.html")
    #expect(run.status == 1)
    #expect(run.talk == "cowscope: /nonexistent/page.html: No such file or directory\n")
  }

  @Test("Loss makes the report inconclusive: status 3")
  func inconclusive() throws {
    let lossy = try scratch.write(Stored.result([], lost: 1), to: "lossy.ndjson")
    #expect(try Invocation("report", lossy).status == 3)
  }

  @Test("A result that was cut off is refused")
  func cut() throws {
    let whole = Stored.result([Stored.divergence(transition: "fork", count: 3)])
    let cut = try scratch.write(String(whole.prefix(whole.count / 2)), to: "cut.ndjson")
    let run = try Invocation("report", cut)
    #expect(run.status == 1)
    #expect(run.output == "")
    #expect(run.talk.contains("cut.ndjson"))
  }

  @Test("A rule and a transition that nobody knows are named")
  func unknownNames() throws {
    for (line, what) in [
      (Stored.divergence(rule: "Z9", transition: "fork", count: 3), "unknown rule \"Z9\""),
      (Stored.divergence(transition: "teleport", count: 3), "unknown transition \"teleport\""),
    ] {
      let run = try Invocation("report", try scratch.write(Stored.result([line]), to: "odd.ndjson"))
      #expect(run.status == 1)
      #expect(run.output == "")
      #expect(run.talk.contains("line 3: \(what)"), "\(run.talk)")
    }
  }

  @Test("A reader that leaves early is no failure, and no noise")
  func brokenPipe() throws {
    let many = (1...20_000).map { Stored.divergence(transition: "fork", count: $0) }
    let big = try scratch.write(Stored.result(many), to: "big.ndjson")
    let run = try Invocation(shell: "\"$cowscope\" report -v '\(big)' | head -n 1; echo ${PIPESTATUS[0]}")
    #expect(run.output == "cowscope: t.cow\n0\n")
    #expect(run.talk == "")
  }

  @Test("A full disk is a failure")
  func fullDisk() throws {
    let run = try Invocation(shell: "\"$cowscope\" report '\(result)' > /dev/full")
    #expect(run.status == 1)
    #expect(run.talk.contains("standard output"))
  }

  @Test("diff tells new, gone, grown and shrunk apart")
  func diff() throws {
    let later = try scratch.write(
      Stored.result([
        Stored.divergence(transition: "fork", count: 5), Stored.divergence(transition: "mprotect", count: 1),
      ]), to: "later.ndjson")
    let run = try Invocation("diff", result, later)
    #expect(run.status == 0)
    #expect(run.output.contains("NEW (1)\n  UNSAFE C-strict: C1 at mprotect"))
    #expect(run.output.contains("GROWN (1)\n  UNSAFE C-strict: C1 at fork, order 0, definite: 3 -> 5"))
    #expect(try Invocation("diff", later, result).output.contains("GONE (1)"))
    #expect(try Invocation("diff", later, result).output.contains("definite: 5 -> 3"))
  }
}
