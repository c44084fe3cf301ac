// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// What could not be observed, by the reason: each reason is told once.
struct UnobservableNames {
  /// In the order of `Obstacle`.
  let rows: [(obstacle: Obstacle, names: [String])]

  init(_ result: ReplayResult) {
    var names: [Obstacle: [String]] = [:]
    func note(_ name: String, _ obstacle: Obstacle) {
      if names[obstacle]?.contains(name) != true { names[obstacle, default: []].append(name) }
    }
    for encoding in result.subjects {
      for verdict in Verdict.allCases.sorted() {
        if case .notObservable(let obstacle) = encoding.observation(of: verdict, in: result.capture) {
          note(verdict.rawValue, obstacle)
        }
      }
      for rule in RuleCatalogue.all where rule.applies(to: encoding.id) {
        if case .notObservable(let obstacle) = encoding.observation(ofRule: rule.id, in: result.capture) {
          note(rule.id.rawValue, obstacle)
        }
      }
      for cost in encoding.costs {
        if case .notObservable(let obstacle) = encoding.observation(ofCost: cost.name, in: result.capture) {
          note(cost.name, obstacle)
        }
      }
    }
    rows = Obstacle.allCases.compactMap { obstacle in names[obstacle].map { (obstacle, $0) } }
  }
}
