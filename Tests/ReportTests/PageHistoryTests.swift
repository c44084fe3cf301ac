// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Report
import Testing

@Suite("Histories of pages")
struct PageHistoryTests {
  private static let parent = MMID(1)
  private static let child = MMID(2)
  private static let page = VirtualPage(0x100)
  private static let vma = PageRange(start: VirtualPage(0xf0), count: 32)

  private static func record(_ sequence: UInt64, _ mm: MMID?, _ event: MMEvent) -> MMEventRecord {
    MMEventRecord(
      sequence: Sequence(sequence), time: Timestamp(nanoseconds: sequence), cpu: CPU(0), task: TaskID(1), mm: mm,
      event: event)
  }

  /// First touch, fork, the parent writes, somebody else's page, the child writes.
  private static let story = [
    record(0, parent, .mmCreated(.exec)), record(1, parent, .vmaMapped(vma, .anonymous, [.read, .write])),
    record(2, parent, .fault(page, .write, .anonymous(PFN(64), FolioOrder(0), replaced: false))),
    record(3, parent, .forkBegan(child: child)), record(4, parent, .forkCopied(child: child, vma)),
    record(5, parent, .forkEnded(child: child)),
    record(6, parent, .fault(page, [.write, .present], .copied(PFN(65), sinceDecision: 0))),
    record(7, parent, .fault(VirtualPage(0x101), [.write, .present], .copied(PFN(66), sinceDecision: 0))),
    record(8, child, .fault(page, [.write, .present], .quiet)), record(9, nil, .freed(PFN(64), FolioOrder(0))),
    record(10, nil, .freed(PFN(65), FolioOrder(0))),
  ]

  private func histories(of wanted: Exemplars.Page) -> PageHistories {
    var ancestry = Ancestry()
    ancestry.forkBegan(Self.parent, Self.child)
    ancestry.forkEnded(Self.child, at: Sequence(5))
    var histories = PageHistories(
      Exemplars(pages: [wanted], deciding: [:], events: UInt64(Self.story.count)), ancestry: ancestry, pageShift: 12)
    var model = ReplayDriver(encodings: [.baseline], facts: .v6_12, seesLRUInsertion: true)
    histories.follow(Self.story[...], in: &model)
    return histories
  }

  @Test("A page's history begins with the page, names it once and ends where it was asked to")
  func own() {
    let wanted = Exemplars.Page(mm: Self.parent, page: Self.page, until: Sequence(6))
    let history = histories(of: wanted)[wanted]
    #expect(history.map(\.sequence.rawValue) == [2, 4, 6])
    #expect(history.map(\.today) == ["W D PAE+", "r D PAE-", "W D PAE+"])
    #expect(history.first?.text == "fault write -> anon pfn=64 order=0")
    #expect(history.allSatisfy { $0.encoding == nil && !$0.isDeciding })
    #expect(histories(of: wanted).frame(wanted) == PFN(65))
  }

  @Test("A forked page has its parent's history, the parent's later writes, and the end of its own frame")
  func forked() {
    let wanted = Exemplars.Page(mm: Self.child, page: Self.page, until: Sequence(10))
    let histories = histories(of: wanted)
    #expect(histories[wanted].map(\.sequence.rawValue) == [2, 4, 6, 8, 9])
    #expect(histories[wanted].map(\.mm) == [Self.parent, Self.parent, Self.parent, nil, nil])
    #expect(histories[wanted].map(\.today) == ["W D PAE+", "r D PAE-", "W D PAE+", "W D PAE+", "none"])
    #expect(histories.frame(wanted) == PFN(64))
  }

  @Test("A page nobody asked for has no history")
  func unasked() {
    let histories = histories(of: Exemplars.Page(mm: Self.parent, page: Self.page, until: Sequence(6)))
    #expect(histories[Exemplars.Page(mm: MMID(9), page: Self.page, until: Sequence(6))].isEmpty)
  }
}
