// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// Swap entry types of migration entries and the place of frame and bits in a raw x86-64 entry (`swp_entry`,
/// `swapops.h`). The types depend on the kernel's configuration; these are those of `CONFIG_DEVICE_PRIVATE` off.
private enum RawEntry {
  static let read: UInt64 = 28
  static let readExclusive: UInt64 = 29
  static let write: UInt64 = 30
  static let frameBits: UInt64 = (1 << 34) - 1
  static let young: UInt64 = 1 << 34
  static let dirty: UInt64 = 1 << 35
  static let presentFrame: UInt64 = ((1 << 52) - 1) & ~0xfff
  static let presentWrite: UInt64 = 1 << 1
  static let presentDirty: UInt64 = 1 << 6 | 1 << 58
}

extension Normalizer {
  mutating func setMigration(_ event: KnownEvent, _ record: RawRecord) -> Bool {
    guard let fields = table.layouts.migration[event], let address = fields.address.load(record),
      let raw = fields.entry.load(record)
    else { return false }
    let offset = (~raw << 5) >> 14
    let type: MigrationEntryType
    switch raw >> 59 {
    case RawEntry.read: type = .read
    case RawEntry.readExclusive: type = .readExclusive
    case RawEntry.write: type = .write
    default:
      emit(nil, .unfollowed(.migration, PageRange(start: page(address), count: 1)))
      return true
    }
    emit(
      nil,
      .migrationSet(
        page(address), PFN(offset & RawEntry.frameBits), type, order(event, fields.order.load(record)),
        young: offset & RawEntry.young != 0, dirty: offset & RawEntry.dirty != 0))
    return true
  }

  mutating func removeMigration(_ event: KnownEvent, _ record: RawRecord) -> Bool {
    guard let fields = table.layouts.migration[event], let address = fields.address.load(record),
      let raw = fields.entry.load(record)
    else { return false }
    emit(
      nil,
      .migrationRemoved(
        page(address), PFN((raw & RawEntry.presentFrame) >> pageShift), order(event, fields.order.load(record)),
        writable: raw & RawEntry.presentWrite != 0, dirty: raw & RawEntry.presentDirty != 0))
    return true
  }

  /// PMD events carry no order: 2 MiB by 4 KiB pages.
  private func order(_ event: KnownEvent, _ order: UInt64?) -> FolioOrder {
    switch event {
    case .setMigrationPMD, .removeMigrationPMD: FolioOrder(9)
    default: FolioOrder(UInt8(min(order ?? 0, 31)))
    }
  }

  mutating func ksmMerge(_ event: KnownEvent, _ record: RawRecord) -> Bool {
    guard let pfn = table.layouts.ksmFrame[event]?.load(record) else { return false }
    emit(nil, .ksmMerged(PFN(pfn)))
    return true
  }

  mutating func collapse(_ record: RawRecord) -> Bool {
    guard let pfn = table.layouts.collapseFrame.load(record) else { return false }
    emit(nil, .collapsed(PFN(pfn), FolioOrder(9)))
    return true
  }

  /// `mm_vmscan_write_folio` names the frame that the counters left out.
  mutating func swapWrite(_ record: RawRecord) -> Bool {
    guard table.layouts.swapFrame.load(record) != nil else { return false }
    emit(nil, .unfollowed(.swap, nil))
    return true
  }
}
