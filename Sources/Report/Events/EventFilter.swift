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
  package func touches(_ page: VirtualPage) -> Bool {
    switch self {
    case .vmaMapped(let range, _, _), .unmapped(let range), .removalBegan(let range), .directIOBegan(let range, _),
      .protected(let range, _), .advised(let range, _), .populated(let range, _), .forkCopied(_, let range):
      range.contains(page)
    case .moved(let source, let destination, _):
      source.contains(page) || PageRange(start: destination, count: source.count).contains(page)
    case .fault(let at, _, _), .migrationSet(let at, _, _, _, _, _), .migrationRemoved(let at, _, _, _, _):
      at == page
    case .unfollowed(_, let range): range?.contains(page) ?? false
    case .mmCreated, .mmTeardownBegan, .mmTeardownProceeded, .mmExited, .removalEnded, .directIOEnded, .argumentPage,
      .stackPlaced, .appeared, .forkBegan,
      .forkCopiedPinned, .forkCounted, .forkEnded, .forkAborted, .freed, .lruInserted, .ksmMerged, .ksmMergedWithZero,
      .swappedOut,
      .swapWritten, .collapseBegan, .collapsed, .snapshotBegan, .snapshotEnded, .lossBegan, .lost:
      false
    }
  }

  /// Whether the event names this frame, alone or as a page of a folio.
  package func touches(_ frame: PFN) -> Bool {
    switch self {
    case .fault(_, _, let outcome), .populated(_, let outcome): outcome.touches(frame)
    case .argumentPage(let pfn), .swapWritten(let pfn), .collapseBegan(let pfn), .forkCopiedPinned(_, let pfn),
      .ksmMerged(let pfn),
      .lruInserted(let pfn):
      pfn == frame
    case .freed(let pfn, let order), .appeared(let pfn, let order), .migrationSet(_, let pfn, _, let order, _, _),
      .migrationRemoved(_, let pfn, let order, _, _):
      pfn.isHead(ofFolio: order, with: frame)
    case .collapsed(let pfn, let order): pfn?.isHead(ofFolio: order, with: frame) ?? false
    case .mmCreated, .mmTeardownBegan, .mmTeardownProceeded, .mmExited, .vmaMapped, .unmapped, .removalBegan,
      .removalEnded, .directIOBegan, .directIOEnded, .protected,
      .moved, .advised, .stackPlaced, .forkBegan, .forkCopied, .forkCounted, .forkEnded, .forkAborted,
      .ksmMergedWithZero, .swappedOut,
      .snapshotBegan, .snapshotEnded, .lossBegan, .lost, .unfollowed:
      false
    }
  }
}

extension FaultOutcome {
  fileprivate func touches(_ frame: PFN) -> Bool {
    switch self {
    case .anonymous(let pfn, let order, _): pfn.isHead(ofFolio: order, with: frame)
    case .copied(let pfn, _), .copiedFromFile(let pfn, _): pfn == frame
    case .swappedIn(let pfn, _): pfn == frame
    case .quiet, .file, .refused, .raced, .unexplained: false
    }
  }
}

extension PFN {
  fileprivate func isHead(ofFolio order: FolioOrder, with frame: PFN) -> Bool {
    self <= frame && frame < advanced(by: order.pageCount)
  }
}
