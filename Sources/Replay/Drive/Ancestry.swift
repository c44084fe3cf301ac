// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Who forked whom: the history of a page of a forked mm begins in its parent's.
package struct Ancestry: Sendable {
  private struct Parent {
    let mm: MMID
    /// The last event of the fork; `.max` while it goes on.
    var forkedAt: Sequence
  }

  private var parents: [MMID: Parent] = [:]
  /// How many parents are worth looking for those that nobody will ask for.
  private var limit = 1024

  /// No history goes back further than this.
  private static let generations = 64

  package init() {}

  package var count: Int { parents.count }

  package mutating func forkBegan(_ parent: MMID, _ child: MMID) {
    parents[child] = Parent(mm: parent, forkedAt: Sequence(.max))
  }

  package mutating func forkEnded(_ child: MMID, at sequence: Sequence) { parents[child]?.forkedAt = sequence }

  /// The mm itself and its ancestors, each with the event up to which its pages are those of the youngest.
  package func lineage(of mm: MMID, until last: Sequence) -> [(mm: MMID, until: Sequence)] {
    var lineage = [(mm: mm, until: last)]
    while let youngest = lineage.last, let parent = parents[youngest.mm], lineage.count < Self.generations {
      lineage.append((parent.mm, min(parent.forkedAt, youngest.until)))
    }
    return lineage
  }

  /// Whether there are twice as many parents as were needed last time: forgetting is then cheap for what it frees.
  package var isLarge: Bool { parents.count >= limit }

  /// Forgets who is no ancestor of these, as far back as histories go.
  package mutating func keepAncestors(of mms: some Swift.Sequence<MMID>) {
    var needed: [MMID: Parent] = [:]
    for mm in mms {
      for (child, _) in lineage(of: mm, until: Sequence(.max)) { needed[child] = parents[child] }
    }
    parents = needed
    limit = max(1024, 2 * needed.count)
  }
}
