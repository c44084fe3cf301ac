// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

@Suite("What is in doubt")
struct DoubtsTests {
  private let mm = MMID(1)
  private func range(_ pages: Range<UInt64>) -> PageRange {
    PageRange(start: VirtualPage(pages.lowerBound), end: VirtualPage(pages.upperBound))
  }

  /// Causes of the pages 0..<count, by their first letters; `.` where nothing is in doubt.
  private func spell(_ doubts: Doubts, _ count: UInt64) -> String {
    (0..<count).map { page in
      switch doubts.cause(mm, VirtualPage(page)) {
      case nil: "."
      case .userfaultfd: "u"
      case .frameFreed: "f"
      case .loss: "L"
      case .removal: "r"
      default: "?"
      }
    }.joined()
  }

  @Test("Ranges are cut where others begin, and loss outlasts what is seen")
  func ranges() {
    var doubts = Doubts()
    #expect(doubts.isEmpty)
    doubts.add(mm, range(2..<8), .userfaultfd)
    doubts.add(mm, range(4..<5), .frameFreed)
    #expect(spell(doubts, 10) == "..uufuuu..")
    doubts.settle(mm, VirtualPage(2))
    #expect(spell(doubts, 10) == "...ufuuu..")
    doubts.settle(mm, range(0..<10), ofCause: .userfaultfd)
    #expect(spell(doubts, 10) == "....f.....")
    doubts.add(mm, range(3..<6), .loss)
    doubts.add(mm, range(2..<7), .userfaultfd)
    #expect(spell(doubts, 10) == "..uLLLu...")
    doubts.settle(mm, range(0..<10))
    #expect(spell(doubts, 10) == "...LLL....")
    doubts.forget(mm)
    #expect(doubts.isEmpty)
  }

  @Test("mremap takes doubt along, and fork gives it to the child")
  func movedAndForked() {
    var doubts = Doubts()
    doubts.add(MMID(7), range(0..<4), .userfaultfd)
    doubts.moved(MMID(7), range(2..<4), VirtualPage(8))
    doubts.forked(MMID(7), mm, range(1..<9))
    #expect(spell(doubts, 10) == ".u......u.")
  }

  @Test("A removal is a doubt while its task is at it")
  func removals() {
    var doubts = Doubts()
    doubts.removalBegan(TaskID(5), mm, range(1..<3))
    #expect(spell(doubts, 4) == ".rr." && !doubts.isEmpty)
    doubts.removalEnded(TaskID(6))
    #expect(spell(doubts, 4) == ".rr.")
    doubts.removalEnded(TaskID(5))
    #expect(doubts.isEmpty)
  }
}
