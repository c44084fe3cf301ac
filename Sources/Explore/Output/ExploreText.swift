// SPDX-License-Identifier: GPL-2.0-only

extension ExploreRun {
  /// A line a cell, and the shortest schedule of each that is broken; of many cells only those that surprise.
  package func text(isVerbose: Bool) -> String {
    var text = ""
    let isShort = results.count > 12
    for result in results where !isShort || isVerbose || !result.isGood || result.result == .limit {
      text += result.line + "\n"
      guard !isShort || !result.isGood || isVerbose else { continue }
      for finding in result.violations.prefix(isVerbose ? .max : 1) {
        text += "\n\(finding.verdict): \(finding.text)\n\(finding.schedule.text)"
        text += "     in the end: " + finding.schedule.final.joined(separator: ", ") + "\n\n"
      }
    }
    let counts = CellResult.Result.allCases.map { kind in "\(results.count { $0.result == kind }) \(kind.rawValue)" }
    let states = results.reduce(0) { $0 + $1.exploration.states }
    text += "\(results.count) cells, \(counts.joined(separator: ", ")); \(states) states"
    let surprises = results.count { !$0.isGood }
    return text + (surprises == 0 ? "\n" : "; \(surprises) not as expected\n")
  }
}

extension CellResult {
  var line: String {
    var words = [isGood ? (result == .limit ? "?     " : "ok    ") : "not ok", cell.name + ":", result.rawValue]
    words += verdicts
    if !costs.isEmpty { words.append("(\(costs.joined(separator: ", ")))") }
    words.append("[\(exploration.states) states]")
    return words.joined(separator: " ")
  }

  /// What the outcome should have been, in words.
  var expectation: String {
    switch expected {
    case nil: "holds"
    case .row(.holds): "holds"
    case .row(.violated(let verdict)): "violated" + (verdict.map { " \($0)" } ?? "")
    case .verdicts(let verdicts): verdicts.isEmpty ? "holds" : "violated " + verdicts.joined(separator: " ")
    }
  }
}

extension CellResult.Result: CaseIterable {
  package static let allCases: [Self] = [.holds, .violated, .limit]
}
