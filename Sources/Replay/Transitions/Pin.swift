// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

extension World {
  /// A copy of what is mapped at `ref` would separate a pin from the page table (or has done so).
  func isPinHit(_ ref: EntryRef, _ entry: Entry) -> Bool {
    guard entry.kind.refersToFolio else { return false }
    return isPinned(FolioID(entry.index), page: entry.page)
  }
}
