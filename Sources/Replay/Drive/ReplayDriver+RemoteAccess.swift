// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What others do to an mm at addresses that the trace does not tell, or not to the page (`process_vm_writev`).
extension ReplayDriver {
  mutating func accessedRemotely(_ mm: MMID?, _ range: PageRange?) {
    guard let mm, let range else {
      unseen.accessedRemotely(mm)
      return
    }
    noteTouched(mm, range)
    unseen.doubt(mm, range)
  }

  /// Every other mm that maps the page may have a copy of its own by now: one came in there, and where is not told.
  func othersMayHaveCopied(_ mm: MMID, _ page: VirtualPage) -> Bool {
    let others = othersMapping(mm, page)
    return !others.isEmpty && others.allSatisfy { unseen.mayHaveCopied($0.mm, $0.page) }
  }

  /// The kernel kept the page as one that nobody else maps: they have copies, at addresses that are known now.
  mutating func othersCopied(_ mm: MMID, _ page: VirtualPage) {
    for other in othersMapping(mm, page) {
      let left = PageRange(start: other.page, count: 1)
      noteTouched(other.mm, left)
      run(.zap(other.mm, left), .unshare)
    }
  }

  private func othersMapping(_ mm: MMID, _ page: VirtualPage) -> [(mm: MMID, page: VirtualPage)] {
    guard let mapped = lockstep.baseline.mappedPage(mm, page) else { return [] }
    return lockstep.baseline.mappers(of: mapped.folio, page: mapped.index).filter { $0.mm != mm || $0.page != page }
  }
}
