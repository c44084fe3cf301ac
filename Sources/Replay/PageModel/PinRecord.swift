// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// A pin (or reference) and the entry it was taken through.
struct PinRecord: Sendable {
  var mm: MMID
  /// Where the entry is now; once it was zapped, where it last was.
  var page: VirtualPage
  var isZapped = false
  var folio: FolioID
  var pageInFolio: Int
}

/// GUP-fast between reading an entry and its last check.
struct FastPin: Sendable {
  var cpu: CPUNumber
  var mm: MMID
  var page: VirtualPage
  var seen: Entry
  /// The page table it was read from, and whether something of the encoding's hung off it.
  var table: TableID
  var hasTableState: Bool
  /// `write_protect_seq`; odd while a fork runs.
  var sequence: UInt32
  var isGrabbed = false
  var tableStateWasFreed = false
}
