// SPDX-License-Identifier: GPL-2.0-only

package import Replay

/// Two results compared by signature.
package struct ResultDiff: Sendable {
  package enum Change: String, Sendable, CaseIterable {
    case new, gone, grown, shrunk
  }

  package struct Row: Sendable {
    package let signature: Signature
    package let change: Change
    package let old: UInt64
    package let new: UInt64
  }

  /// New ones first, then gone, grown, shrunk; the worst first within each.
  package let rows: [Row]
  package let unchanged: Int

  package init(old: ReplayResult, new: ReplayResult) {
    let before = ResultDiff.counts(old)
    let after = ResultDiff.counts(new)
    var rows: [Row] = []
    var unchanged = 0
    for signature in Set(before.keys).union(after.keys) {
      let a = before[signature] ?? 0
      let b = after[signature] ?? 0
      if a == b {
        unchanged += 1
      } else {
        let change: Change = a == 0 ? .new : b == 0 ? .gone : a < b ? .grown : .shrunk
        rows.append(Row(signature: signature, change: change, old: a, new: b))
      }
    }
    let rank = Dictionary(uniqueKeysWithValues: zip(Change.allCases, 0...))
    self.rows = rows.sorted { a, b in
      a.change == b.change ? a.signature < b.signature : (rank[a.change] ?? 0) < (rank[b.change] ?? 0)
    }
    self.unchanged = unchanged
  }

  private static func counts(_ result: ReplayResult) -> [Signature: UInt64] {
    let present = result.divergences.filter { $0.count > 0 }
    return Dictionary(present.map { (Signature($0), $0.count) }, uniquingKeysWith: +)
  }
}
