// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Which verdicts may have changed although nothing happened to their entries: they depend on who else maps the page,
/// and on what holds for the folio as a whole.
extension World {
  /// A mapping of the folio is gone. One sharer less can only mend a verdict, so only folios with one are looked at
  /// again; and of them only what is left of the last mappings of a page, since before that nothing changes for the
  /// others (a zygote has thousands).
  ///
  /// `page`: the page that lost a mapping, `nil` for a PMD mapping, which all pages lost.
  mutating func touchDiverged(_ folio: FolioID, lost page: Int?, standing before: Memory.FolioStanding?) {
    let flags = folios.flags(folio)
    guard flags.contains(.diverged) else { return }
    if folios.attached(folio) <= 1 { return touchMappings(of: folio) }
    guard flags.contains(.large) else { return }
    // A single mapping of a large folio is refused what two of them are granted.
    if memory.mapcount(folio) <= 1 || before != memory.folioStanding(folio) { return touchMappings(of: folio) }
    let pages = page.map { $0..<$0 + 1 } ?? 0..<folios.order(folio).pageCount
    for page in pages where memory.observers(folio, page: page) == 1 { touchMappings(of: folio, page: page) }
  }

  /// Something happened to the folio that may matter for all of its mappings.
  mutating func touchDiverged(_ folio: FolioID, standing before: Memory.FolioStanding?) {
    if before != memory.folioStanding(folio) { touchMappings(of: folio) }
  }

  mutating func touchMappings(of folio: FolioID) {
    for ref in memory.mappings(of: folio) { lookAgain(ref) }
  }

  private mutating func touchMappings(of folio: FolioID, page: Int) {
    var refs: [EntryRef] = []
    memory.forEachMapping(of: folio, page: page) { refs.append($0) }
    for ref in refs { lookAgain(ref) }
  }

  private mutating func lookAgain(_ ref: EntryRef) {
    let (mm, page) = memory.owner(ref)
    relooked.add(mm, page)
  }
}
