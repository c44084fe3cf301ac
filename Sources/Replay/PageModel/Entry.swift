// SPDX-License-Identifier: GPL-2.0-only

/// What a page-table entry holds (docs/semantics.md, "Entries"). A PMD entry uses the same kinds.
package enum EntryKind: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case none
  /// The shared zero page, also the one KSM places (then `dirty` is set, as `replace_page` tags it).
  case zeroPage
  /// A present entry mapping an anonymous (or KSM) page.
  case present
  /// A present entry mapping a page-cache page. Never exclusive; nothing about the page is modelled.
  case filePage
  case swap
  case migrationRead
  case migrationReadExclusive
  case migrationWrite
  case devicePrivate
  case deviceExclusive
  case hwpoison
  case markerUffdWP
  case markerGuard
  case markerPoison

  package var isMigration: Bool {
    switch self {
    case .migrationRead, .migrationReadExclusive, .migrationWrite: true
    case .none, .zeroPage, .present, .filePage, .swap, .devicePrivate, .deviceExclusive, .hwpoison, .markerUffdWP,
      .markerGuard, .markerPoison:
      false
    }
  }

  /// The entry names a page of a folio the model follows.
  package var refersToFolio: Bool {
    switch self {
    case .present, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate, .deviceExclusive: true
    case .none, .zeroPage, .filePage, .swap, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison: false
    }
  }

  package var isMarker: Bool {
    switch self {
    case .markerUffdWP, .markerGuard, .markerPoison: true
    case .none, .zeroPage, .present, .filePage, .swap, .migrationRead, .migrationReadExclusive, .migrationWrite,
      .devicePrivate, .deviceExclusive, .hwpoison:
      false
    }
  }
}

