// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
package import Replay

/// Collects what happened to a few pages, on a second walk over the events: the first walk only knows at its end whose
/// history will be asked for.
///
/// A page of a forked mm has the history of its parent's page before the fork, and shares its fate after it: what the
/// parent does to its entry decides whether the child's page is still shared. Lines about another mm than the page's
/// own begin with it.
package struct PageHistories {
  private struct Track {
    let wanted: Exemplars.Page
    /// The mm itself and its ancestors, each with the event up to which its frame was the one the history is about.
    let lineage: [(mm: MMID, until: Sequence)]
    /// The frame the page holds in the youngest of them so far.
    var frame: PFN?
    var entries: [HistoryEntry] = []
  }

  private var tracks: [Track] = []
  private var indices: [Exemplars.Page: Int] = [:]
  private let text: EventText
  /// The last so many entries of a history are kept.
  private static let limit = 64

  package init(_ wanted: [Exemplars.Page], ancestry: Ancestry, pageShift: UInt8) {
    text = EventText(pageShift: pageShift)
    for one in wanted where indices[one] == nil {
      indices[one] = tracks.count
      tracks.append(Track(wanted: one, lineage: ancestry.lineage(of: one.mm, until: one.until)))
    }
  }

  /// The tracks the event belongs to, with the mm whose entry it changed.
  package func concerned(by record: MMEventRecord) -> [(track: Int, mm: MMID, page: VirtualPage)] {
    var found: [(track: Int, mm: MMID, page: VirtualPage)] = []
    for index in tracks.indices where record.sequence <= tracks[index].wanted.until {
      if let mm = owner(record, index) { found.append((index, mm, tracks[index].wanted.page)) }
    }
    return found
  }

  private func owner(_ record: MMEventRecord, _ index: Int) -> MMID? {
    guard let mm = record.mm else {
      guard let frame = tracks[index].frame, record.event.touches(frame), EventKind(record.event) != .lruInserted else {
        return nil
      }
      return tracks[index].wanted.mm
    }
    guard tracks[index].lineage.contains(where: { $0.mm == mm }) else { return nil }
    return record.event.touches(tracks[index].wanted.page) ? mm : nil
  }

  /// Adds the event to a history; `state` is what the page's entry is after it: `r D PAE-  fork_copied child=mm3 ...`.
  package mutating func add(_ record: MMEventRecord, to track: Int, of mm: MMID, state: String) {
    // VMAs come and go before the page does: that is not its history yet.
    if tracks[track].entries.isEmpty, state == "none" { return }
    let wanted = tracks[track].wanted
    var line = LineBuffer()
    if mm != wanted.mm { line.append("mm\(mm.rawValue): ") }
    line.append(state + String(repeating: " ", count: Swift.max(2, 10 - state.count)))
    text.appendPhrase(record.event, about: wanted.page, to: &line)
    tracks[track].entries.append(
      HistoryEntry(
        sequence: record.sequence, time: record.time, task: record.task,
        text: String(decoding: line.bytes, as: UTF8.self)))
    if tracks[track].entries.count > PageHistories.limit { tracks[track].entries.removeFirst() }
    let isOwn = tracks[track].lineage.contains { $0.mm == mm && record.sequence <= $0.until }
    if isOwn, let frame = record.event.frame(at: wanted.page) { tracks[track].frame = frame }
  }

  /// Oldest first; empty when nothing was asked or seen.
  package subscript(wanted: Exemplars.Page) -> [HistoryEntry] { indices[wanted].map { tracks[$0].entries } ?? [] }

  /// The frame the page held at the end of its history.
  package func frame(_ wanted: Exemplars.Page) -> PFN? { indices[wanted].flatMap { tracks[$0].frame } }
}

extension MMEvent {
  /// The frame this event mapped at the page; `nil` when it does not say.
  fileprivate func frame(at page: VirtualPage) -> PFN? {
    switch self {
    case .fault(let at, _, let outcome): at == page ? outcome.frame(at: page) : nil
    case .migrationRemoved(let at, let pfn, _, _, _): at == page ? pfn : nil
    case .mmCreated, .mmTeardownBegan, .mmTeardownProceeded, .mmExited, .vmaMapped, .unmapped, .removalBegan,
      .removalEnded, .directIOBegan, .directIOEnded, .protected,
      .moved, .advised, .populated, .argumentPage, .stackPlaced, .appeared, .forkBegan, .forkCopied,
      .forkCopiedPinned, .forkCounted, .forkEnded, .forkAborted, .freed, .lruInserted, .migrationSet, .ksmMerged,
      .ksmMergedWithZero,
      .swappedOut, .swapWritten, .collapseBegan, .collapsed, .snapshotBegan, .snapshotEnded, .lossBegan, .lost,
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
    case .quiet, .file, .refused, .raced, .unexplained: nil
    }
  }
}
