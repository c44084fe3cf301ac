// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// How many pages reclaim took from each mm that went to no swap entry, and of which the model does not know yet which
/// they are: what MADV_FREE gave up, if in another mm (`ttu_anon_lazyfree_folio`).
struct DroppedPages {
  private var counts: [MMID: UInt64] = [:]

  var isEmpty: Bool { counts.isEmpty }

  func includes(_ mm: MMID) -> Bool { counts[mm] != nil }

  /// Whether to swap is told next.
  mutating func reclaimed(_ mm: MMID, _ pages: UInt64) { counts[mm, default: 0] &+= pages }

  mutating func take(_ mm: MMID, _ pages: UInt64 = 1) {
    guard let count = counts[mm] else { return }
    counts[mm] = count > pages ? count - pages : nil
  }

  mutating func forget(_ mm: MMID) { counts[mm] = nil }
}

extension ReplayDriver {
  /// A page that the model has there is gone, as one that reclaim dropped is: its frame was not known, or it came to its
  /// address unseen. The counters said that one went; now it shows which.
  mutating func dropVanished(
    _ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ outcome: FaultOutcome, _ vma: VMAFacts
  ) {
    guard !access.contains(.present), dropped.includes(mm), vma.backing == .anonymous, !kernel.batchesCounters,
      lockstep.baseline.memory.entry(mm, page).kind == .present, !lockstep.baseline.memory.isPMDMapped(mm, page),
      migrating[page] == nil, !unseen.usesUserfaultfd(mm)
    else { return }
    switch outcome {
    case .anonymous(_, _, replaced: false): break
    // Nothing is counted for the zero page, which is what a read finds where nothing is.
    case .quiet where !access.contains(.write): break
    case .quiet, .anonymous, .copied, .copiedFromFile, .file, .swappedIn, .refused, .raced, .pooled, .surplus,
      .unexplained,
      .lost:
      return
    }
    dropped.take(mm)
    run(.drop(mm, page))
  }
}
