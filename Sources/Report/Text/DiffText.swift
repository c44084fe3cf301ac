// SPDX-License-Identifier: GPL-2.0-only

package import Replay

/// Two results compared, as text.
package struct DiffText {
  private let style: Style

  package init(style: Style) { self.style = style }

  /// Ends in a newline.
  package func render(old: ReplayResult, new: ReplayResult) -> String {
    let diff = ResultDiff(old: old, new: new)
    var lines = [describe("old", old), describe("new", new)]
    if old.capture.records != new.capture.records {
      lines.append(style.dim("  The captures differ in length: compare counts with care."))
    }
    for change in ResultDiff.Change.allCases {
      let rows = diff.rows.filter { $0.change == change }
      guard !rows.isEmpty else { continue }
      lines += ["", style.bold(change.rawValue.uppercased()) + " (\(rows.count))"]
      lines += rows.map { row in
        let counts =
          switch change {
          case .new: Numbers.grouped(row.new)
          case .gone: Numbers.grouped(row.old)
          case .grown, .shrunk: "\(Numbers.grouped(row.old)) -> \(Numbers.grouped(row.new))"
          }
        return "  " + style.verdict(row.signature.verdict, row.signature.text) + ": " + counts
      }
    }
    lines += ["", "\(Numbers.plural(UInt64(diff.unchanged), "signature")) unchanged"]
    return style.printed(lines)
  }

  private func describe(_ which: String, _ result: ReplayResult) -> String {
    style.bold("\(which): \(result.capture.name)") + " (kernel \(result.capture.kernel), "
      + "\(Numbers.plural(result.capture.records, "record")), \(Numbers.seconds(result.capture.spanNanoseconds)))"
  }
}
