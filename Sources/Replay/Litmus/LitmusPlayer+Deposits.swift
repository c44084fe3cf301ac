// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// B done wrongly in the way of B-27: fork fills the bitmap of the table at the head of the deposit list, in the
/// belief that it is the one deposited for the PMD being shared.
///
/// There is one list per PMD page, pushed and popped at its head (`pgtable_trans_huge_deposit`, `_withdraw`); a split
/// withdraws whatever table stands there.
extension LitmusPlayer {
  /// After a step: which PMD entries came, were shared or went decides what the list holds.
  mutating func followDeposits(_ operation: LitmusOperation) {
    guard choices.contains(.fillDepositAtFork) else { return }
    for mm in mms.values.sorted() where world.isLive(mm) {
      var huge: Set<UInt32> = []
      world.forEachRef(mm, .everything) { ref in
        if world.isHuge(ref) { huge.insert(ref.region) }
      }
      let known = hugeRegions[mm] ?? []
      var list = deposits[mm] ?? []
      for _ in huge.subtracting(known) { list.insert(false, at: 0) }
      for region in known.subtracting(huge).sorted() where !list.isEmpty {
        let isFilled = list.removeFirst()
        world.tables[region].hasBitmap = isFilled
        for slot in 0..<512 {
          world.tables.setBitmapBit(isFilled, at: EntryRef(region: region, slot: slot))
        }
      }
      hugeRegions[mm] = huge
      deposits[mm] = list
    }
    if case .fork(let parent, _, _) = operation, let mm = mms[parent], deposits[mm]?.isEmpty == false {
      deposits[mm]?[0] = true
    }
  }
}
