// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// How many pages of anonymous folios are mapped, by their exclusive flag. A page counts once, however many map it; one
/// whose entries are migration entries counts as its flag stands meanwhile: clear.
package struct PageCensus: Sendable, Equatable {
  package var exclusive: UInt64 = 0
  package var shared: UInt64 = 0
  /// What the flag is was never seen.
  package var unknown: UInt64 = 0

  package init() {}

  /// So many pages more, or less.
  mutating func change(_ flags: FolioFlags, isExclusive: Bool, by pages: Int) {
    let pages = UInt64(bitPattern: Int64(pages))
    if flags.contains(.exclusiveUnknown) {
      unknown &+= pages
    } else if isExclusive {
      exclusive &+= pages
    } else {
      shared &+= pages
    }
  }

  /// A small folio came to be mapped (1), or is no longer (-1).
  @inline(__always)
  mutating func change(_ flags: FolioFlags, by pages: Int) {
    change(flags, isExclusive: flags.contains(.exclusive), by: pages)
  }
}

extension FolioFlags {
  /// What the census goes by.
  static let counted: FolioFlags = [.exclusive, .exclusiveUnknown]
}
