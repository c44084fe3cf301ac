// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// What C-raw found, as what it is: the places of the kernel that a patch for C has to change.
struct CallSites {
  struct Row {
    /// `nil`: no call site is to blame, the path shows what another left behind.
    let site: CallSiteSwitch?
    /// Entries that came to differ from today's flag there.
    var entries = CertaintyCounts()
    /// The first of the worst.
    let example: Divergence
  }

  /// Most entries first, those without a site last.
  let rows: [Row]

  /// `nil` when the result has no C-raw.
  init?(_ result: ReplayResult) {
    guard result.encodings.contains(where: { $0.id == .cRaw }) else { return nil }
    var rows: [Row] = []
    let found = result.divergences.filter { found in
      found.encoding == .cRaw && found.count > 0 && FailureCondition.divergence.includes(found.verdict)
        && found.verdict != .lost  // Counted besides the verdict of the entry.
    }
    for divergence in found.worstFirst {
      let site = divergence.transition.callSiteOfC
      let index = rows.firstIndex { $0.site == site } ?? rows.count
      if index == rows.count { rows.append(Row(site: site, example: divergence)) }
      rows[index].entries[divergence.certainty] += divergence.count
    }
    func rank(_ row: Row) -> (Int, UInt64, UInt64) {
      (row.site == nil ? 0 : 1, row.entries.definite, row.entries.possible)
    }
    self.rows = rows.sorted { rank($1) < rank($0) }
  }
}
