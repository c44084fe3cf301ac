// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The primitive steps of which transitions are made: an entry appears, changes bits, or goes, and the counts of
/// what it refers to follow.
extension World {
  /// Writes an entry where none (or one without references) is.
  mutating func place(_ entry: Entry, at ref: EntryRef) {
    memory.place(settled(entry), at: ref)
    touch(ref)
  }

  /// Removes whatever is at `ref`, and frees the folio or swap slot nobody refers to any more. Exclusivity
  /// is left as it is (I15).
  mutating func drop(_ ref: EntryRef) {
    let entry = tables.entry(ref)
    if entry.kind.refersToFolio {
      E.removed(&self, ref, entry)
      memory.clear(ref, entry)
      unmapped(ref, entry)
      memory.release(entry.folio)
    } else {
      memory.dropWithoutFolio(ref, entry)
    }
    touch(ref)
  }

  /// Changes bits of the entry; its kind may change between kinds that refer to the same page.
  package mutating func update(_ entry: Entry, at ref: EntryRef) {
    memory.update(settled(entry), at: ref)
    touch(ref)
  }

  /// Where stores are not seen, a writable clean entry may be dirty by now: hardware sets the bit silently.
  @inline(__always)
  func settled(_ entry: Entry) -> Entry {
    guard options.storesAreSilent, entry.writable, !entry.dirty, entry.kind == .present else { return entry }
    var entry = entry
    entry.dirtyUnknown = true
    return entry
  }

  /// The counts beside the mapping list, after an entry was taken off it.
  mutating func unmapped(_ ref: EntryRef, _ entry: Entry) {
    let folio = entry.folio
    let before = memory.folioStanding(folio)
    memory.countUnmapped(ref, entry)
    touchDiverged(folio, lost: memory.isHuge(ref) ? nil : entry.page, standing: before)
  }
}
