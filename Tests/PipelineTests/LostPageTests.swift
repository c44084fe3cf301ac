// SPDX-License-Identifier: GPL-2.0-only

import Foundation
import Replay
import Report
import Testing

@testable import Pipeline

/// A kernel that lost two pages of a process: how the recording came about is in `fixtures/tracefile/README.md`.
@Suite("A trace of lost pages")
struct LostPageTests {
  private func replay() throws -> ReplayResult {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../fixtures/tracefile/lost-page.txt")
    return try Analysis(path: path.standardizedFileURL.path, kernel: "6.18.44").replay()
  }

  @Test("Two pages are lost, the story tells to whom and by what; no encoding is blamed")
  func figures() throws {
    let result = try replay()
    let kernel = try #require(result.audits.first { $0.name == "kernel" })
    #expect(kernel["dropped"] == 2 && kernel["loss_pages"] == 2 && kernel["zeros_read"] == 2)
    #expect(kernel["loss_in_doubt"] == 0 && kernel.notObservable == ["unsafe_pages"])
    let example = try #require(kernel.examples.first)
    #expect(kernel.examples.count == 1)
    let story = example.history.map(\.text).joined(separator: "\n")
    for part in ["fork_copied", "MADV_FREE", "unmapped", "MADV_PAGEOUT", "fault read -> quiet"] {
      #expect(story.contains(part))
    }
    #expect(result.verification.decisions.disagree == 0)
    #expect(result.divergences.allSatisfy { $0.verdict != .dataLoss })
  }

  @Test("Every report says so")
  func reports() throws {
    let result = try replay()
    let text = TextReport(style: Style(isColoured: false)).render(result)
    #expect(text.contains("the kernel itself: 2 pages lost (KERNEL-LOSS)"))
    #expect(text.contains("MADV_FREE"))
    #expect(KTAPReport().render(result).contains("\nnot ok 8 kernel\n"))
    #expect(HTMLReport().render(result).contains("2 pages that it never gave up"))
  }

  @Test("A stored result is read back with its story")
  func stored() throws {
    let result = try replay()
    let read = try ResultReader.read(try ResultWriter().lines(of: result))
    #expect(read.audits == result.audits)
  }
}
