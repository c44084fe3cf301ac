// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Picks the history of a few pages out of the event stream: a second pass over the capture, so that the first one
/// keeps nothing per page.
package struct HistoryCollector {
  private struct Subject {
    let mm: MMID
    let page: VirtualPage
    let until: Sequence
    /// The mm and those it was forked from.
    let lineage: [MMID]
    var events: [MMEventRecord] = []
  }

  private var subjects: [Subject]
  /// Events kept of one page: the latest.
  private static let depth = 12

  init(subjects: [(mm: MMID, page: VirtualPage, until: Sequence)], lineage: (MMID) -> [MMID]) {
    self.subjects = subjects.map { Subject(mm: $0.mm, page: $0.page, until: $0.until, lineage: lineage($0.mm)) }
  }

  /// No event after this one is wanted.
  package var end: Sequence { subjects.map(\.until).max() ?? Sequence(0) }

  package mutating func consume(_ events: [MMEventRecord], touches: (MMEvent, VirtualPage) -> Bool) {
    for record in events {
      guard let mm = record.mm else { continue }
      for index in subjects.indices {
        let subject = subjects[index]
        guard record.sequence <= subject.until, subject.lineage.contains(mm), touches(record.event, subject.page) else {
          continue
        }
        subjects[index].events.append(record)
        if subjects[index].events.count > Self.depth { subjects[index].events.removeFirst() }
      }
    }
  }

  /// The events of one subject, oldest first.
  package func events(_ mm: MMID, _ page: VirtualPage, until: Sequence) -> [MMEventRecord] {
    subjects.first { $0.mm == mm && $0.page == page && $0.until == until }?.events ?? []
  }
}

extension ReplayDriver {
  /// Collects the pages that `finish` will ask about.
  package var historyCollector: HistoryCollector {
    HistoryCollector(subjects: exemplars) { mm in
      var lineage = [mm]
      var next = mm
      while lineage.count < 16, let parent = parent(of: next) {
        lineage.append(parent)
        next = parent
      }
      return lineage
    }
  }

  private func parent(of mm: MMID) -> MMID? {
    guard Int(mm.rawValue) < parents.count, parents[Int(mm.rawValue)] != .max else { return nil }
    return MMID(parents[Int(mm.rawValue)])
  }

  mutating func noteParent(_ parent: MMID, of child: MMID) {
    while parents.count <= Int(child.rawValue) { parents.append(.max) }
    parents[Int(child.rawValue)] = parent.rawValue
  }
}
