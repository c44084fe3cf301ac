// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// How the census follows mappings and flags.
extension FolioSide {
  /// The pages of a large folio that are mapped, more or less (`sign`). By a PMD all are, and the head's flag is that of
  /// all.
  fileprivate func count(_ flags: FolioFlags, into census: inout PageCensus, by sign: Int) {
    if entire > 0 { return census.change(flags, isExclusive: isExclusive(0), by: sign * order.pageCount) }
    for page in attachedPerPage.indices where attachedPerPage[page] > 0 {
      census.change(flags, isExclusive: isExclusive(page), by: sign)
    }
  }

  /// How many pages count by the flag of this one.
  fileprivate func countedBy(_ page: Int) -> Int {
    if entire > 0 { return page == 0 ? order.pageCount : 0 }
    return attachedPerPage[page] > 0 ? 1 : 0
  }

  /// One mapping more, or less.
  fileprivate mutating func countMapping(
    _ page: Int, huge: Bool, by change: Int, _ flags: FolioFlags, _ census: inout PageCensus
  ) {
    let change = UInt32(truncatingIfNeeded: change)
    if huge {
      let isOther = entire == 0 || entire &+ change == 0
      if isOther { count(flags, into: &census, by: -1) }
      entire &+= change
      if isOther { count(flags, into: &census, by: 1) }
    } else {
      let before = countedBy(page)
      attachedPerPage[page] &+= change
      census.change(flags, isExclusive: isExclusive(page), by: entire > 0 ? 0 : countedBy(page) - before)
    }
  }
}

extension FolioPool {
  /// What the census goes by has changed.
  mutating func recount(_ folio: FolioID, _ old: FolioFlags, _ new: FolioFlags) {
    guard attached(folio) > 0 else { return }
    guard new.contains(.large) else {
      census.change(old, by: -1)
      census.change(new, by: 1)
      return
    }
    var census = census
    withSide(folio) { side in
      side.count(old, into: &census, by: -1)
      side.count(new, into: &census, by: 1)
    }
    self.census = census
  }

  /// A large folio's own bit of a page.
  mutating func setExclusive(_ folio: FolioID, page: Int, _ value: Bool) {
    let counted = withSide(folio) { side in
      let mask: UInt64 = 1 &<< UInt64(page & 63)
      let word = side.exclusive[page &>> 6]
      let isSet = word & mask != 0
      side.exclusive[page &>> 6] = value ? word | mask : word & ~mask
      return isSet != value ? side.countedBy(page) : 0
    }
    guard takesCensus else { return }
    let flags = flags(folio)
    census.change(flags, isExclusive: !value, by: -counted)
    census.change(flags, isExclusive: value, by: counted)
  }

  /// One mapping of a large folio more, or less.
  mutating func countMapping(_ folio: FolioID, _ page: Int, huge: Bool, by change: Int) {
    guard takesCensus else {
      let change = UInt32(truncatingIfNeeded: change)
      return withSide(folio) { side in
        if huge { side.entire &+= change } else { side.attachedPerPage[page] &+= change }
      }
    }
    let flags = flags(folio)
    var census = census
    withSide(folio) { $0.countMapping(page, huge: huge, by: change, flags, &census) }
    self.census = census
  }
}
