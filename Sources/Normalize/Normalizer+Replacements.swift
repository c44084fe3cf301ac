// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Population over shared pages, and GUP, in the task's own mm.
///
/// The flush is that of the copy (`wp_page_copy`), or of a page which reclaim unmapped while the folio was charged
/// (`try_to_unmap_one`, where no other CPU runs the mm): that page is counted next, one anonymous page less. So the
/// event waits at its place for what the task does then.
extension Normalizer {
  mutating func replacedWithoutFault(_ slot: Int, _ folio: StrayFolio) {
    replacementStands(slot)
    let record: MMEventRecord? =
      switch tasks[slot].call?.call {
      case _ where tasks[slot].pin != nil: filling(slot, .copied(folio.pfn, sinceDecision: 0))
      case .mmap, .mlock, .mlock2, .mlockall, .madvise: filling(slot, .copied(folio.pfn, sinceDecision: 0))
      case .read, .write, .pread64, .pwrite64:
        filling(slot, .copied(folio.pfn, sinceDecision: 0))
          ?? self.record(tasks[slot].mm, .appeared(folio.pfn, folio.order))
      default: self.record(tasks[slot].mm, .appeared(folio.pfn, folio.order))
      }
    guard let record else { return filledWithoutFault(slot, .copied(folio.pfn, sinceDecision: 0)) }
    let place = line.keepPlace(at: time, proposing: record)
    tasks[slot].replacement = Replacement(folio: folio, place: place, record: record)
  }

  /// What came next is not reclaim's counter.
  mutating func replacementStands(_ slot: Int) {
    guard tasks[slot].windows.contains(.replacement), let replacement = tasks[slot].replacement else { return }
    tasks[slot].replacement = nil
    // When the place is gone, it was told when its time was up.
    _ = line.fill(replacement.place, with: replacement.record)
  }

  /// The flush was reclaim's: the folio still waits to be mapped.
  mutating func replacementWasReclaim(_ slot: Int) {
    guard let replacement = tasks[slot].replacement else { return }
    tasks[slot].replacement = nil
    if line.drop(replacement.place) { tasks[slot].strayFolio = replacement.folio }
  }
}
