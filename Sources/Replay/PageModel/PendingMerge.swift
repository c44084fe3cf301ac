// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The page table ksmd allocated for before it took the PTL.
struct PreparedTable: Sendable {
  var mm: MMID
  var page: VirtualPage
  var table: TableID
}

/// A page ksmd write-protected and has not replaced yet.
struct PendingMerge: Sendable {
  var mm: MMID
  var page: VirtualPage
  var folio: FolioID
}
