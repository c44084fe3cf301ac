// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What is in an mm without the model knowing where: the trace told that it came, not at which address.
struct UnseenPages {
  private var owners: [PFN: Set<MMID>] = [:]
  private var frames: [MMID: Set<PFN>] = [:]
  /// Address spaces with a userfaultfd: `UFFDIO_MOVE` moves pages, `UFFDIO_WRITEPROTECT` takes write permission, unseen.
  var usesUserfaultfd: Set<MMID> = []

  /// Ranges where pages may be other than the model has them: a fault of which it is open whether it did anything, a
  /// VMA in which fork copied pinned pages.
  private var doubtful: [MMID: [PageRange]] = [:]

  mutating func doubt(_ mm: MMID, _ range: PageRange) {
    if doubtful[mm]?.last != range { doubtful[mm, default: []].append(range) }
  }

  /// Faults on missing pages that a userfaultfd may be about to fill, by mm.
  private var waiting: [MMID: Set<VirtualPage>] = [:]

  mutating func waits(_ mm: MMID, _ page: VirtualPage) { waiting[mm, default: []].insert(page) }

  /// Where a page that appears goes: one fault waits for it, or it is open which.
  mutating func takeWaiting(_ mm: MMID) -> VirtualPage? {
    guard let pages = waiting[mm], pages.count == 1, let page = pages.first else { return nil }
    waiting[mm] = nil
    return page
  }

  /// Address spaces of which pages were swapped out: which ones is told later, or, for clean pages, never.
  private var swapping: Set<MMID> = []

  mutating func doubtSwap(_ mm: MMID) { swapping.insert(mm) }

  func isSwapping(_ mm: MMID) -> Bool { swapping.contains(mm) }

  func isDoubtful(_ mm: MMID, _ page: VirtualPage) -> Bool {
    guard let ranges = doubtful[mm] else { return false }
    return ranges.contains { $0.contains(page) }
  }

  mutating func appeared(_ pfn: PFN, _ order: FolioOrder, in mm: MMID) {
    for index in 0..<order.pageCount { add(pfn.advanced(by: index), mm) }
  }

  /// The page was found; `false` when it was not one of these.
  mutating func found(_ pfn: PFN, in mm: MMID) -> Bool {
    guard owners[pfn]?.remove(mm) != nil else { return false }
    if owners[pfn]?.isEmpty == true { owners[pfn] = nil }
    frames[mm]?.remove(pfn)
    return true
  }

  mutating func freed(_ pfn: PFN) {
    for mm in owners.removeValue(forKey: pfn) ?? [] { frames[mm]?.remove(pfn) }
  }

  mutating func forget(_ mm: MMID) {
    usesUserfaultfd.remove(mm)
    doubtful[mm] = nil
    swapping.remove(mm)
    waiting[mm] = nil
    for pfn in frames.removeValue(forKey: mm) ?? [] {
      owners[pfn]?.remove(mm)
      if owners[pfn]?.isEmpty == true { owners[pfn] = nil }
    }
  }

  /// The child may map whatever is unseen in the parent.
  mutating func forked(_ parent: MMID, _ child: MMID) {
    if swapping.contains(parent) { swapping.insert(child) }
    if usesUserfaultfd.contains(parent) { usesUserfaultfd.insert(child) }
    for pfn in frames[parent] ?? [] { add(pfn, child) }
  }

  private mutating func add(_ pfn: PFN, _ mm: MMID) {
    owners[pfn, default: []].insert(mm)
    frames[mm, default: []].insert(pfn)
  }
}
