// SPDX-License-Identifier: GPL-2.0-only

extension ExploreRun {
  /// One test point a cell. A cell whose state limit was hit is skipped: it says nothing.
  package var ktap: String {
    var text = "KTAP version 1\n1..\(results.count)\n"
    for (index, result) in results.enumerated() {
      if !result.isGood {
        text += "# expected \(result.expectation), found \(result.result.rawValue)"
        text += result.verdicts.map { " " + $0 }.joined() + "\n"
        for line in (result.violations.first?.schedule.text ?? "").split(separator: "\n") { text += "# \(line)\n" }
      }
      text += "\(result.isGood ? "ok" : "not ok") \(index + 1) \(result.cell.name)"
      text += result.result == .limit ? " # SKIP state limit after \(result.exploration.states) states\n" : "\n"
    }
    let failed = results.count { !$0.isGood }
    let skipped = results.count { $0.result == .limit }
    let passed = results.count - failed - skipped
    return text + "# Totals: pass:\(passed) fail:\(failed) xfail:0 xpass:0 skip:\(skipped) error:0\n"
  }
}
