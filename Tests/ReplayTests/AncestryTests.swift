// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay
import Testing

@Suite("Who forked whom")
struct AncestryTests {
  /// mm 1 forks 2 (until event 10), which forks 3 (until 20), which is forking 4.
  private static var story: Ancestry {
    var ancestry = Ancestry()
    for child in UInt32(2)...4 { ancestry.forkBegan(MMID(child - 1), MMID(child)) }
    ancestry.forkEnded(MMID(2), at: Sequence(10))
    ancestry.forkEnded(MMID(3), at: Sequence(20))
    return ancestry
  }

  private func lineage(_ ancestry: Ancestry, _ mm: UInt32, _ until: UInt64) -> [[UInt64]] {
    ancestry.lineage(of: MMID(mm), until: Sequence(until)).map { [UInt64($0.mm.rawValue), $0.until.rawValue] }
  }

  @Test("An ancestor's pages are the mm's own up to its fork, and no longer than is asked for")
  func lineage() {
    #expect(lineage(Self.story, 4, 30) == [[4, 30], [3, 30], [2, 20], [1, 10]])
    #expect(lineage(Self.story, 3, 15) == [[3, 15], [2, 15], [1, 10]])
    #expect(lineage(Self.story, 1, 15) == [[1, 15]])
  }

  @Test("A server that forks for ever does not fill the memory with children that are gone")
  func bounded() {
    var ancestry = Self.story
    var largest = 0
    for child in UInt32(10)...20_000 {
      ancestry.forkBegan(MMID(4), MMID(child))
      if ancestry.isLarge { ancestry.keepAncestors(of: [MMID(4), MMID(child)]) }
      largest = max(largest, ancestry.count)
    }
    #expect(largest <= 1024)
    #expect(lineage(ancestry, 20_000, 30) == [[20_000, 30], [4, 30], [3, 30], [2, 20], [1, 10]])
    #expect(lineage(ancestry, 10, 30) == [[10, 30]])
  }

  @Test("A thousand parents are not worth looking for those that nobody asks for, 1024 are")
  func limit() {
    var ancestry = Ancestry()
    for child in UInt32(1)...1023 { ancestry.forkBegan(MMID(0), MMID(child)) }
    #expect(!ancestry.isLarge)
    ancestry.forkBegan(MMID(0), MMID(1024))
    #expect(ancestry.isLarge)
  }

  @Test("Of a chain of processes without end, what is older than histories go back is forgotten")
  func chain() {
    var ancestry = Ancestry()
    for child in UInt32(1)...20_000 {
      ancestry.forkBegan(MMID(child - 1), MMID(child))
      if ancestry.isLarge { ancestry.keepAncestors(of: [MMID(child)]) }
    }
    #expect(ancestry.count <= 1024)
    #expect(ancestry.lineage(of: MMID(20_000), until: Sequence(1)).count == 64)
  }
}
