// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// `vma_merge`: neighbours with the same backing and protection are one VMA.
@Suite("VMAs as told")
struct VMAMapTests {
  private func range(_ pages: Range<Int>) -> PageRange {
    PageRange(start: VirtualPage(UInt64(pages.lowerBound)), count: pages.count)
  }

  private let heap = VMAFacts(backing: .anonymous, protection: [.read, .write])
  private let readOnly = VMAFacts(backing: .anonymous, protection: [.read])

  @Test("A heap that grows a page at a time, up or down, stays one VMA")
  func grows() {
    var map = VMAMap()
    for page in 100..<1000 { map.set(range(page..<page + 1), heap) }
    for page in (10..<100).reversed() { map.set(range(page..<page + 1), heap) }
    #expect(map.vmas.map(\.range) == [range(10..<1000)])
  }

  @Test("A hole that is filled joins both sides; other facts, and holes, keep them apart")
  func joins() {
    var map = VMAMap()
    map.set(range(0..<10), heap)
    map.set(range(20..<30), heap)
    #expect(map.vmas.count == 2 && map.facts(at: VirtualPage(15)) == VMAMap.unknown)
    map.set(range(10..<20), readOnly)
    #expect(map.vmas.map(\.range) == [range(0..<10), range(10..<20), range(20..<30)])
    #expect(map.facts(at: VirtualPage(9)) == heap && map.facts(at: VirtualPage(10)) == readOnly)
    map.set(range(10..<20), heap)
    #expect(map.vmas.map(\.range) == [range(0..<30)])
  }

  @Test("Memory of hugetlb is where it was mapped, and nowhere else")
  func hugetlb() {
    var map = VMAMap()
    map.set(range(0..<512), heap)
    #expect(!map.hasHugetlb(in: range(0..<512)))
    map.set(range(512..<1024), VMAFacts(backing: .hugetlb, protection: [.read, .write]))
    for (pages, isThere) in [(0..<512, false), (500..<513, true), (1023..<2000, true), (1024..<2000, false)] {
      #expect(map.hasHugetlb(in: range(pages)) == isThere)
    }
  }
}
