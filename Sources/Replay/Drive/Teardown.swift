// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// How far `exit_mmap` is with an mm, as its `rss_stat` and its flushes tell.
///
/// `unmap_vmas` goes up the address space. What it unmaps keeps its reference in the `mmu_gather` until the next
/// `tlb_flush_mmu`, which is not always traced. Pages are named by their rank from the top: how many anonymous pages
/// the mm had at this address and above.
struct Teardown {
  /// The task that had the mm last (`mmput`), or one that came for it later.
  let task: TaskID

  enum Reference { case held, released, unknown }

  /// Pages one `mmu_gather` holds before it must flush: `MMU_GATHER_BUNDLE` (8) in place, then `MAX_GATHER_BATCH_COUNT`
  /// (19) pages of `MAX_GATHER_BATCH` (510) each, all but one of which are used (`__tlb_remove_folio_pages_size`).
  private static let capacity: UInt64 = 7 + 19 * 509

  init(by task: TaskID) { self.task = task }

  /// Pages in the gather, if nothing flushed it before it was full.
  private var gathered: UInt64 = 0
  /// Anonymous pages mapped yet when the gather was full last; `nil` before.
  private var remainingWhenFull: UInt64?
  /// The same at the last flush that was seen; `nil` before the first.
  private var remainingAtFlush: UInt64?

  mutating func proceeded(remaining: UInt64, unmapped: UInt64, flushed: Bool) {
    gathered += unmapped
    if gathered >= Self.capacity {
      gathered = 0
      remainingWhenFull = remaining
    }
    if flushed { remainingAtFlush = remaining }
  }

  /// The last page whose reference was seen to be gone; what lies below it went before.
  private var lastGone: VirtualPage?

  mutating func passed(_ page: VirtualPage) { lastGone = max(lastGone ?? page, page) }

  func hasPassed(_ page: VirtualPage) -> Bool { lastGone.map { page <= $0 } ?? false }

  /// Whether the mm's reference to a page is there yet.
  func reference(rank: UInt64) -> Reference {
    if let remainingWhenFull, rank > remainingWhenFull { return .released }
    guard let remainingAtFlush else { return .held }
    return rank <= remainingAtFlush ? .held : .unknown
  }
}