/// A page-table entry in eight bytes.
///
///     63        36 35 34    24  22 21  20 19  16 15 ........ 4 3  0
///     folio or slot    page      ?D  D   ?  verdict    flag bits   kind
///
/// The verdict belongs to the *slot* of the table, not to what the slot holds: it survives when another entry is written
/// there (`PageTables.write`). Bits 16 to 22 are what worlds differ in; tables keep them apart from the rest (`marks`).
package struct Entry: BitwiseCopyable, Sendable, Equatable {
  package var raw: UInt64

  package init(raw: UInt64) { self.raw = raw }

  package static let none = Entry(raw: 0)

  /// An entry that names nothing; all flags clear.
  package init(_ kind: EntryKind) { raw = UInt64(kind.rawValue) }

  /// An entry of `kind` that names a page of the folio; all flags clear.
  package init(_ kind: EntryKind, _ folio: FolioID, page: Int = 0) { self.init(kind, target: folio.raw, page: page) }

  package init(swap slot: SwapSlotID) { self.init(.swap, target: slot.rawValue, page: 0) }

  private init(_ kind: EntryKind, target: UInt32, page: Int) {
    precondition(target < 1 << 28 && page >= 0 && page < 1 << 11, "entry target \(target).\(page)")
    raw = UInt64(kind.rawValue) | UInt64(page) &<< 24 | UInt64(target) &<< 36
  }

  package var kind: EntryKind {
    // Asked of every entry of every fork: `init(rawValue:)` is a call and a switch. The raw values are the tags.
    @inline(__always) get { unsafe unsafeBitCast(UInt8(truncatingIfNeeded: raw & 0xf), to: EntryKind.self) }
    set { raw = raw & ~0xf | UInt64(newValue.rawValue) }
  }

  @inline(__always)
  package var isNone: Bool { raw & 0xf == UInt64(EntryKind.none.rawValue) }

  @inline(__always)
  package var isPresent: Bool { raw & 0xf == UInt64(EntryKind.present.rawValue) }

  /// `kind.refersToFolio`, without the detour.
  @inline(__always)
  package var refersToFolio: Bool { Self.referring &>> (raw & 0xf) & 1 != 0 }

  @inline(__always)
  var isAnonymousOrSwapped: Bool { (Self.referring | Self.bit(.swap)) &>> (raw & 0xf) & 1 != 0 }

  @inline(__always)
  private static var referring: UInt64 {
    bit(.present) | bit(.migrationRead) | bit(.migrationReadExclusive) | bit(.migrationWrite) | bit(.devicePrivate)
      | bit(.deviceExclusive)
  }

  @inline(__always)
  private static func bit(_ kind: EntryKind) -> UInt64 { 1 &<< UInt64(kind.rawValue) }

  /// What the entry names; `nil` where that is nothing of the model's.
  package var target: EntryTarget? {
    if kind == .swap { return .swapSlot(swapSlot) }
    return refersToFolio || kind == .hwpoison ? .folio(folio) : nil
  }

  /// Of an entry whose kind names one (`refersToFolio`, hwpoison): not looked at again, millions of times.
  package var folio: FolioID {
    @inline(__always) get { FolioID(UInt32(truncatingIfNeeded: raw &>> 36)) }
    set { raw = raw & 0xf_ffff_ffff | UInt64(newValue.raw) &<< 36 }
  }

  /// Of a swap entry.
  package var swapSlot: SwapSlotID {
    @inline(__always) get { SwapSlotID(UInt32(truncatingIfNeeded: raw &>> 36)) }
  }

  /// Page within the folio.
  package var page: Int {
    get { Int(truncatingIfNeeded: raw &>> 24 & 0x7ff) }
    set { raw = raw & ~(0x7ff &<< 24) | UInt64(newValue & 0x7ff) &<< 24 }
  }

  @inline(__always)
  private func bit(_ position: UInt64) -> Bool { raw & (1 &<< position) != 0 }

  @inline(__always)
  private mutating func setBit(_ position: UInt64, _ value: Bool) {
    raw = value ? raw | (1 &<< position) : raw & ~(1 &<< position)
  }

  package var writable: Bool {
    get { bit(4) }
    set { setBit(4, newValue) }
  }
  /// The PTE dirty bit (x86: Dirty or SavedDirty); of a migration entry, its dirty bit.
  package var dirty: Bool {
    get { bit(21) }
    set { setBit(21, newValue) }
  }
  package var softDirty: Bool {
    get { bit(6) }
    set { setBit(6, newValue) }
  }
  package var uffdWP: Bool {
    get { bit(7) }
    set { setBit(7, newValue) }
  }
  /// Protnone: a NUMA hint, or `PROT_NONE`.
  package var protnone: Bool {
    get { bit(8) }
    set { setBit(8, newValue) }
  }
  package var young: Bool {
    get { bit(9) }
    set { setBit(9, newValue) }
  }
  /// The exclusive bit of a swap entry; of a device-private read entry, encoding C's extra type.
  package var exclusiveMark: Bool {
    get { bit(10) }
    set { setBit(10, newValue) }
  }
  /// Whether the entry is writable was never seen.
  package var writableUnknown: Bool {
    get { bit(11) }
    set { setBit(11, newValue) }
  }
  /// Whether the entry is dirty was never seen, or hardware may have changed it since.
  package var dirtyUnknown: Bool {
    get { bit(22) }
    set { setBit(22, newValue) }
  }
  /// Its mm gave up the content (`MADV_FREE`) and is not known to have stored since: that reclaim discards the page is
  /// no loss to it.
  package var givenUp: Bool {
    get { bit(12) }
    set { setBit(12, newValue) }
  }
  /// x86 shadow stack: Write=0, Dirty=1. Set together with `writable`, as which `pte_write` counts it; without write
  /// what is left of it is the SavedDirty bit, `dirty`.
  package var shadowStack: Bool {
    get { bit(14) }
    set { setBit(14, newValue) }
  }
  /// Hardware Dirty on a read-only entry: data was stored, but it never means exclusive.
  package var hardwareDirty: Bool {
    get { bit(15) }
    set { setBit(15, newValue) }
  }

  /// `pte_write`, and the entries that come from a writable one alone: they imply exclusivity (I1).
  package var countsAsWritable: Bool {
    switch kind {
    case .present, .devicePrivate: writable || shadowStack
    case .deviceExclusive, .migrationWrite: true
    case .none, .zeroPage, .filePage, .swap, .migrationRead, .migrationReadExclusive, .hwpoison, .markerUffdWP,
      .markerGuard, .markerPoison:
      false
    }
  }

  /// Present, but without `VM_WRITE`-style permission known either way.
  package var isReadOnly: Bool { !writable && !writableUnknown }

  // — what the judge remembers about the slot

  package var verdict: Verdict {
    get { Verdict(code: UInt8(truncatingIfNeeded: raw &>> 16 & 0xf)) }
    set { raw = raw & ~(0xf &<< 16) | UInt64(newValue.code) &<< 16 }
  }
  package var verdictIsPossible: Bool {
    get { bit(20) }
    set { setBit(20, newValue) }
  }

  /// The marks that stay with the slot when its content changes.
  static let slotMarks: UInt8 = 0b0001_1111
  static let slotMask = UInt64(slotMarks) &<< 16

  /// An entry as tables keep it: what is mostly equal in all worlds, and what is not.
  @inline(__always)
  init(word: UInt64, marks: UInt8) { raw = word | UInt64(marks) &<< 16 }

  @inline(__always)
  var word: UInt64 { raw & ~(0xff &<< 16) }

  @inline(__always)
  var marks: UInt8 { UInt8(truncatingIfNeeded: raw &>> 16) }
}

/// What an entry may name.
package enum EntryTarget: Hashable, Sendable {
  case folio(FolioID)
  case swapSlot(SwapSlotID)
}

/// Where an entry stands: 512 slots per page table. It stays valid when a whole table is moved.
package struct EntryRef: Hashable, Sendable, BitwiseCopyable {
  package let raw: UInt32

  @inline(__always)
  package init(raw: UInt32) { self.raw = raw }

  @inline(__always)
  package init(table: TableID, slot: Int) { raw = table.rawValue &<< 9 | UInt32(truncatingIfNeeded: slot) }

  package var table: TableID { TableID(raw &>> 9) }
  package var slot: Int { Int(raw & 511) }
}

extension Entry {
  /// Write protection as today's kernel does it: dirty is kept.
  var withoutWrite: Entry {
    var entry = self
    entry.writable = false
    entry.writableUnknown = false
    entry.shadowStack = false
    return entry
  }

  /// Write is granted without a write: dirty is kept.
  var withWrite: Entry {
    var entry = self
    entry.writable = true
    entry.writableUnknown = false
    return entry
  }

  /// Dirty and young gone, as MADV_FREE leaves it.
  var cleaned: Entry {
    var entry = self
    entry.dirty = false
    entry.dirtyUnknown = false
    entry.hardwareDirty = false
    entry.young = false
    return entry
  }
}
