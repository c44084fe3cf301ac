// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Physical frames (the world that follows the kernel).
extension Memory {
  package mutating func bind(_ pfn: PFN, to folio: FolioID) {
    if let stale = frames.folio(pfn), stale != folio { frames.unbind(stale, pages: folios.order(stale).pageCount) }
    frames.unbind(folio, pages: folios.order(folio).pageCount)
    frames.bind(pfn, pages: folios.order(folio).pageCount, to: folio)
  }

  @inline(__always)
  package func folio(at pfn: PFN) -> FolioID? { frames.folio(pfn) }

  /// The frame of the folio's head page.
  package func pfn(of folio: FolioID) -> PFN? { frames.frame(folio) }

  /// The page allocator has the frame back. `true` when the model still mapped it: the stream was misunderstood.
  package mutating func pfnFreed(_ pfn: PFN) -> Bool {
    guard let folio = frames.folio(pfn) else { return false }
    let stillMapped = folios.attached(folio) > 0
    frames.unbind(folio, pages: folios.order(folio).pageCount)
    return stillMapped
  }
}
