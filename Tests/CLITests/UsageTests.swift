// SPDX-License-Identifier: GPL-2.0-only

import Testing

@Suite("Usage")
struct UsageTests {
  @Test(
    "What cannot be understood is a usage error: status 64, nothing on stdout",
    arguments: [
      ["frobnicate"], ["replay"], ["replay", "x", "y"], ["replay", "x", "--encoding", "D"],
      ["replay", "x", "--fail-on", "everything"], ["replay", "x", "--until", "soon"], ["replay", "x", "-q", "-v"],
      ["script", "x", "--time", "5"], ["script", "x", "--time", "2,1"], ["script", "x", "--pfn", "0xzz"],
      ["report", "x", "--ktap", "--html", "-"], ["diff", "x"], ["list", "everything"], ["explain", "I99"],
    ])
  func usage(arguments: [String]) throws {
    let run = try Invocation(arguments)
    #expect(run.status == 64)
    #expect(run.output == "")
    #expect(run.talk.hasPrefix("Error: "))
  }

  @Test("Help is data, not an error", arguments: ["info", "script", "replay", "report", "verify", "diff", "list"])
  func help(verb: String) throws {
    let run = try Invocation(verb, "--help")
    #expect(run.status == 0)
    #expect(run.output.contains("USAGE: cowscope \(verb)"))
    #expect(run.talk == "")
  }

  @Test(
    "A capture that is not there fails with status 1 and names it", arguments: ["info", "script", "replay", "verify"])
  func missing(verb: String) throws {
    let run = try Invocation(verb, "/nonexistent/trace.cow")
    #expect(run.status == 1)
    #expect(run.output == "")
    #expect(run.talk.contains("/nonexistent/trace.cow"))
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
    #expect(names == ["baseline", "A-and-lazy", "A-and-eager", "A-or", "B", "C-raw", "C-strict"])
    for name in names { #expect(try Invocation("explain", name.lowercased()).output.hasPrefix("\(name): ")) }
    #expect(try Invocation("explain", "i1").output.hasPrefix("I1: A writable mapped entry"))
  }
}
