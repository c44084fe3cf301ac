// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Index of a folio in the world's pool. Recycled when the folio is freed.
package struct FolioID: Hashable, Sendable, BitwiseCopyable {
  package let raw: UInt32
  @inline(__always)
  package init(_ raw: UInt32) { self.raw = raw }
}

/// Flags of a folio (docs/semantics.md, "Folios, pages and tables").
package struct FolioFlags: OptionSet, Sendable, BitwiseCopyable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  // — what encodings differ in: the pool keeps these eight bits apart (`marks`)

  /// Small folio and encoding A: the exclusive flag. Baseline large folios keep a bit per page instead.
  package static let exclusive = FolioFlags(rawValue: 1 << 0)
  /// The exclusive flag was never seen (attached process): the stored value says nothing.
  package static let exclusiveUnknown = FolioFlags(rawValue: 1 << 1)
  package static let dirty = FolioFlags(rawValue: 1 << 2)
  /// Some entry of the folio was judged anything but OK.
  package static let diverged = FolioFlags(rawValue: 1 << 3)

  /// A dirty bit that was never seen was moved here: the folio may be dirty.
  package static let dirtyUnknown = FolioFlags(rawValue: 1 << 4)

  // — what is mostly equal in all worlds

  package static let live = FolioFlags(rawValue: 1 << 8)
  package static let ksm = FolioFlags(rawValue: 1 << 9)
  package static let hugetlb = FolioFlags(rawValue: 1 << 10)
  package static let devicePrivate = FolioFlags(rawValue: 1 << 11)
  /// Lazyfree is anonymous and not swapbacked.
  package static let swapBacked = FolioFlags(rawValue: 1 << 12)
  package static let swapCache = FolioFlags(rawValue: 1 << 13)
  package static let writeback = FolioFlags(rawValue: 1 << 14)
  package static let locked = FolioFlags(rawValue: 1 << 15)
  /// `head` is a list node, not an entry.
  package static let mappingList = FolioFlags(rawValue: 1 << 16)
  /// Who else maps or references the folio is not known (attached process).
  package static let sharersUnknown = FolioFlags(rawValue: 1 << 17)
  /// The device under its swap slots needs stable pages during writeback (`SWP_STABLE_WRITES`).
  package static let stableWrites = FolioFlags(rawValue: 1 << 18)
  package static let hwpoison = FolioFlags(rawValue: 1 << 19)
  package static let large = FolioFlags(rawValue: 1 << 20)
  /// `head` is the slot at which tables of one family map it.
  package static let familySlot = FolioFlags(rawValue: 1 << 21)
}

/// What there is to say of any folio; what few folios need stands in a side record.
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

/// A folio as the pool keeps it, in eight bytes: a folio with a side record has `attached` and `head` there.
///
///     63 ............. 32  31 ... 15  14  13 ... 0
///     head, or the side    attached    s  flags but for the marks
struct PackedFolio: BitwiseCopyable, Sendable, Equatable {
  var head: UInt32
  var bits: UInt32

  static let free = PackedFolio(head: noIndex, bits: 0)
  static let sideBit: UInt32 = 1 &<< 14
  /// One mapping, in `bits`.
  static let oneMapping: UInt32 = 1 &<< 15
  static let mostMappings: UInt32 = 1 &<< 17 &- 1

  @inline(__always)
  init(head: UInt32, bits: UInt32) {
    self.head = head
    self.bits = bits
  }

  @inline(__always)
  init(_ record: FolioRecord) {
    let flags = record.flags.rawValue &>> 8
    if record.side == noIndex {
      self.init(head: record.head, bits: flags | record.attached &<< 15)
    } else {
      self.init(head: record.side, bits: flags | Self.sideBit)
    }
  }

  @inline(__always)
  var hasSide: Bool { bits & Self.sideBit != 0 }

  @inline(__always)
  var attached: UInt32 { bits &>> 15 }

  @inline(__always)
  func flags(_ marks: UInt8) -> FolioFlags { FolioFlags(rawValue: UInt32(marks) | (bits & 0x3fff) &<< 8) }

  @inline(__always)
  mutating func setFlags(_ flags: FolioFlags) { bits = bits & ~0x3fff | flags.rawValue &>> 8 }

  @inline(__always)
  func has(_ flag: FolioFlags) -> Bool { bits &<< 8 & flag.rawValue != 0 }
}

let noIndex = UInt32.max

/// What only large, pinned, swapped or migrating folios need.
struct FolioSide: Sendable {
  var order: FolioOrder
  var isUsed = true
  /// As in `FolioRecord`.
  var attached: UInt32 = 0
  var head = noIndex
  /// References beyond mappings, pins and swapcache: FOLL_GET, isolation, pipe, LRU batch.
  var extraReferences: UInt32 = 0
  /// FOLL_PINs of any page.
  var pins: UInt32 = 0
  /// Of `attached`, how many are migration entries.
  var migrations: UInt32 = 0
  /// Present PMD-level mappings (`entire_mapcount`) and PMD migration entries.
  var entire: UInt32 = 0
  /// Per page. Empty unless in the swapcache.
  var slots: [SwapSlotID?] = []
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

  static let unused = FolioSide(isUsed: false)

  private init(isUsed: Bool) {
    order = .base
    self.isUsed = isUsed
  }

  init(order: FolioOrder) {
    self.order = order
    guard order > .base else { return }
    let pages = order.pageCount
    attachedPerPage = Array(repeating: 0, count: pages)
    heads = Array(repeating: noIndex, count: pages)
    exclusive = Array(repeating: 0, count: (pages + 63) / 64)
  }
}

extension FolioSide {
  /// Arrays that are equal are stored once.
  mutating func shareEqual(with other: FolioSide) {
    if attachedPerPage == other.attachedPerPage { attachedPerPage = other.attachedPerPage }
    if heads == other.heads { heads = other.heads }
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

extension FolioSide {
  /// A large folio's own bit of a page.
  @inline(__always)
  func isExclusive(_ page: Int) -> Bool { exclusive[page &>> 6] & (1 &<< UInt64(page & 63)) != 0 }

  /// Where the page goes when it is written out; `nil` where that is open.
  func slot(of page: Int) -> SwapSlotID? { page < slots.count ? slots[page] : nil }
}
