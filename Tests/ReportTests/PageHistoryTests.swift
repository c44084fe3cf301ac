// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Report
import Testing

@Suite("Histories of pages")
struct PageHistoryTests {
  private func histories(of wanted: Exemplars.Page) -> PageHistories {
    var ancestry = Ancestry()
    ancestry.forkBegan(ForkedPage.parent, ForkedPage.child)
    ancestry.forkEnded(ForkedPage.child, at: Sequence(5))
    var histories = PageHistories(
      Exemplars(pages: [wanted], deciding: [:], events: UInt64(ForkedPage.story.count)), ancestry: ancestry,
      pageShift: 12)
    var model = ReplayDriver(encodings: [.baseline], facts: .v6_12, seesLRUInsertion: true)
    histories.follow(ForkedPage.story[...], in: &model)
    return histories
  }

  @Test("A page's history begins with the page, names it once and ends where it was asked to")
  func own() {
    let wanted = Exemplars.Page(mm: ForkedPage.parent, page: ForkedPage.page, until: Sequence(6))
    let history = histories(of: wanted)[wanted]
    #expect(history.map(\.sequence.rawValue) == [2, 4, 6])
    #expect(history.map(\.today) == ["W D PAE+", "r D PAE-", "W D PAE+"])
    #expect(history.first?.text == "fault write -> anon pfn=64 order=0")
    #expect(history.allSatisfy { $0.encoding == nil && !$0.isDeciding })
    #expect(histories(of: wanted).frame(wanted) == PFN(65))
  }

  @Test("A forked page has its parent's history, the parent's later writes, and the end of its own frame")
  func forked() {
    let wanted = Exemplars.Page(mm: ForkedPage.child, page: ForkedPage.page, until: Sequence(10))
    let histories = histories(of: wanted)
    #expect(histories[wanted].map(\.sequence.rawValue) == [2, 4, 6, 8, 9])
    #expect(histories[wanted].map(\.mm) == [ForkedPage.parent, ForkedPage.parent, ForkedPage.parent, nil, nil])
    #expect(histories[wanted].map(\.today) == ["W D PAE+", "r D PAE-", "W D PAE+", "W D PAE+", "none"])
    #expect(histories.frame(wanted) == PFN(64))
  }

  @Test("A page nobody asked for has no history")
  func unasked() {
    let histories = histories(of: Exemplars.Page(mm: ForkedPage.parent, page: ForkedPage.page, until: Sequence(6)))
    #expect(histories[Exemplars.Page(mm: MMID(9), page: ForkedPage.page, until: Sequence(6))].isEmpty)
  }
}
