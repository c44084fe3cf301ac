// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import TestSupport
import Testing

@Suite("merge")
struct MergeVerbTests {
  private let scratch: Scratch
  private let captures = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../fixtures/captures").standardizedFileURL.path

  init() throws {
    scratch = try Scratch()
    for (fixture, host) in [("6.18-shell", "a"), ("6.18-shell", "b"), ("6.12-two-nodes", "a")] {
      _ = try Invocation("replay", "\(captures)/\(fixture)", "-q", "--result", scratch.path("out"), "--host", host)
    }
  }

  /// `$out` is the directory of the results.
  private func shell(_ line: String) throws -> Invocation {
    try Invocation(shell: line, environment: ["out": scratch.path("out"), "s": scratch.path])
  }

  @Test("Of a directory, of its files in another order, and of merges: the same bytes")
  func sameBytes() throws {
    let run = try shell(
      """
      set -e
      "$cowscope" merge -q "$out" -o "$s/all.ndjson"
      find "$out" -name 'capture=*' | sort -r | xargs "$cowscope" merge -q -o "$s/list.ndjson"
      "$cowscope" merge -q "$out/kernel=6.18.44-fc-v595" -o "$s/x.ndjson"
      "$cowscope" merge -q "$s/x.ndjson" "$out"/kernel=6.12*/ -o - >"$s/two.ndjson"
      cmp "$s/all.ndjson" "$s/list.ndjson"; cmp "$s/all.ndjson" "$s/two.ndjson"
      """)
    #expect(run.status == 0, "\(run.talk)")
  }

  @Test("report prints a merge; what needs one capture says so")
  func report() throws {
    _ = try shell("\"$cowscope\" merge -q \"$out\" -o \"$s/all.ndjson\"")
    let run = try Invocation("report", scratch.path("all.ndjson"))
    #expect(run.output.contains("3 captures of 2 hosts"))
    #expect(run.status == (run.output.contains("NOT TRUSTED") ? 3 : 0))
    for words in [["report", "--html", "-"], ["report", "--ktap"], ["report", "--perfetto", "-"]] {
      let refused = try Invocation(words + [scratch.path("all.ndjson")])
      #expect(refused.status == 1)
      #expect(refused.talk.contains("a merge of 3 captures"))
    }
    let diff = try Invocation("diff", scratch.path("all.ndjson"), scratch.path("all.ndjson"))
    #expect(diff.status == 1)
    #expect(diff.talk.contains("a merge"))
  }

  @Test("What cannot be merged is named")
  func refusals() throws {
    let twice = try shell("\"$cowscope\" merge \"$out\" \"$out\" -o \"$s/x\"")
    #expect(twice.status == 1)
    #expect(twice.talk.contains("is there twice"))
    let old = try scratch.write(Stored.result([]).replacing("\"version\":2", with: "\"version\":1"), to: "old.ndjson")
    let other = try shell("\"$cowscope\" merge \"$out\" '\(old)' -o \"$s/x\"")
    #expect(other.status == 1)
    #expect(other.talk.contains("old.ndjson: version 1, written by an older cowscope"))
    let bare = try Invocation("merge", try scratch.write(Stored.result([]), to: "bare.ndjson"), "-o", "-")
    #expect(bare.status == 1)
    #expect(bare.talk.contains("bare.ndjson: no origin line"))
    _ = try scratch.write("", to: "empty/x")
    #expect(try Invocation("merge", scratch.path("empty"), "-o", "-").talk.contains("no result to merge"))
    #expect(!scratch.exists("x"))
  }
}
