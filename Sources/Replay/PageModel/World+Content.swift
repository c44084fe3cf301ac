// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Page contents as version numbers (oracle mode): every store writes a version never used before, so an older
/// version seen later is data that was lost. 0 is a page of zeros. What stores have written may be equal (`data`), which
/// is what KSM looks at; when it was stored is told by the version alone.
extension World {
  /// What the version stands for: equal for equal data, 0 for zeros.
  func data(_ version: UInt32) -> UInt32 { equalData.isEmpty ? version : equalData[version] ?? version }

  /// The version was stored earlier, and its data is other data.
  func isOlder(_ version: UInt32, than other: UInt32) -> Bool { version < other && data(version) != data(other) }

  /// `pages_identical`, where that is known.
  func areIdentical(_ mm: MMID, _ page: VirtualPage, _ otherMM: MMID, _ other: VirtualPage) -> Bool {
    !options.knowsEqualData || data(memory.content(mm, page)) == data(memory.content(otherMM, other))
  }

  func holdsZeros(_ mm: MMID, _ page: VirtualPage) -> Bool {
    !options.knowsEqualData || data(memory.content(mm, page)) == 0
  }

  /// The cached folio is newer than what was written to its swap slot, and nothing says that it has to be written
  /// again.
  func isDoomed(_ mm: MMID, _ page: VirtualPage) -> Bool {
    let entry = memory.entry(mm, page)
    guard entry.kind == .swap else { return false }
    let slot = slots[entry.swapSlot]
    guard let folio = slot.folio else { return false }
    guard folios.flags(folio).contains(.writeback), !folios.flags(folio).contains(.dirty) else { return false }
    return isOlder(slot.content, than: folios.content(folio, page: Int(slot.page)))
  }
}
