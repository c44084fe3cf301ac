// SPDX-License-Identifier: GPL-2.0-only

import Replay
import Report
import Testing

@Suite("What was found, by what")
struct BreakdownTests {
  private func rows(_ kind: Breakdown.Kind, _ result: ReplayResult, sortedBy column: String? = nil) -> [String] {
    var breakdown = Breakdown(kind, of: result)
    if let column {
      let isThere = breakdown.sort(by: column)
      #expect(isThere)
    }
    return breakdown.text(Style(isColoured: false)).split(separator: "\n").map {
      $0.split(separator: " ").joined(separator: " ")
    }
  }

  private var found: ReplayResult {
    Sample.result([
      Sample.divergence(.cStrict, transition: .fork, count: 7),
      Sample.divergence(.aAndLazy, .unsafe, .possible, rule: .a1, transition: .mremap, order: 9, count: 512),
      Sample.divergence(.aAndLazy, rule: .a1, transition: .mremap, order: 9, count: 3),
      Sample.divergence(.b, .better, rule: .i8, count: 1000), Sample.divergence(.cRaw, count: 1000),
    ])
  }

  @Test("By process: those that copied most first, or as a column says")
  func processes() {
    #expect(
      rows(.process, Sample.rich) == [
        "BY PROCESS", "mm forks copied kept forked from", "redis-server(4711) mm1 3 31 5",
        "mm2 mm2 1 0 0 redis-server(4711)",
      ])
    #expect(rows(.process, Sample.rich, sortedBy: "MM").dropFirst(2).first == "mm2 mm2 1 0 0 redis-server(4711)")
    #expect(rows(.process, Sample.result()) == ["BY PROCESS: nothing to tell"])
  }

  @Test("By order and by site: certain and possible apart, proposals only, nothing that is no worse than today")
  func divergences() {
    #expect(
      rows(.order, found, sortedBy: "C-strict") == [
        "BY ORDER", "A-and-lazy A-and-eager B C-strict", "order 0 0 0 0 7", "order 9 3 (512 possible) 0 0 0",
      ])
    #expect(
      rows(.site, found, sortedBy: "a-and-lazy") == [
        "BY SITE", "A-and-lazy A-and-eager B C-strict", "mremap 3 (512 possible) 0 0 0", "fork 0 0 0 7",
      ])
  }

  @Test("A column that is not there")
  func noColumn() {
    var breakdown = Breakdown(.site, of: found)
    let isThere = breakdown.sort(by: "mm")
    #expect(!isThere && breakdown.names == "A-and-lazy, A-and-eager, B, C-strict")
  }
}
