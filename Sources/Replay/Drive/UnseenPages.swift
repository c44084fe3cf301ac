// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What is in an mm without the model knowing where: the trace told that it came, not at which address.
struct UnseenPages {
  private var owners: [PFN: MMID] = [:]
  private var frames: [MMID: Set<PFN>] = [:]
  /// Address spaces with a userfaultfd: `UFFDIO_MOVE` moves pages, `UFFDIO_WRITEPROTECT` takes write permission, unseen.
  var usesUserfaultfd: Set<MMID> = []

  mutating func appeared(_ pfn: PFN, _ order: FolioOrder, in mm: MMID) {
    for index in 0..<order.pageCount {
      let frame = pfn.advanced(by: index)
      owners[frame] = mm
      frames[mm, default: []].insert(frame)
    }
  }

  /// The page was found; `false` when it was not one of these.
  mutating func found(_ pfn: PFN, in mm: MMID) -> Bool {
    guard owners[pfn] == mm else { return false }
    freed(pfn)
    return true
  }

  mutating func freed(_ pfn: PFN) {
    guard let mm = owners.removeValue(forKey: pfn) else { return }
    frames[mm]?.remove(pfn)
  }

  mutating func forget(_ mm: MMID) {
    usesUserfaultfd.remove(mm)
    for pfn in frames.removeValue(forKey: mm) ?? [] { owners[pfn] = nil }
  }

  /// The child has a copy of whatever the parent has unseen, except that frames are then shared.
  mutating func forked(_ parent: MMID, _ child: MMID) {
    if usesUserfaultfd.contains(parent) { usesUserfaultfd.insert(child) }
  }

  func hasAny(in mm: MMID) -> Bool { frames[mm]?.isEmpty == false }
}
