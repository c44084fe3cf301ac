// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
package import Replay

/// A result as KTAP: one test point per encoding and rule.
///
/// `not ok` where the rule was broken for certain with a verdict that corrupts data or costs something; SKIP where it
/// only may have been, for that is neither.
package struct KTAPReport {
  package init() {}

  /// The whole document, ending in a newline.
  package func render(_ result: ReplayResult) -> String {
    let points = points(result)
    var lines = ["KTAP version 1", "1..\(points.count)"]
    for (index, point) in points.enumerated() {
      lines += self.lines(point, number: index + 1, result: result)
    }
    return lines.printed()
  }

  private struct Point {
    var encoding: EncodingID
    var rule: String
  }

  /// The catalogue's rules for each encoding, and any other rule the result names.
  private func points(_ result: ReplayResult) -> [Point] {
    result.encodings.flatMap { encoding in
      let known = RuleCatalogue.all.filter { $0.applies(to: encoding.id) }.map { $0.id }
      let found = Set(result.divergences.filter { $0.encoding == encoding.id }.map(\.rule))
      return (known + found.subtracting(known).sorted()).map { Point(encoding: encoding.id, rule: $0) }
    }
  }

  private func lines(_ point: Point, number: Int, result: ReplayResult) -> [String] {
    let name = "\(escaped(point.encoding.rawValue)): \(escaped(point.rule))"
    let broken = result.divergences.filter { divergence in
      divergence.encoding == point.encoding && divergence.rule == point.rule && divergence.count > 0
        && FailureCondition.divergence.includes(divergence.verdict)
    }.worstFirst
    let notes = broken.map { divergence in
      "# \(divergence.verdict.rawValue) at \(escaped(divergence.transition)), order \(divergence.order.rawValue): "
        + "\(divergence.count) times, \(divergence.certainty.rawValue), first at seq "
        + "\(divergence.firstSequence.rawValue)"
    }
    if broken.contains(where: { $0.certainty == .definite }) { return notes + ["not ok \(number) \(name)"] }
    if !broken.isEmpty { return notes + ["ok \(number) \(name) # SKIP holds or not depending on unknown facts"] }
    return ["ok \(number) \(name)"]
  }

  /// `#` starts a directive in KTAP.
  private func escaped(_ text: String) -> String {
    text.split(separator: "\n").joined(separator: " ").split(separator: "#", omittingEmptySubsequences: false)
      .joined(separator: "\\#")
  }
}
