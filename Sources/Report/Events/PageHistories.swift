// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
package import Replay

/// Collects what happened to a few pages, on a second walk over the events: the first walk only knows at its end whose
/// history will be asked for.
///
/// A page of a forked mm has the history of its parent's page before the fork, and shares its fate after it: what the
/// parent does to its entry decides whether the child's page is still shared. Lines about another mm's entry than the
/// page's own say whose.
///
/// What happens to other pages of its folio, or in other mms, belongs to the history where it changed how the page
/// stands; and so does, whatever it is, the event at which the divergence was found.
package struct PageHistories {
  private struct Track {
    let wanted: Exemplars.Page
    /// The mm itself and its ancestors, each with the event up to which its frame was the one the history is about.
    let lineage: [(mm: MMID, until: Sequence)]
    var lines: [(entry: HistoryEntry, isAside: Bool)] = []

    /// The youngest of the mms that had the page when the event came.
    func holder(at sequence: Sequence) -> MMID {
      // Up to the last event of a fork, what becomes the child's page is the parent's.
      lineage.dropFirst().last { sequence <= $0.until }?.mm ?? wanted.mm
    }

    /// Forgets the oldest lines beyond these numbers.
    mutating func trim(to limit: Int, asides: Int) {
      if lines.count(where: \.isAside) > asides, let first = lines.firstIndex(where: \.isAside) {
        lines.remove(at: first)
      }
      if lines.count > limit { lines.removeFirst() }
    }
  }

  /// What every event is compared with: apart from the rest, which is looked at for few of them.
  private struct Watch: BitwiseCopyable {
    /// Where other pages of its folio are, of whatever order it is, in every mm that fork gave it to.
    let surroundings: PageRange
    /// The frame the page holds in the youngest of its mms so far.
    var frame: PFN?
    /// Where the divergence was found; `nil`: the history is not about one, and ends with the sequence that is wanted.
    let deciding: UInt64?
    let until: Sequence
  }

  /// What an event has to do with a page.
  private enum Concern {
    /// It names the page in this mm, which is its own or an ancestor, or the frame that the page holds.
    case own(MMID)
    /// It may have changed how the page stands.
    case aside
    /// The divergence was found at it, whatever it is about.
    case decides
  }

  private var tracks: [Track] = []
  /// One for each of them.
  private var watches: [Watch] = []
  private var indices: [Exemplars.Page: Int] = [:]
  /// The tracks that have not come to their end.
  private var open: [Int] = []
  /// Events that have gone by.
  private var position: UInt64 = 0
  private let text: EventText
  /// The last so many entries of a history are kept.
  private static let limit = 64
  /// So many of them, the last, may be about other pages and other mms.
  private static let asideLimit = 4

  package init(_ wanted: Exemplars, ancestry: Ancestry, pageShift: UInt8) {
    text = EventText(pageShift: pageShift)
    for one in wanted.pages where indices[one] == nil {
      indices[one] = tracks.count
      open.append(tracks.count)
      tracks.append(Track(wanted: one, lineage: ancestry.lineage(of: one.mm, until: one.until)))
      watches.append(
        Watch(
          surroundings: PageRange(around: one.page, FolioOrder(9)), frame: nil, deciding: wanted.deciding[one],
          until: one.until))
    }
  }

  /// Applies the events to the model, and takes down what they did to the pages.
  package mutating func follow(_ events: ArraySlice<MMEventRecord>, in model: inout ReplayDriver) {
    var rest = events
    for index in events.indices {
      position += 1
      let concerns = self.concerns(of: events[index])
      guard !concerns.isEmpty else { continue }
      model.apply(rest[..<index])
      model.settleCopies()
      let before = concerns.map { standing(of: $0.track, at: events[index], $0.concern, in: model) }
      model.apply([events[index]])
      model.settleCopies()
      rest = events[(index + 1)...]
      for (one, before) in zip(concerns, before) {
        let after = standing(of: one.track, at: events[index], one.concern, in: model)
        add(events[index], to: one.track, one.concern, after, isChanged: before != after)
      }
      close(in: &model)
    }
    model.apply(rest)
  }

  /// Ends the histories whose last line was told, and the encodings that no other one tells of.
  private mutating func close(in model: inout ReplayDriver) {
    let ended = open.filter { watches[$0].deciding == position }
    guard !ended.isEmpty else { return }
    open.removeAll { ended.contains($0) }
    let needed = Set(open.compactMap { tracks[$0].wanted.encoding })
    for encoding in Set(ended.compactMap { tracks[$0].wanted.encoding }).subtracting(needed) {
      model.leaveOut(encoding)
    }
  }

  // — which events

  private func concerns(of record: MMEventRecord) -> [(track: Int, concern: Concern)] {
    var found: [(track: Int, concern: Concern)] = []
    let isPlaceless = record.event.mayChangeAnyPage
    let (pages, frames) = (record.event.pages, record.event.isNews ? record.event.frames : nil)
    for index in open {
      let watch = watches[index]
      if watch.deciding == position {
        found.append((index, .decides))
        continue
      }
      let isNear =
        isPlaceless || pages?.overlaps(watch.surroundings) ?? false || isForkOfOwn(record, index)
        || frames.map { frames in watch.frame.map(frames.contains) ?? false } ?? false
      // Nearly every event is about something else.
      guard isNear, watch.deciding != nil || record.sequence <= watch.until else { continue }
      found.append((index, owner(record, index).map(Concern.own) ?? .aside))
    }
    return found
  }

  /// Pages of the folio that `mremap` took elsewhere are copied with the VMA that is there.
  private func isForkOfOwn(_ record: MMEventRecord, _ index: Int) -> Bool {
    guard case .forkCopied = record.event else { return false }
    return tracks[index].lineage.contains { $0.mm == record.mm }
  }

  private func owner(_ record: MMEventRecord, _ index: Int) -> MMID? {
    guard let mm = record.mm else {
      guard let frame = watches[index].frame, record.event.touches(frame), record.event.isNews else { return nil }
      return tracks[index].wanted.mm
    }
    guard tracks[index].lineage.contains(where: { $0.mm == mm }) else { return nil }
    return record.event.touches(tracks[index].wanted.page) ? mm : nil
  }

  // — what they did

  /// Whose entry a line tells of.
  private func subject(of track: Int, at record: MMEventRecord, _ concern: Concern) -> MMID {
    switch concern {
    case .own(let mm): mm
    case .aside: tracks[track].holder(at: record.sequence)
    case .decides: tracks[track].wanted.mm
    }
  }

  private func standing(
    of track: Int, at record: MMEventRecord, _ concern: Concern, in model: borrowing ReplayDriver
  ) -> PageStanding {
    let wanted = tracks[track].wanted
    return model.standing(subject(of: track, at: record, concern), wanted.page, in: wanted.encoding)
  }

  private mutating func add(
    _ record: MMEventRecord, to track: Int, _ concern: Concern, _ standing: PageStanding, isChanged: Bool
  ) {
    let wanted = tracks[track].wanted
    let subject = subject(of: track, at: record, concern)
    var (isAside, isDeciding) = (false, false)
    switch concern {
    // VMAs come and go before the page does: that is not its history yet.
    case .own:
      if tracks[track].lines.isEmpty, standing.today.isNone { return }
      // It was another page of the range.
      if case .populated = record.event, !isChanged { return }
    case .aside:
      if !isChanged || (tracks[track].lines.isEmpty && standing.today.isNone) { return }
      isAside = true
    case .decides: isDeciding = true
    }
    tracks[track].lines.append(
      (
        HistoryEntry(
          sequence: record.sequence, time: record.time, task: record.task, mm: subject == wanted.mm ? nil : subject,
          today: standing.today.text(claimedBy: "PAE"), encoding: standing.encoding?.text(claimedBy: ""),
          text: phrase(record, of: subject, wanted.page), isDeciding: isDeciding), isAside
      ))
    tracks[track].trim(to: Self.limit, asides: Self.asideLimit)
    let owner = owner(record, track)
    let isOwn = tracks[track].lineage.contains { $0.mm == owner && record.sequence <= $0.until }
    if isOwn, let frame = record.event.frame(at: wanted.page) { watches[track].frame = frame }
  }

  /// `fork_copied child=mm3 ...`; `in mm3: fault ...` where that is not the mm whose entry the line tells of.
  private func phrase(_ record: MMEventRecord, of subject: MMID, _ page: VirtualPage) -> String {
    var line = LineBuffer()
    if let mm = record.mm, mm != subject { line.append("in mm\(mm.rawValue): ") }
    text.appendPhrase(record.event, about: page, to: &line)
    return String(decoding: line.bytes, as: UTF8.self)
  }

  // — results

  /// Oldest first; empty when nothing was asked or seen.
  package subscript(wanted: Exemplars.Page) -> [HistoryEntry] {
    indices[wanted].map { tracks[$0].lines.map(\.entry) } ?? []
  }

  /// The frame the page held at the end of its history.
  package func frame(_ wanted: Exemplars.Page) -> PFN? { indices[wanted].flatMap { watches[$0].frame } }
}

extension MMEvent {
  /// A folio's way to the LRU lists changes nothing that histories tell.
  var isNews: Bool { EventKind(self) != .lruInserted }

  /// It names no page, and may change how one stands that its mm maps, or mapped.
  var mayChangeAnyPage: Bool {
    switch self {
    case .mmTeardownBegan, .mmTeardownProceeded, .mmExited, .forkEnded, .forkAborted, .forkCopiedPinned, .ksmMerged,
      .ksmMergedWithZero, .collapsed, .snapshotEnded, .lossBegan, .lost:
      true
    case .mmCreated, .vmaMapped, .unmapped, .removalBegan, .removalEnded, .directIOBegan, .directIOEnded, .pinBegan,
      .pinEnded,
      .unpinned, .protected,
      .moved, .advised, .fault, .populated, .argumentPage, .stackPlaced, .appeared,
      .forkBegan, .forkCopied, .forkCounted, .freed, .lruInserted, .migrationSet, .migrationRemoved,
      .reclaimed, .swappedOut, .swapWritten, .collapseBegan, .collapseFailed, .scanned, .snapshotBegan, .underWay,
      .unfollowed:
      false
    }
  }
}
