// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
import Replay
package import Report

extension Analysis {
  /// Tells what becomes of a page, line by line, and how it stands in the end.
  package func life(
    of subject: PageLife.Subject, _ options: Options = Options(), _ tell: (PageLife.Line) throws -> Void
  ) throws -> [(place: PageLife.Place, standing: PageLife.Standing)] {
    var options = options
    if options.encodings.isEmpty { options.encodings = EncodingID.standard.filter { $0.role == .proposal } }
    var life = PageLife(subject, options.encodings)
    var ends: [(place: PageLife.Place, standing: PageLife.Standing)] = []
    try follow(options) { events, model in
      try life.follow(events, in: &model, tell)
      ends = life.ends(in: model)
      return true
    }
    return ends
  }

  /// The mms that a process, or one of its threads, acted in, and their ancestors: a page that fork gave them has its
  /// life before the fork in those.
  package func addressSpaces(of task: TaskID) throws -> Set<MMID> {
    var mms: Set<MMID> = []
    var parents: [MMID: MMID] = [:]
    try forEachBatch(ahead: false) { events in
      for record in events {
        guard let mm = record.mm else { continue }
        if case .forkBegan(let child) = record.event { parents[child] = mm }
        if record.task == task { mms.insert(mm) }
      }
      return true
    }
    for mm in mms {
      var ancestor = parents[mm]
      while let one = ancestor, mms.insert(one).inserted { ancestor = parents[one] }
    }
    return mms
  }
}
