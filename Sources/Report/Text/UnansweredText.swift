// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// Why nothing can be said of a condition, each reason once.
package enum UnansweredText {
  package static func lines(_ unanswered: [Unanswered]) -> [String] {
    var lines: [(reason: String, about: [String])] = []
    for one in unanswered {
      let reason: String
      let about: String
      switch one.reason {
      case .possible:
        reason = "possible, not certain"
        about = "\(one.verdict.rawValue) of \(one.encoding.rawValue)"
      case .possibleInState(let rule):
        reason = "the state breaks \(rule.rawValue), possibly, not certainly"
        about = "\(one.verdict.rawValue) of \(one.encoding.rawValue)"
      case .notObservable(let obstacle):
        reason = "not observable: \(obstacle.sentence)"
        about = one.verdict.rawValue
      }
      let index = lines.firstIndex { $0.reason == reason } ?? lines.count
      if index == lines.count { lines.append((reason, [])) }
      if !lines[index].about.contains(about) { lines[index].about.append(about) }
    }
    return lines.map { "\($0.about.joined(separator: ", ")): \($0.reason)" }
  }
}
