// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The page allocator takes frames back (`mm_page_free`): what that says of who maps them.
extension ReplayDriver {
  /// The last reference went. A teardown frees before the trace tells its end; anything else that frees a mapped page
  /// unmapped it unseen.
  mutating func freed(_ pfn: PFN, _ order: FolioOrder) {
    unseen.freed(pfn)
    if !seenPins.isEmpty { werePinned(seenPins.takeAll(pfn, order)) }
    if !snapshots.isEmpty { noteGone(pfn, order) }
    if !outlived.isEmpty { settleCopies(from: pfn) }
    if !leaving.isEmpty { leftByReclaim(pfn) }
    guard let folio = lockstep.baseline.memory.folio(at: pfn) else {
      if !cached.isEmpty { swapCacheFreed(pfn) }
      return
    }
    guard lockstep.baseline.memory.isMapped(folio) else {
      if !cached.isEmpty { swapCacheFreed(pfn) }
      _ = lockstep.baseline.memory.pfnFreed(pfn)
      return
    }
    if ksmReplaced(pfn) { return }
    if collapsing[current.task] != nil {
      _ = lockstep.baseline.memory.pfnFreed(pfn)
      return
    }
    if lazilyFreed(pfn) || cleanlyReclaimed(pfn, order) || splitFreed(pfn, order) { return }
    let owners = mappingsNotDying(of: pfn, order)
    if !cached.isEmpty { swapCacheFreed(pfn) }
    guard lockstep.baseline.memory.pfnFreed(pfn), !owners.isEmpty else { return }
    count(.framesFreedWhileMapped)
    for owner in owners {
      run(.zap(owner.mm, owner.range))
      lockstep.doubts.add(owner.mm, owner.range, .frameFreed)
      lockstep.markIncomplete(owner.mm)
    }
  }

  /// What maps the frames, in mms that are not going away: nothing, most often.
  private func mappingsNotDying(of pfn: PFN, _ order: FolioOrder) -> [(mm: MMID, range: PageRange)] {
    var found: [(mm: MMID, range: PageRange)] = []
    for index in 0..<order.pageCount {
      lockstep.baseline.memory.forEachMapperNotDying(of: pfn.advanced(by: index)) { owner in
        let range = order == .base ? PageRange(start: owner.page, count: 1) : entryRange(owner.mm, owner.page)
        found.append((owner.mm, range))
      }
    }
    return found
  }
}
