// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

extension World {
  /// O-82, memory failure: every mapping becomes a hwpoison entry; the page keeps its stale flag and is never used
  /// again.
  package mutating func poison(_ mm: MMID, _ page: VirtualPage) -> Outcome {
    if skips(.poison) { return .nothing }
    guard let first = find(mm, page), tables.entry(first).kind == .present else { return .nothing }
    let folio = FolioID(tables.entry(first).index)
    if folios.flags(folio).contains(.large), splitFolio(folio) != .done { return .failed(.busy) }
    guard let ref = find(mm, page) else { return .nothing }
    let poisoned = FolioID(tables.entry(ref).index)
    folios.insert(.hwpoison, poisoned)
    folios.withSide(poisoned) { $0.extraReferences += 1 }
    for other in mappings(of: poisoned) {
      if E.isDataDirty(self, tables.entry(other)) { markDirty(poisoned) }
      substitute(Entry(.hwpoison, index: poisoned.raw), at: other)
    }
    return .done
  }
}
