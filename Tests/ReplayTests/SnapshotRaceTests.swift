// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

/// What goes on in an mm while pagemap is read.
@Suite("Snapshots beside other tasks")
struct SnapshotRaceTests {
  /// `unmap_region` takes pages away from when the call has the lock, and tells of it at the end.
  @Test("A page that is gone proves nothing where a removal runs in that mm; elsewhere the model is wrong")
  func removal() {
    for (mm, disagrees) in [(Tale.p, UInt64(0)), (Tale.q, 1)] {
      var tale = Tale(snapshots: [1: ProcessSnapshot(vmas: [], anonymous: [])])
      tale.touch(0, 10)
      tale.at(Tale.q, 200, .mmCreated(.exec))
      tale.at(Tale.q, 200, .vmaMapped(tale.range(0..<8), .anonymous, [.read, .write]))
      tale.at(mm, 101, .removalBegan(tale.range(0..<8)))
      tale.at(Tale.p, 900, .snapshotBegan(1))
      tale.at(Tale.p, 900, .snapshotEnded(1))
      let pages = tale.result().verification.pages
      #expect(pages.disagree == disagrees && pages.checked == disagrees)
    }
  }

  /// `PageAnonExclusive` has one mapper.
  @Test("An exclusive page that comes into view is nobody else's: who the model has there is gone", arguments: [0, 1])
  func seenElsewhere(_ index: Int) {
    let shown = ProcessSnapshot.Page(
      page: Tale.first.advanced(by: index), pfn: PFN(10), exclusive: true, isMappedOnce: true)
    let vma = ProcessSnapshot.VMA(range: PageRange(start: Tale.first, count: 8), facts: .anonymous)
    var tale = Tale(snapshots: [1: ProcessSnapshot(vmas: [vma], anonymous: [shown])])
    tale.touch(0, 10)
    let attached = MMID(7)
    tale.at(attached, 700, .mmCreated(.attached))
    tale.at(attached, 900, .snapshotBegan(1))
    tale.at(attached, 900, .snapshotEnded(1))
    #expect(tale.frame(attached, index) == PFN(10) && tale.claim(attached, index) == .exclusive)
    #expect(tale.kind(Tale.p, 0) == .none)
  }
}
