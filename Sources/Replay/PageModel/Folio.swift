// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Index of a folio in the world's pool. Recycled when the folio is freed.
package struct FolioID: Hashable, Sendable, BitwiseCopyable {
  package let raw: UInt32
  @inline(__always)
  package init(_ raw: UInt32) { self.raw = raw }
}

/// Flags of a folio (reference 1.2).
package struct FolioFlags: OptionSet, Sendable, BitwiseCopyable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let live = FolioFlags(rawValue: 1 << 0)
  package static let ksm = FolioFlags(rawValue: 1 << 1)
  package static let hugetlb = FolioFlags(rawValue: 1 << 2)
  package static let devicePrivate = FolioFlags(rawValue: 1 << 3)
  package static let dirty = FolioFlags(rawValue: 1 << 4)
  /// Lazyfree is anonymous and not swapbacked.
  package static let swapBacked = FolioFlags(rawValue: 1 << 5)
  package static let swapCache = FolioFlags(rawValue: 1 << 6)
  package static let writeback = FolioFlags(rawValue: 1 << 7)
  package static let locked = FolioFlags(rawValue: 1 << 8)
  /// Small folio and encoding A: the exclusive flag. Baseline large folios keep a bit per page instead.
  package static let exclusive = FolioFlags(rawValue: 1 << 9)
  /// The exclusive flag was never seen (attached process): the stored value says nothing.
  package static let exclusiveUnknown = FolioFlags(rawValue: 1 << 10)
  /// `head` is a list node, not an entry.
  package static let mappingList = FolioFlags(rawValue: 1 << 11)
  /// Who else maps or references the folio is not known (attached process).
  package static let sharersUnknown = FolioFlags(rawValue: 1 << 12)
  /// The device under its swap slots needs stable pages during writeback (`SWP_STABLE_WRITES`).
  package static let stableWrites = FolioFlags(rawValue: 1 << 13)
  package static let hwpoison = FolioFlags(rawValue: 1 << 14)
  package static let large = FolioFlags(rawValue: 1 << 15)
  /// Some entry of the folio was judged anything but OK.
  package static let diverged = FolioFlags(rawValue: 1 << 16)
  /// `head` is the slot at which tables of one family map it.
  package static let familySlot = FolioFlags(rawValue: 1 << 17)
}

/// A folio in sixteen bytes; what few folios need stands in a side record.
struct FolioRecord: BitwiseCopyable, Sendable {
  var flags: FolioFlags
  /// Entries that refer to the folio: present, device and migration entries, of all its pages.
  var attached: UInt32
  /// The one entry (`EntryRef`), a `FamilySlot` with `.familySlot`, or the first `MappingNode` with `.mappingList`;
  /// `noIndex` when there is none.
  var head: UInt32
  /// Index of the side record, or `noIndex`.
  var side: UInt32

  /// A small folio of which nothing is known but its mappings: no pin, no swap slot, no migration entry.
  @inline(__always)
  var isPlain: Bool { side == noIndex }
}

let noIndex = UInt32.max

/// What only large, pinned, swapped or migrating folios need.
struct FolioSide: Sendable {
  var order: FolioOrder
  /// References beyond mappings, pins and swapcache: FOLL_GET, isolation, pipe, LRU batch.
  var extraReferences: UInt32 = 0
  /// FOLL_PINs of any page.
  var pins: UInt32 = 0
  /// Of `attached`, how many are migration entries.
  var migrations: UInt32 = 0
  /// Present PMD-level mappings (`entire_mapcount`) and PMD migration entries.
  var entire: UInt32 = 0
  /// Per page: swap slot, or `noIndex`. Empty unless in the swapcache.
  var slots: [UInt32] = []
  /// Per page: PTE-level entries that refer to it. Empty for order 0.
  var attachedPerPage: [UInt32] = []
  /// Per page: first `MappingNode`. Empty for order 0.
  var heads: [UInt32] = []
  /// Per page: FOLL_PINs taken through that page.
  var pagePins: [UInt16] = []
  /// Per page: the exclusive bit (baseline). Empty for order 0.
  var exclusive: [UInt64] = []
  /// Per page: content version (oracle mode, large folios).
  var content: [UInt32] = []
  /// `_mm_id[2]`, `_mm_id_mapcount[2]` and `FOLIO_MM_IDS_SHARED`.
  var mmIDs: LargeFolioMMs = LargeFolioMMs()

  init(order: FolioOrder) {
    self.order = order
    guard order > .base else { return }
    let pages = order.pageCount
    attachedPerPage = Array(repeating: 0, count: pages)
    heads = Array(repeating: noIndex, count: pages)
    exclusive = Array(repeating: 0, count: (pages + 63) / 64)
  }
}

/// The two-slot bookkeeping by which the kernel proves that one mm maps a large folio
/// (`folio_add_return_large_mapcount`, since 6.15). It may stay "shared" although it is not: a third mm is not
/// tracked.
struct LargeFolioMMs: Sendable, BitwiseCopyable {
  private var ids: (UInt32, UInt32) = (noIndex, noIndex)
  private var counts: (UInt32, UInt32) = (0, 0)
  private(set) var mappedShared = false

  mutating func added(mm: UInt32, largeMapcount: UInt32) {
    if ids.0 == mm {
      counts.0 += 1
    } else if ids.1 == mm {
      counts.1 += 1
    } else if ids.0 == noIndex {
      ids.0 = mm
      counts.0 = 1
    } else if ids.1 == noIndex {
      ids.1 = mm
      counts.1 = 1
    } else {
      mappedShared = true
      return
    }
    let own = ids.0 == mm ? counts.0 : counts.1
    if own != largeMapcount { mappedShared = true }
  }

  mutating func removed(mm: UInt32, largeMapcount: UInt32) {
    if ids.0 == mm {
      counts.0 -= 1
      if counts.0 == 0 { ids.0 = noIndex }
    } else if ids.1 == mm {
      counts.1 -= 1
      if counts.1 == 0 { ids.1 = noIndex }
    }
    if (ids.0 != noIndex && counts.0 == largeMapcount) || (ids.1 != noIndex && counts.1 == largeMapcount)
      || largeMapcount == 0
    {
      mappedShared = false
    }
  }
}

/// One further mapping of a folio.
struct MappingNode: BitwiseCopyable, Sendable {
  var ref: UInt32
  var next: UInt32
}
