// SPDX-License-Identifier: GPL-2.0-only

/// How far `exit_mmap` is with an mm, as its `rss_stat` and its flushes tell.
///
/// `unmap_vmas` goes up the address space. What it unmaps keeps its reference in the `mmu_gather` until the next
/// `tlb_flush_mmu`, which is not always traced. Pages are named by their rank from the top: how many anonymous pages
/// the mm had at this address and above.
struct Teardown {
  enum Reference { case held, released, unknown }

  /// Pages one `mmu_gather` can hold before it must flush: `MMU_GATHER_BUNDLE` in place, then
  /// `MAX_GATHER_BATCH_COUNT` pages of `MAX_GATHER_BATCH` each, for pages of 4 KiB.
  private static let gathered: UInt64 = 8 + (10_000 / 510) * 510

  /// Anonymous pages mapped yet; `nil` before the first was unmapped.
  private var remaining: UInt64?
  /// The same at the last flush; `nil` before the first.
  private var remainingAtFlush: UInt64?

  mutating func proceeded(remaining: UInt64, flushed: Bool) {
    self.remaining = remaining
    if flushed { remainingAtFlush = remaining }
  }

  /// Whether the mm's reference to a page is there yet.
  func reference(rank: UInt64) -> Reference {
    guard let remaining else { return .held }
    if rank > remaining + Self.gathered { return .released }
    guard let remainingAtFlush else { return .held }
    return rank <= remainingAtFlush ? .held : .unknown
  }
}
