// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

extension ResultDiff {
  private struct ChangeLine: Encodable {
    var type = "change"
    var change: String
    var encoding: String
    var verdict: String
    var certainty: String
    var rule: String
    var transition: String
    var order: UInt8
    var old: UInt64
    var new: UInt64
  }

  private struct SummaryLine: Encodable {
    var type = "summary"
    var version = ResultLine.version
    var changes: [String: Int]
    var unchanged: Int
  }

  /// `diff --json`: a `change` line per signature, then a `summary`.
  package func json() throws(ReportError) -> [UInt8] {
    var bytes: [UInt8] = []
    for row in rows {
      let signature = row.signature
      bytes += try JSONLine.encode(
        ChangeLine(
          change: row.change.rawValue, encoding: signature.encoding.rawValue, verdict: signature.verdict.rawValue,
          certainty: signature.certainty.rawValue, rule: signature.rule.rawValue,
          transition: signature.transition.rawValue,
          order: signature.order.rawValue, old: row.old, new: row.new))
    }
    let counts = Change.allCases.map { change in (change.rawValue, rows.count { $0.change == change }) }
    bytes += try JSONLine.encode(
      SummaryLine(changes: Dictionary(uniqueKeysWithValues: counts), unchanged: unchanged))
    return bytes
  }
}
