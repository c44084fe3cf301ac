// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What was not read, not followed or not explained, as text: the rows of the table that were met.
package struct GapText {
  private let style: Style

  package init(style: Style) { self.style = style }

  /// The worst first.
  package func lines(_ gaps: GapCounts) -> [String] {
    Gap.Severity.allCases.reversed().flatMap { severity in
      gaps.met.filter { $0.gap.description.severity == severity }.flatMap { lines($0.gap, $0.count) }
    }
  }

  private func lines(_ gap: Gap, _ count: UInt64) -> [String] {
    let row = gap.description
    let text = "\(row.name) (\(row.severity.rawValue)): \(GapText.amount(gap, count)): \(row.sentence)"
    let lines = Paragraph.lines(text)
    switch row.severity {
    case .info: return lines.map(style.dim)
    case .doubt: return lines
    case .loss: return lines.map(style.bad)
    }
  }

  /// `3 pages`.
  package static func amount(_ gap: Gap, _ count: UInt64) -> String {
    let unit = gap.description.unit
    return "\(Numbers.grouped(count)) \(count == 1 ? one(unit) : unit)"
  }

  private static func one(_ unit: String) -> String {
    unit.hasSuffix("ies") ? unit.dropLast(3) + "y" : String(unit.dropLast())
  }
}
