// SPDX-License-Identifier: GPL-2.0-only

import Foundation
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
    #expect(run.output.contains("UNSAFE C-raw: C1 at fork, order 0; 3 times, definite"))
    #expect(run.output.contains("cowscope replay t.cow --until 41 --pfn 77"))
    #expect(!run.output.contains("\u{1b}"))
    #expect(run.talk == "")
  }

  @Test("A directory with a result in it needs no replay")
  func directory() throws {
    #expect(try Invocation("report", scratch.url.path).output == (try Invocation("report", result).output))
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

  @Test("A file that cannot be written is a failure")
  func unwritable() throws {
    let run = try Invocation("report", result, "--html", "/nonexistent/page.html")
    #expect(run.status == 1)
    #expect(run.talk.contains("/nonexistent/page.html"))
  }

  @Test("Unrepaired loss makes the report inconclusive: status 3")
  func inconclusive() throws {
    let lossy = try scratch.write(Stored.result([], unknownMMs: 1), to: "lossy.ndjson")
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

  @Test("A reader that leaves early is no failure, and no noise")
  func brokenPipe() throws {
    let many = (0..<20_000).map { Stored.divergence(transition: "site-\($0)", count: 1) }
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
    #expect(run.output.contains("NEW (1)\n  UNSAFE C-raw: C1 at mprotect"))
    #expect(run.output.contains("GROWN (1)\n  UNSAFE C-raw: C1 at fork, order 0, definite: 3 -> 5"))
    #expect(try Invocation("diff", later, result).output.contains("GONE (1)"))
    #expect(try Invocation("diff", later, result).output.contains("definite: 5 -> 3"))
  }
}
