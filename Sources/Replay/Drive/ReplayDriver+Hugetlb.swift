// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// hugetlb: its pages come from a pool, with no allocation and no counter traced. What faults there is counted; what the
/// kernel decides about a shared one (`hugetlb_wp`) is unknown.
extension ReplayDriver {
  mutating func hugetlbFault(_ mm: MMID, _ page: VirtualPage, _ access: FaultAccess) {
    count(.hugetlbNotFollowed)
    if access.contains([.write, .present]) { unknown(.decision, mm, page, .hugetlb) }
  }

  /// `MAP_HUGETLB` tells. A file of hugetlbfs, or a `memfd_create` with `MFD_HUGETLB`, is mapped as any other file is: it
  /// shows when a page is missing, nothing is mapped in the VMA, and the fault counts nothing, where one of another file
  /// maps pages of it or copies one. Such a VMA begins and ends with a huge page.
  mutating func isOnHugetlb(
    _ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ outcome: FaultOutcome, _ vma: VMAFacts
  ) -> Bool {
    switch vma.backing {
    case .hugetlb: return true
    case .privateFile: break
    case .anonymous, .shared, .loader, .unknown: return false
    }
    guard outcome == .quiet, access.isDisjoint(with: [.present, .kernel]), !kernel.batchesCounters,
      let range = layouts[mm]?.range(around: page), isOfHugePages(range), isEmpty(mm, range)
    else { return false }
    layouts[mm]?.change(range) { $0.backing = .hugetlb }
    return true
  }

  private func isOfHugePages(_ range: PageRange) -> Bool {
    let inHugePage = UInt64(FolioOrder(9).pageCount - 1)
    return (range.start.rawValue | range.end.rawValue) & inHugePage == 0
  }

  private func isEmpty(_ mm: MMID, _ range: PageRange) -> Bool {
    var isEmpty = true
    lockstep.baseline.forEachEntry(mm, range) { _, entry in if entry.kind != .none { isEmpty = false } }
    return isEmpty
  }
}
