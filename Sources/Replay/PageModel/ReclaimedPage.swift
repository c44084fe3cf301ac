// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What reclaim made of a page that an entry mapped: where two worlds differ in it, one of them lost data.
package struct ReclaimedPage: Sendable, BitwiseCopyable, Equatable {
  package enum Fate: UInt8, Sendable, BitwiseCopyable {
    /// It went to its swap slot.
    case written
    /// Its swap slot was taken to have it already (`folio_test_dirty` in `shrink_folio_list` said no).
    case notWritten
    /// A lazyfree page that was clean: gone (`ttu_anon_lazyfree_folio`).
    case discarded
  }

  package var mm: MMID
  package var page: VirtualPage
  package var fate: Fate
}
