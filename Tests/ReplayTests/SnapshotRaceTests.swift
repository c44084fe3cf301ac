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
}
