// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Walks over the entries of an mm.
extension Memory {
  /// Entries of the range that are not none, in address order: `(page, entry)`. A PMD entry comes once.
  package func forEachEntry(_ id: MMID, _ range: PageRange, _ body: (VirtualPage, Entry) -> Void) {
    forEachRef(id, range) { ref in body(owner(ref).page, tables.entry(ref)) }
  }

  /// Entries of the range that are not none, in address order; a PMD entry comes once. A sparse table is left as soon
  /// as its last entry was seen.
  func forEachRef(_ id: MMID, _ range: PageRange, _ body: (EntryRef) -> Void) {
    guard let slot = slot(of: id), !range.isEmpty,
      let (bases, tableIDs, first) = mms[Int(slot)]?.places(from: range.start.rawValue &>> 9)
    else { return }
    var position = first
    while position < bases.count {
      let base = bases[position]
      let first = base &<< 9
      guard first < range.end.rawValue else { return }
      let table = tableIDs[position]
      var left = tables[table].live
      if tables[table].isHuge {
        if left > 0 { body(EntryRef(table: table, slot: 0)) }
      } else if left > 0 {
        var slot = first >= range.start.rawValue ? 0 : Int(range.start.rawValue &- first)
        let high = first &+ 512 <= range.end.rawValue ? 512 : Int(range.end.rawValue &- first)
        while slot < high, left > 0 {
          let ref = EntryRef(table: table, slot: slot)
          if !tables.entry(ref).isNone {
            left &-= 1
            body(ref)
          }
          slot += 1
        }
      }
      position += 1
    }
  }

  /// The page tables (and PMD slots) of the range, in address order, each with the part of it that the range covers.
  func tableParts(_ id: MMID, _ range: PageRange) -> [(table: TableID, part: PageRange)] {
    guard let slot = slot(of: id), !range.isEmpty,
      let (bases, tableIDs, first) = mms[Int(slot)]?.places(from: range.start.rawValue &>> 9)
    else { return [] }
    var found: [(table: TableID, part: PageRange)] = []
    for position in first..<bases.count {
      let block = PageRange(start: VirtualPage(bases[position] &<< 9), count: PageTables.entriesPerTable)
      guard block.start < range.end else { break }
      let part = PageRange(start: max(block.start, range.start), end: min(block.end, range.end))
      found.append((tableIDs[position], part))
    }
    return found
  }

  /// Refs of the range that are not none, collected so that the body may change the tables.
  func liveRefs(_ id: MMID, _ range: PageRange) -> [EntryRef] {
    var refs: [EntryRef] = []
    forEachRef(id, range) { refs.append($0) }
    return refs
  }

  /// Present anonymous pages (`MM_ANONPAGES`) and swap entries of a range, as `fork` counts them: none of hugetlb.
  package func countAnonymous(_ id: MMID, in range: PageRange) -> (present: Int, swap: Int) {
    var present = 0
    var swap = 0
    forEachRef(id, range) { ref in
      let entry = tables.entry(ref)
      if entry.refersToFolio {
        guard !folios.flags(entry.folio).contains(.hugetlb) else { return }
        present += tables[ref.table].isHuge ? 512 : 1
      } else if entry.kind == .swap {
        swap += 1
      }
    }
    return (present, swap)
  }
}
