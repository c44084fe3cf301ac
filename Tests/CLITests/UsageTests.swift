// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Replay
import TestSupport
import Testing

@Suite("Usage")
struct UsageTests {
  @Test(
    "What cannot be understood is a usage error: status 64, nothing on stdout",
    arguments: [
      ["frobnicate"], ["replay", "--frobnicate"], ["replay", "x", "y"], ["replay", "x", "--encoding", "E"],
      ["replay", "x", "--fail-on", "everything"], ["replay", "x", "--until", "soon"], ["replay", "x", "-q", "-v"],
      ["script", "x", "--time", "5"], ["script", "x", "--time", "2,1"], ["script", "x", "--pfn", "0xzz"],
      ["report", "x", "--ktap", "--html", "-"], ["diff", "x", "y", "z"], ["record"], ["record", "--frobnicate"],
      ["record", "--user", "root"], ["list", "everything"], ["explain", "I99"],
      ["replay", "x", "--by", "moon"], ["replay", "x", "--sort", "mm"], ["report", "x", "y"],
      ["story", "x", "--seq", "1", "--pfn", "2"], ["story", "x", "--divergence", "first"],
    ])
  func usage(arguments: [String]) throws {
    let run = try Invocation(arguments)
    #expect(run.status == 64)
    #expect(run.output == "")
    #expect(run.talk.hasPrefix("cowscope: "))
  }

  @Test(
    "Help is data, not an error",
    arguments: [
      "check", "record", "anonymize", "info", "script", "replay", "report", "verify", "diff", "page", "story", "litmus",
      "explore", "list", "explain",
    ])
  func help(verb: String) throws {
    let run = try Invocation(verb, "--help")
    #expect(run.status == 0)
    #expect(run.output.contains("USAGE: cowscope \(verb)"))
    #expect(run.talk == "")
  }

  @Test("The version is data, and names the commit where the tree has one", arguments: [[], ["replay"]])
  func version(verb: [String]) throws {
    let run = try Invocation(verb + ["--version"])
    #expect(run.status == 0)
    #expect(run.talk == "")
    #expect(run.output.wholeMatch(of: /cowscope [0-9]+\.[0-9]+( \([0-9a-f]{12}(-dirty)?\))?\n/) != nil, "\(run.output)")
  }

  @Test(
    "A capture that is not there fails with status 1 and names it",
    arguments: ["info", "script", "replay", "verify", "story"])
  func missing(verb: String) throws {
    let run = try Invocation(verb, "/nonexistent/trace.cow")
    #expect(run.status == 1)
    #expect(run.output == "")
    #expect(run.talk == "cowscope: /nonexistent/trace.cow: No such file or directory\n")
  }

  @Test(
    "A text that is not there, or is none, fails with status 1 and names it",
    arguments: [("litmus", "x.litmus", ":1:1"), ("explore", "x.rows", ":1")])
  func unreadableText(verb: String, name: String, place: String) throws {
    let scratch = try Scratch()
    let path = scratch.url.appending(path: name).path
    let missing = try Invocation(verb, path)
    #expect(missing.status == 1)
    #expect(missing.talk == "cowscope: \(path)\(place): cannot be read: No such file or directory\n")
    try scratch.create(name).write(contentsOf: Data([0x66, 0xff, 0xfe]))
    let bytes = try Invocation(verb, path)
    #expect(bytes.status == 1)
    #expect(bytes.talk == "cowscope: \(path)\(place): cannot be read: it is not UTF-8\n")
  }

  @Test(
    "Without a name it is trace.cow, where record writes",
    arguments: ["info", "script", "replay", "report", "verify", "diff", "story"])
  func defaultCapture(verb: String) throws {
    let scratch = try Scratch()
    let run = try Invocation(shell: "cd '\(scratch.url.path)' && \"$cowscope\" \(verb)")
    let name = verb == "diff" ? "trace.cow.old" : "trace.cow"
    #expect(run.status == 1)
    #expect(run.talk == "cowscope: \(name): No such file or directory\n")
  }

  @Test("A name in a message is one line, and does nothing to a terminal")
  func hostileName() throws {
    #expect(try Invocation("info", "a\nb\u{1b}[31m").talk == "cowscope: a\\nb\\u{1b}[31m: No such file or directory\n")
  }

  @Test(
    "A full disk, and a stdout that is closed, are said: status 1",
    arguments: ["list rules", "explain I1", "--help", "info --help", "check", "litmus --random 50"])
  func standardOutput(words: String) throws {
    for (target, reason) in [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")] {
      let run = try Invocation(shell: "\"$cowscope\" \(words) \(target)")
      #expect(run.status == 1)
      #expect(run.talk == "cowscope: standard output: \(reason)\n")
    }
    let run = try Invocation(shell: "\"$cowscope\" \(words) | true; echo ${PIPESTATUS[0]}")
    // What `check` and `litmus` have to say goes on without a reader.
    #expect(["0\n", "1\n", "2\n"].contains(run.output))
    #expect(run.talk == "")
  }

  @Test("A file that is no trace fails with status 1 and says so")
  func noTrace() throws {
    let scratch = try Scratch()
    let run = try Invocation("info", try scratch.write("just some words\n", to: "notes.txt"))
    #expect(run.status == 1)
    #expect(run.talk.contains("notes.txt: not a trace.dat"))
  }

  @Test("The catalogue lists and explains, in any letter case")
  func catalogue() throws {
    let listed = try Invocation("list", "encodings")
    #expect(listed.status == 0)
    let names = listed.output.split(separator: "\n").map { $0.prefix { $0 != " " } }
    let all: [Substring] = ["baseline", "A-and-lazy", "A-and-eager", "A-or", "B", "C-raw", "C-strict"]
    #expect(names == all.filter { EncodingID(rawValue: String($0)) != nil })
    for name in names { #expect(try Invocation("explain", name.lowercased()).output.hasPrefix("\(name): ")) }
    #expect(try Invocation("explain", "i1").output.hasPrefix("I1: A writable mapped entry"))
  }
}
