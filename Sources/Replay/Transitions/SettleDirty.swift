// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

extension World {
  /// Reclaim showed whether the folio was dirty: it wrote it out although nothing else made it do so, or freed it as it
  /// was. Dirty bits of its entries that were never seen are known now, and whether one had been moved to the folio.
  package mutating func settleDirty(_ mm: MMID, _ page: VirtualPage, isDirty: Bool) -> Outcome {
    guard let ref = memory.find(mm, page), tables.entry(ref).kind == .present else { return .nothing }
    let folio = tables.entry(ref).folio
    for other in memory.mappings(of: folio) {
      var entry = tables.entry(other)
      guard entry.kind == .present, entry.dirtyUnknown else { continue }
      entry.dirty = isDirty
      entry.dirtyUnknown = false
      if isDirty { entry.givenUp = false }
      update(entry, at: other)
    }
    if folios.flags(folio).contains(.dirtyUnknown) {
      folios.remove(.dirtyUnknown, folio)
      if isDirty { memory.markDirty(folio) }
    }
    return .done
  }
}
