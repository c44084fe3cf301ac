// SPDX-License-Identifier: GPL-2.0-only

/// A row in one geometry, with one encoding and its rules, under one memory model: one search.
package struct ExploreCell: Sendable {
  package var row: RowSyntax
  package var variant: Variant
  /// The values of what the model varies: `geometry`, `one`.
  package var coordinates: [(label: String, value: String)]
  /// Options that are on.
  package var rules: [String]

  /// `F-01 geometry=one pages=2 A-and-lazy rules=- sc`
  package var name: String {
    var words = [row.id] + coordinates.map { "\($0.label)=\($0.value)" }
    if let encoding = variant.encoding { words.append(encoding) }
    if !coordinates.isEmpty { words.append("rules=" + (rules.isEmpty ? "-" : rules.joined())) }
    return (words + [variant.memory.rawValue]).joined(separator: " ")
  }
}

/// What came out of it.
package struct CellResult: Sendable {
  package enum Result: String, Sendable {
    case holds
    case violated
    /// More states than the limit, and nothing found up to there.
    case limit
  }

  package var cell: ExploreCell
  package var exploration: Exploration
  /// What is known of the cell; `nil`: nothing.
  package var expected: Expected?

  package enum Expected: Sendable, Equatable {
    case row(RowSyntax.Expectation)
    case verdicts([String])
  }

  package var violations: [Exploration.Finding] { exploration.findings.filter { !$0.isCost } }
  package var verdicts: [String] { Set(violations.map(\.verdict)).sorted() }
  package var costs: [String] { Set(exploration.findings.filter(\.isCost).map(\.verdict)).sorted() }

  package var result: Result {
    if !violations.isEmpty { return .violated }
    return exploration.isComplete ? .holds : .limit
  }

  /// `nil`: there is nothing to compare with.
  package var isAsExpected: Bool? {
    switch expected {
    case nil: nil
    case .row(.holds): result == .holds
    case .row(.violated(let verdict)): verdict.map { verdicts.contains($0) } ?? (result == .violated)
    case .verdicts(let expected): exploration.isComplete && verdicts == expected
    }
  }
}
