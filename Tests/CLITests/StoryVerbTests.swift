// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing

/// `story` and `litmus --program` as a user meets them.
@Suite("Stories of captures, programs of stories")
struct StoryVerbTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "fixtures")

  @Test("What story prints is a litmus file that is right")
  func roundTrip() throws {
    let scratch = try Scratch()
    let capture = Self.fixtures.appending(path: "captures/6.12-tour").path
    let story = try Invocation("story", capture, "--divergence", "1")
    #expect(story.status == 0 && story.talk == "")
    #expect(story.output.contains("verdict A-and-lazy: P512..575, P584..1023 I1-BREAK"))
    let file = try scratch.write(story.output, to: "x.litmus")
    let run = try Invocation("litmus", file)
    #expect(run.status == 0)
    #expect(run.output == "1 examples, 2 test points: 2 ok, 0 not ok\n")
    // Half a fork is in nobody's hand.
    let program = try Invocation("litmus", "--program", file)
    #expect(program.status == 3 && program.output == "")
    #expect(program.talk == "cowscope: \(file):11: not performable: fork-begin P -> Q\n")
  }

  @Test("A divergence that is not there is a failure that says how many there are")
  func missing() throws {
    let capture = Self.fixtures.appending(path: "captures/6.12-tour").path
    for arguments in [["--divergence", "5"], ["--seq", "1"], ["--pfn", "1"]] {
      let run = try Invocation(["story", capture] + arguments)
      #expect(run.status == 1 && run.output == "")
      #expect(run.talk == "cowscope: \(capture): no such divergence: a replay that is asked so finds 4\n")
    }
  }

  @Test("A program is written of one example")
  func program() throws {
    let file = Self.fixtures.appending(path: "litmus/C-01.litmus").path
    let one = try Invocation("litmus", "--program", file)
    #expect(one.status == 0 && one.talk == "")
    #expect(one.output.hasPrefix("// SPDX-License-Identifier: GPL-2.0-only\n"))
    let several = try Invocation("litmus", "--program")
    #expect(several.status == 1 && several.talk.contains("name it with --example"))
    #expect(try Invocation("litmus", "--program", "--example", "C-01").output == one.output)
    #expect(try Invocation("litmus", "--example", "nothing").talk == "cowscope: no example 'nothing' there\n")
    #expect(try Invocation("litmus", "--program", "--kernel", "6.12", file).status == 0)
  }
}
