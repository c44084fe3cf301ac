// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Which events `script` prints. Every condition that is set must hold.
package struct EventFilter: Sendable {
  package var task: TaskID?
  package var frame: PFN?
  package var page: VirtualPage?
  /// Both ends belong to it.
  package var time: ClosedRange<Timestamp>?

  package init() {}

  /// No condition is set.
  package var admitsAll: Bool { task == nil && frame == nil && page == nil && time == nil }

  package func admits(_ record: MMEventRecord) -> Bool {
    if let task, record.task != task { return false }
    if let time, !time.contains(record.time) { return false }
    if let page, !record.event.touches(page) { return false }
    if let frame, !record.event.touches(frame) { return false }
    return true
  }
}

extension MMEvent {
  /// Whether the event names this page of its mm, alone or within a range.
  package func touches(_ page: VirtualPage) -> Bool { touches(PageRange(start: page, count: 1)) }

  /// Whether the event names any of these pages of its mm.
  func touches(_ pages: PageRange) -> Bool {
    if case .moved(let source, let destination, _) = self {
      return source.overlaps(pages) || PageRange(start: destination, count: source.count).overlaps(pages)
    }
    return self.pages?.overlaps(pages) ?? false
  }

  /// Whether the event names this frame, alone or as a page of a folio.
  package func touches(_ frame: PFN) -> Bool { frames?.contains(frame) ?? false }

  /// The pages of its mm that the event names; of two ranges, with what lies between.
  var pages: PageRange? {
    switch self {
    case .vmaMapped(let range, _, _), .unmapped(let range), .removalBegan(let range), .directIOBegan(let range, _),
      .pinBegan(let range, _),
      .protected(let range, _), .advised(let range, _), .populated(let range, _), .forkCopied(_, let range):
      range
    case .moved(let source, let destination, _):
      PageRange(
        start: min(source.start, destination), end: max(source.end, destination.advanced(by: source.count)))
    case .fault(let at, _, _), .migrationSet(let at, _, _, _, _, _), .migrationRemoved(let at, _, _, _, _):
      PageRange(start: at, count: 1)
    case .underWay(.fault(let page, _)): PageRange(start: page, count: 1)
    case .underWay(.call(let range)): range
    case .unfollowed(_, let range), .pinEnded(let range): range
    case .mmCreated, .mmTeardownBegan, .mmTeardownProceeded, .mmExited, .removalEnded, .directIOEnded, .unpinned,
      .argumentPage,
      .stackPlaced, .appeared, .forkBegan,
      .forkCopiedPinned, .forkCounted, .forkEnded, .forkAborted, .freed, .lruInserted, .ksmMerged, .ksmMergedWithZero,
      .reclaimed, .swappedOut,
      .swapWritten, .collapseBegan, .collapsed, .collapseFailed, .scanned, .snapshotBegan, .snapshotEnded, .lossBegan,
      .lost:
      nil
    }
  }

  /// The frames that the event names: all of a folio's.
  var frames: Range<PFN>? {
    switch self {
    case .fault(_, _, let outcome), .populated(_, let outcome): outcome.frames
    case .argumentPage(let pfn), .swapWritten(let pfn), .collapseBegan(let pfn, _), .forkCopiedPinned(_, let pfn),
      .ksmMerged(let pfn), .unpinned(let pfn, _),
      .lruInserted(let pfn):
      pfn.frames(.base)
    case .freed(let pfn, let order), .appeared(let pfn, let order), .migrationSet(_, let pfn, _, let order, _, _),
      .migrationRemoved(_, let pfn, let order, _, _):
      pfn.frames(order)
    case .collapsed(let pfn, let order): pfn?.frames(order)
    case .mmCreated, .mmTeardownBegan, .mmTeardownProceeded, .mmExited, .vmaMapped, .unmapped, .removalBegan,
      .removalEnded, .directIOBegan, .directIOEnded, .pinBegan, .pinEnded, .protected,
      .moved, .advised, .stackPlaced, .forkBegan, .forkCopied, .forkCounted, .forkEnded, .forkAborted,
      .ksmMergedWithZero, .reclaimed, .swappedOut, .collapseFailed, .scanned,
      .snapshotBegan, .snapshotEnded, .underWay, .lossBegan, .lost, .unfollowed:
      nil
    }
  }
}

extension FaultOutcome {
  fileprivate var frames: Range<PFN>? {
    switch self {
    case .anonymous(let pfn, let order, _): pfn.frames(order)
    case .copied(let pfn, _), .copiedFromFile(let pfn, _): pfn.frames(.base)
    case .swappedIn(let pfn, _): pfn?.frames(.base)
    case .surplus(let pfn, _, _): pfn.frames(FolioOrder(9))
    case .quiet, .file, .pooled, .refused, .raced, .unexplained, .lost: nil
    }
  }
}

extension PFN {
  /// Those of a folio of this order whose first one this is.
  fileprivate func frames(_ order: FolioOrder) -> Range<PFN> {
    let end = advanced(by: order.pageCount)
    // A number from a damaged record may be the last there is.
    return self..<Swift.max(self, end)
  }
}
