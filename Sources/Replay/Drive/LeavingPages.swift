// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Pages that a snapshot showed mapped and then, a moment later, with their flag clear, where the model holds it set.
///
/// `/proc/kpageflags` is read after pagemap. Reclaim clears the flag when it unmaps a page
/// (`folio_try_share_anon_rmap_pte` in `try_to_unmap_one`) and writes it out or frees it next: that settles it.
struct LeavingPages {
  struct Page {
    let mm: MMID
    let page: VirtualPage
    let record: MMEventRecord
  }

  private var pages: [PFN: Page] = [:]

  var isEmpty: Bool { pages.isEmpty }

  /// `false` when a page with this frame is awaited already: one verdict is not given up for another.
  mutating func await(_ page: Page, _ pfn: PFN) -> Bool {
    guard pages[pfn] == nil else { return false }
    pages[pfn] = page
    return true
  }

  /// The frame was written to swap, or freed.
  mutating func take(_ pfn: PFN) -> Bool { pages.removeValue(forKey: pfn) != nil }

  mutating func takeAll() -> [Page] {
    defer { pages.removeAll() }
    return pages.values.sorted { ($0.record.sequence, $0.page) < ($1.record.sequence, $1.page) }
  }
}

extension ReplayDriver {
  /// The snapshot shows the flag clear where it ought to be set, and reclaim may have cleared it meanwhile. What it was
  /// is told later.
  mutating func awaitsReclaim(of shown: ProcessSnapshot.Page, _ open: OpenSnapshot) -> Bool {
    guard open.isReclaimed, shown.exclusive == false else { return false }
    return leaving.await(LeavingPages.Page(mm: open.mm, page: shown.page, record: current), shown.pfn)
  }

  mutating func leftByReclaim(_ pfn: PFN) {
    if leaving.take(pfn) { verifier.notCompared(.touchedDuringSnapshot) }
  }

  /// Nothing was done to the pages: they were shared indeed.
  mutating func settleLeavingPages() {
    for page in leaving.takeAll() {
      disagree(
        page.mm, page.page, "exclusive", "shared", .exclusiveDiffers, evidence: .page, record: page.record)
    }
  }

  /// What would have told was lost.
  mutating func forgetLeavingPages() {
    for _ in leaving.takeAll() { verifier.notCompared(.touchedDuringSnapshot) }
  }
}
