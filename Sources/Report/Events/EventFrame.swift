// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

extension MMEvent {
  /// The frame this event mapped at the page; `nil` when it does not say.
  func frame(at page: VirtualPage) -> PFN? {
    switch self {
    case .fault(let at, _, let outcome): at == page ? outcome.frame(at: page) : nil
    case .migrationRemoved(let at, let pfn, _, _, _): at == page ? pfn : nil
    case .mmCreated, .mmTeardownBegan, .mmTeardownProceeded, .mmExited, .vmaMapped, .unmapped, .removalBegan,
      .removalEnded, .directIOBegan, .directIOEnded, .pinBegan, .pinEnded, .unpinned, .protected,
      .moved, .advised, .populated, .argumentPage, .stackPlaced, .appeared, .forkBegan, .forkCopied,
      .forkCopiedPinned, .forkCounted, .forkEnded, .forkAborted, .freed, .lruInserted, .migrationSet, .ksmMerged,
      .ksmMergedWithZero,
      .reclaimed, .swappedOut, .swapWritten, .collapseBegan, .collapsed, .collapseFailed, .scanned, .snapshotBegan,
      .snapshotEnded, .underWay,
      .lossBegan, .lost,
      .unfollowed:
      nil
    }
  }
}

extension FaultOutcome {
  fileprivate func frame(at page: VirtualPage) -> PFN? {
    switch self {
    // A large folio is aligned to its size in virtual memory too.
    case .anonymous(let pfn, let order, _):
      pfn.advanced(by: Int(page.rawValue & UInt64(order.pageCount - 1)))
    case .copied(let pfn, _), .copiedFromFile(let pfn, _): pfn
    case .swappedIn(let pfn, _): pfn
    case .surplus(let pfn, _, _): pfn.advanced(by: Int(page.rawValue & UInt64(FolioOrder(9).pageCount - 1)))
    case .quiet, .file, .pooled, .refused, .raced, .unexplained, .lost: nil
    }
  }
}
