// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import TraceFile

/// Events that name a frame, and an mm at most by its address: migration entries, KSM merges, collapses, writes to
/// swap.
extension Normalizer {
  /// `MAX_PAGE_ORDER`; the folio of a PUD is not modelled.
  private static let maximumOrder: UInt64 = 10

  /// Whether a machine can have the folio; where not, the record is counted.
  @inline(__always)
  mutating func isPossible(_ pfn: UInt64, order: UInt64 = 0) -> Bool {
    if PFN(pfn) < .end, order <= Self.maximumOrder { return true }
    gaps.add(.impossibleRecords)
    return false
  }

  mutating func setMigration(_ event: KnownEvent, _ record: RawRecord) -> Bool {
    guard let fields = table.layouts.migration[event], let address = fields.address.load(record),
      let raw = fields.entry.load(record)
    else { return false }
    if let slot = tasks.slot(of: task), tasks[slot].fault.isOpen { splitInFault(slot) }
    guard let entry = RawEntry(raw: raw, machine: machine).migration else {
      emit(nil, .unfollowed(.migration, PageRange(start: page(address), count: 1)))
      return true
    }
    let order = order(event, fields.order.load(record))
    guard isPossible(entry.frame.rawValue, order: order) else { return true }
    emit(
      nil,
      .migrationSet(
        page(address), entry.frame, entry.type, FolioOrder(UInt8(order)), young: entry.young, dirty: entry.dirty))
    return true
  }

  mutating func removeMigration(_ event: KnownEvent, _ record: RawRecord) -> Bool {
    guard let fields = table.layouts.migration[event], let address = fields.address.load(record),
      let raw = fields.entry.load(record)
    else { return false }
    guard let entry = RawEntry(raw: raw, machine: machine).present else {
      emit(nil, .unfollowed(.migration, PageRange(start: page(address), count: 1)))
      return true
    }
    let order = order(event, fields.order.load(record))
    guard isPossible(entry.frame.rawValue, order: order) else { return true }
    emit(
      nil,
      .migrationRemoved(
        page(address), entry.frame, FolioOrder(UInt8(order)), writable: entry.writable, dirty: entry.dirty))
    return true
  }

  /// PMD events carry no order: 2 MiB by 4 KiB pages.
  @inline(__always)
  private func order(_ event: KnownEvent, _ order: UInt64?) -> UInt64 {
    switch event {
    case .setMigrationPMD, .removeMigrationPMD: 9
    default: order ?? 0
    }
  }

  /// `ksm_merge_with_ksm_page` names the stable page, which is the page itself when none was there before;
  /// `ksm_merge_one_page` the zero page (`try_to_merge_with_zero_page`), and on old kernels a page alone.
  mutating func ksmMerge(_ event: KnownEvent, _ record: RawRecord) -> Bool {
    guard let fields = table.layouts.ksm[event], let pfn = fields.frame.load(record),
      let pointer = fields.mm.load(record), let error = fields.error.loadSigned(record)
    else { return false }
    guard error == 0, let mm = ownership.id(pointer: pointer), isPossible(pfn) else { return true }
    emit(mm, event == .ksmMergeOne ? .ksmMergedWithZero : .ksmMerged(PFN(pfn)))
    return true
  }

  /// The last page of the range was isolated: `SCAN_SUCCEED`.
  mutating func collapseIsolated(_ record: RawRecord) -> Bool {
    let fields = table.layouts.collapseFrame
    guard let pfn = fields.frame.load(record), let status = fields.status.load(record) else { return false }
    guard let slot = tasks.slot(of: task) else { return true }
    // A scan that failed may name no frame.
    tasks[slot].isCollapsing = status == Self.scanSucceeded && isPossible(pfn)
    if tasks[slot].isCollapsing {
      emit(nil, .collapseBegan(PFN(pfn), missing: fields.missing.load(record).flatMap { UInt16(exactly: $0) }))
    }
    return true
  }

  /// `collapse_huge_page` ended. The large folio is what this task allocated before it isolated the small ones.
  mutating func collapseEnded(_ record: RawRecord) -> Bool {
    let fields = table.layouts.collapseDone
    guard let pointer = fields.mm.load(record), let status = fields.status.load(record) else { return false }
    guard let slot = tasks.slot(of: task) else { return true }
    let new = tasks[slot].strayFolio
    let order = FolioOrder(UInt8(min(fields.order.load(record) ?? 9, 31)))
    let mm = ownership.id(pointer: pointer)
    let wasCollapsing = tasks[slot].isCollapsing
    tasks[slot].isCollapsing = false
    guard status == Self.scanSucceeded else {
      if let mm { emit(mm, .collapseFailed(order)) }
      return true
    }
    guard wasCollapsing, let mm else { return true }
    let isItsOwn = new?.order == order
    if isItsOwn { tasks[slot].strayFolio = nil }
    emit(mm, .collapsed(into: isItsOwn ? new?.pfn : nil, order))
    return true
  }

  private static let scanSucceeded: UInt64 = 1

  /// `hpage_collapse_scan_pmd` is through, with the collapse if it came to one. Of mms that are not followed nothing is
  /// told.
  mutating func collapseScanned(_ record: RawRecord) -> Bool {
    guard let layout = table.layouts.scan, let pointer = layout.mm(record) else { return false }
    guard let mm = ownership.id(pointer: pointer) else { return true }
    let isCalled = tasks.slot(of: task).map { tasks[$0].call?.asksForCollapse == true } ?? false
    // A scan that came to no page hands over -1, which is no impossible record.
    guard let scan = layout.scan(record, isKhugepaged: !isCalled, isPossible: { $0 < 1 << 52 }) else { return false }
    emit(mm, .scanned(scan))
    return true
  }

  /// The frame that the counters left out.
  mutating func swapWrite(_ record: RawRecord) -> Bool {
    guard let pfn = table.layouts.swapFrame.load(record) else { return false }
    guard isPossible(pfn) else { return true }
    emit(nil, .swapWritten(PFN(pfn)))
    return true
  }
}
