// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Swap-in where the cached folio cannot be mapped.
extension World {
  /// `ksm_might_need_to_copy`: a folio belongs to the place where it was mapped first. The content of a KSM page is
  /// asked for by other places too, once it comes back as an ordinary folio.
  func needsCopy(_ slot: SwapSlotID, _ folio: FolioID, at ref: EntryRef) -> Bool {
    if skips(.swapInCopy) { return false }
    return !folios.flags(folio).contains(.ksm) && !slots.mayMap(slot, at: place(of: ref))
  }

  func place(of ref: EntryRef) -> AnonymousPlace {
    let (mm, page) = memory.owner(ref)
    return AnonymousPlace(family: mms[Int(tables[ref.table].mm)]?.family ?? mm, page: page)
  }

  /// A folio that nobody else knows, and that swap has no copy of.
  mutating func copy(of folio: FolioID, _ page: Int) -> FolioID {
    let copy = memory.newFolio()
    if options.followsContent { folios.setContent(folios.content(folio, page: page), of: copy, page: 0) }
    memory.markDirty(copy)
    return copy
  }

  /// `ksm_might_need_to_copy`: the copy is exclusive whatever the swap entry says. The cached folio goes when nobody
  /// needs it any more.
  mutating func swapInFresh(
    _ ref: EntryRef, _ swap: Entry, _ folio: FolioID, _ page: Int, _ vma: VMAFacts, write: Bool
  ) -> Outcome {
    let fresh = copy(of: folio, page)
    mapSwapped(ref, swap, fresh, 0, vma, write: write, isExclusive: true, .swapIn)
    if folios.attached(folio) == 0, memory.canFreeSwapCache(folio) { memory.freeSwapCache(folio) }
    return .swappedIn(fresh)
  }

  /// Encoding A with a pinned folio: the page goes to a folio of its own.
  mutating func swapInCopy(
    _ ref: EntryRef, _ swap: Entry, _ folio: FolioID, _ page: Int, _ vma: VMAFacts
  ) -> Outcome {
    slots[swap.swapSlot].entries += 1
    let content = folios.content(folio, page: page)
    tables.write(.none, at: ref)
    memory.releaseSwapEntry(swap.swapSlot)
    _ = installCopy(at: ref, from: nil, vma, .writeCopy)
    let copy = tables.entry(ref).folio
    if options.followsContent { folios.setContent(content, of: copy, page: 0) }
    memory.markDirty(copy)
    costs[.extraCopies] += 1
    return .copied(from: folio, to: copy)
  }
}
