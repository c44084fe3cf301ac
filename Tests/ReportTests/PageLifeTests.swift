// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Report
import Testing

@Suite("Lives of pages")
struct PageLifeTests {
  private func life(
    of subject: PageLife.Subject, events: Int = ForkedPage.story.count
  ) -> (lines: [PageLife.Line], ends: [(place: PageLife.Place, standing: PageLife.Standing)]) {
    var life = PageLife(subject, [.baseline, .b])
    var model = ReplayDriver(encodings: [.baseline, .b], facts: .v6_12, seesLRUInsertion: true)
    var lines: [PageLife.Line] = []
    life.follow(ForkedPage.story[..<events], in: &model) { lines.append($0) }
    return (lines, life.ends(in: model))
  }

  @Test("An address: what happened to it in both mms, and what that did to the other")
  func address() {
    let lines = life(of: .address(ForkedPage.page, in: nil)).lines
    let (p, q) = (ForkedPage.parent, ForkedPage.child)
    #expect(lines.map(\.record.sequence.rawValue) == [2, 4, 4, 6, 6, 8, 9, 10])
    #expect(lines.map(\.place.mm) == [p, p, q, p, q, q, q, p])
    #expect(
      lines.map { $0.standing.today.text(claimedBy: "PAE") }
        == ["W D PAE+", "r D PAE-", "r D PAE-", "W D PAE+", "r D PAE-", "W D PAE+", "none", "none"])
    // The bitmap says what the flag says, event by event.
    #expect(
      lines.map { $0.standing.encodings.map { $0.entry.text(claimedBy: "") } }
        == [["W D +"], ["r D -"], ["r D -"], ["W D +"], ["r D -"], ["W D +"], ["none"], ["none"]])
    #expect(lines.map(\.isAside) == [false, false, true, false, true, false, false, false])
    #expect(lines.map(\.standing.frame?.rawValue) == [64, 64, 64, 65, 64, 64, nil, nil])
    #expect(lines.map { $0.standing.mappers.map(\.mm) } == [[p], [p, q], [p, q], [p], [q], [q], [], []])
  }

  @Test("Only the mms that are asked for, and those that fork gave the page to")
  func ofOne() {
    #expect(life(of: .address(ForkedPage.page, in: [ForkedPage.parent])).lines.count == 8)
    // Nothing in the child before it writes; with its ancestors all is told.
    #expect(
      life(of: .address(ForkedPage.page, in: [ForkedPage.child])).lines.map(\.record.sequence.rawValue) == [8, 9])
    #expect(life(of: .address(VirtualPage(0x4000), in: nil)).lines.isEmpty)
  }

  @Test("A frame: from its first mapping to the last, without what else was at its places")
  func frame() {
    let lines = life(of: .frame(PFN(64))).lines
    #expect(lines.map(\.record.sequence.rawValue) == [2, 4, 4, 6, 6, 8, 9])
    #expect(life(of: .frame(PFN(65))).lines.map(\.record.sequence.rawValue) == [6, 10])
    #expect(life(of: .frame(PFN(7))).lines.isEmpty)
  }

  @Test("As text: below a line, what of it is not today's alone; at the end, all places")
  func text() {
    let (lines, ends) = life(of: .address(ForkedPage.page, in: nil), events: 9)
    var text = PageLifeText(style: Style(isColoured: false), pageShift: 12)
    let printed = lines.map { text.lines($0) }
    #expect(printed.count == 6)
    let event = "fault addr=0x100000 write -> anon pfn=64 order=0"
    #expect(printed[0] == "        2       0.000000002        1  mm1  W D PAE+  \(event)\n")
    #expect(printed[1].hasSuffix("\n                                           mapped by mm2, too\n"))
    #expect(printed[2].contains("  mm2  r D PAE-  in mm1: fork_copied child=mm2 0xf0000-0x110000\n"))
    #expect(printed[3].hasSuffix("all encodings say the same, nobody else maps it\n"))
    let end = text.end(ends).split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(
      end == [
        "AT THE END", "mm addr pfn today B", "mm1 0x100000 65 W D PAE+ W D +", "mm2 0x100000 64 W D PAE+ W D +",
      ])
    #expect(text.end([]) == "\nAT THE END: the page is mapped nowhere\n")
  }
}
