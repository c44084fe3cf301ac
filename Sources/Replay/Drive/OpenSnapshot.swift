// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// A snapshot between its markers: pages that change meanwhile prove nothing.
struct OpenSnapshot {
  let mm: MMID
  var touched: Set<VirtualPage> = []
  var touchedRanges: [PageRange] = []
  /// What fork shared meanwhile: the pages stay where they are, but their flags went at a moment that is not told.
  var sharedRanges: [PageRange] = []
  /// What a fault or a collapse is at, which leaves the number of page tables alone or says so in `movesTables`.
  var unsettled: [PageRange] = []
  /// Where something under way may have mapped, or not have unmapped yet, what the model has not: what it has is there.
  var inMotion: [PageRange] = []
  /// Something under way may have made page tables, or not have freed them yet.
  var movesTables = false
  /// Reclaim took pages of the mm meanwhile: which ones is told later, or never. `/proc/kpageflags` is read after
  /// pagemap, so a page may have been mapped then and not now.
  var isReclaimed = false
  /// Bytes of its page tables when it began.
  var pageTableBytes: UInt64 = 0

  /// Frames that were written to swap or freed meanwhile: where they had been mapped need not be known.
  var gone: Set<PFN> = []

  func isTouched(_ page: VirtualPage) -> Bool {
    touched.contains(page) || touchedRanges.contains { $0.contains(page) } || unsettled.contains { $0.contains(page) }
  }

  func isShared(_ page: VirtualPage) -> Bool { sharedRanges.contains { $0.contains(page) } }

  func isInMotion(_ page: VirtualPage) -> Bool { inMotion.contains { $0.contains(page) } }

  func isInMotion(_ range: PageRange) -> Bool { inMotion.contains { $0.overlaps(range) } }
}
