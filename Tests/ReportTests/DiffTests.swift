// SPDX-License-Identifier: GPL-2.0-only

import Replay
import Report
import Testing

@Suite("Diff of two results")
struct DiffTests {
  private let old = Sample.result([
    Sample.divergence(transition: .fork, count: 10), Sample.divergence(transition: .mprotect, count: 5),
    Sample.divergence(transition: .swapIn, count: 7), Sample.divergence(transition: .ksm, count: 1),
  ])
  private let new = Sample.result([
    Sample.divergence(transition: .fork, count: 12), Sample.divergence(transition: .mprotect, count: 4),
    Sample.divergence(transition: .ksm, count: 1, sequence: 9_999), Sample.divergence(transition: .unshare, count: 3),
  ])

  @Test("New, gone, grown and shrunk by signature; where it was first seen does not matter")
  func changes() {
    let diff = ResultDiff(old: old, new: new)
    #expect(diff.rows.map(\.change) == [.new, .gone, .grown, .shrunk])
    #expect(diff.rows.map(\.signature.transition) == [.unshare, .swapIn, .fork, .mprotect])
    #expect(diff.rows.map(\.old) == [0, 7, 10, 5])
    #expect(diff.rows.map(\.new) == [3, 0, 12, 4])
    #expect(diff.unchanged == 1)
  }

  @Test("A signature that became certain is a new one, and the possible one is gone")
  func certainty() {
    let diff = ResultDiff(
      old: Sample.result([Sample.divergence(.aAndEager, .unsafe, .possible)]),
      new: Sample.result([Sample.divergence(.aAndEager, .unsafe, .definite)]))
    #expect(diff.rows.map(\.change) == [.new, .gone])
  }

  @Test("The text shows both counts where both sides have one")
  func rendering() {
    let rendered = DiffText(style: Style(isColoured: false)).render(old: old, new: new)
    #expect(rendered.contains("GROWN (1)\n  UNSAFE C-raw: C1 at fork, order 0, definite: 10 -> 12"))
    #expect(rendered.contains("1 signature unchanged"))
  }

  @Test("The JSON ends in a summary that counts the changes")
  func json() throws {
    let lines = text(try ResultDiff(old: old, new: new).json()).split(separator: "\n")
    #expect(lines.count == 5)
    #expect(
      lines.last
        == #"{"changes":{"gone":1,"grown":1,"new":1,"shrunk":1},"type":"summary","unchanged":1,"version":2}"#)
  }
}
