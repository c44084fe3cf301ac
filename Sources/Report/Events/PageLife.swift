// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
package import Replay

/// What becomes of one page while a capture is replayed, event by event, in every encoding's world: of an address, in
/// the mms that are of interest, or of a frame, wherever it is mapped.
package struct PageLife {
  package enum Subject: Sendable {
    /// In these mms, and those that fork gave the page to; `nil`: in all.
    case address(VirtualPage, in: Set<MMID>?)
    case frame(PFN)
  }

  package struct Place: Hashable, Comparable, Sendable {
    package let mm: MMID
    package let page: VirtualPage

    package init(_ mm: MMID, _ page: VirtualPage) { (self.mm, self.page) = (mm, page) }

    package static func < (a: Place, b: Place) -> Bool { (a.mm, a.page.rawValue) < (b.mm, b.page.rawValue) }
  }

  /// How the page stands somewhere.
  package struct Standing: Equatable, Sendable {
    package let today: EntryStanding
    /// In the order of reports.
    package let encodings: [(id: EncodingID, entry: EntryStanding)]
    package let frame: PFN?
    /// Everybody who maps it in today's world, this place among them.
    package let mappers: [Place]

    package static func == (a: Standing, b: Standing) -> Bool {
      a.today == b.today && a.frame == b.frame && a.mappers == b.mappers
        && a.encodings.map(\.entry) == b.encodings.map(\.entry)
    }
  }

  package struct Line: Sendable {
    package let record: MMEventRecord
    package let place: Place
    /// After the event.
    package let standing: Standing
    /// The event does not name the page: it changed how the page stands here.
    package let isAside: Bool
  }

  private let subject: Subject
  private let encodings: [EncodingID]
  /// Where the page is, or was, of the places that are of interest.
  private var places: [Place] = []
  /// The last that was seen of each.
  private var last: [Place: Standing] = [:]

  package init(_ subject: Subject, _ encodings: [EncodingID]) {
    self.subject = subject
    self.encodings = encodings.filter { $0 != .baseline }
  }

  /// Applies the events to the model; `tell` is called for each line.
  package mutating func follow(
    _ events: ArraySlice<MMEventRecord>, in model: inout ReplayDriver, _ tell: (Line) throws -> Void
  ) rethrows {
    var rest = events
    for index in events.indices {
      let record = events[index]
      let (named, isConcerned) = concern(of: record)
      guard isConcerned else { continue }
      model.apply(rest[...index])
      model.settleCopies()
      rest = events[(index + 1)...]
      find(record, named, in: model)
      for place in places {
        let standing = standing(of: place, in: model)
        let isNamed = named == place || (record.mm == nil && record.event.names(last[place]?.frame))
        if last[place] == nil, standing.today.isNone { continue }
        guard isNamed && !standing.today.isNone || standing != last[place] else { continue }
        last[place] = standing
        try tell(Line(record: record, place: place, standing: standing, isAside: !isNamed))
      }
      forget()
    }
    model.apply(rest)
  }

  /// How it stands in the end, wherever it is.
  package func ends(in model: borrowing ReplayDriver) -> [(place: Place, standing: Standing)] {
    var ends: [(place: Place, standing: Standing)] = []
    for place in places {
      let standing = standing(of: place, in: model)
      if !standing.today.isNone { ends.append((place, standing)) }
    }
    return ends
  }

  // — which events

  /// The place that the event names, and whether it may matter at all.
  private func concern(of record: MMEventRecord) -> (named: Place?, isConcerned: Bool) {
    let (pages, frames) = (record.event.pages, record.event.isNews ? record.event.frames : nil)
    switch subject {
    case .address(let page, let mms):
      if let mm = record.mm, pages?.contains(page) ?? false, mms?.contains(mm) ?? true {
        return (Place(mm, page), true)
      }
    case .frame(let frame):
      if let frames, frames.contains(frame) {
        let named = record.mm.flatMap { mm in
          pages.flatMap { pages in pages.count == 1 ? Place(mm, pages.start) : nil }
        }
        return (named, true)
      }
    }
    guard !places.isEmpty else { return (nil, false) }
    if record.event.isNews, last.values.contains(where: { record.event.names($0.frame) }) { return (nil, true) }
    if let mm = record.mm, let place = places.first(where: { $0.mm == mm && pages?.contains($0.page) ?? false }) {
      return (place, true)
    }
    if record.event.mayChangeAnyPage { return (nil, true) }
    let isNear = pages.map { pages in
      places.contains { pages.overlaps(PageRange(around: $0.page, FolioOrder(9))) }
    }
    return (nil, isNear ?? false)
  }

  // — where it is

  /// Places that came with the event: where it maps the page, and to whom fork gave it.
  private mutating func find(_ record: MMEventRecord, _ named: Place?, in model: borrowing ReplayDriver) {
    switch subject {
    case .address: if let named { add(named) }
    case .frame(let frame): for place in model.mappers(of: frame) { add(Place(place.mm, place.page)) }
    }
    for place in places {
      for mapper in model.mappers(place.mm, place.page) { add(Place(mapper.mm, mapper.page)) }
    }
  }

  private mutating func add(_ place: Place) { if !places.contains(place) { places.append(place) } }

  /// Where the page is no longer, until an event says that it came back.
  private mutating func forget() {
    for place in places {
      guard let standing = last[place], standing.today.isNone || isElsewhere(standing) else { continue }
      places.removeAll { $0 == place }
      last[place] = nil
    }
  }

  /// Another frame is mapped there than the one it is about.
  private func isElsewhere(_ standing: Standing) -> Bool {
    if case .frame(let frame) = subject, let other = standing.frame { other != frame } else { false }
  }

  private func standing(of place: Place, in model: borrowing ReplayDriver) -> Standing {
    var entries: [(id: EncodingID, entry: EntryStanding)] = []
    for id in encodings {
      if let entry = model.standing(place.mm, place.page, in: id).encoding { entries.append((id, entry)) }
    }
    return Standing(
      today: model.standing(place.mm, place.page, in: nil).today, encodings: entries,
      frame: model.frame(place.mm, place.page),
      mappers: model.mappers(place.mm, place.page).map { Place($0.mm, $0.page) }.sorted())
  }
}

extension MMEvent {
  fileprivate func names(_ frame: PFN?) -> Bool { frame.map(touches) ?? false }
}
