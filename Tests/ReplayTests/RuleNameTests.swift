// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Replay

@Suite("Names of rules")
struct RuleNameTests {
  @Test("Every name has one rule in the catalogue")
  func names() {
    let listed = RuleCatalogue.all.map { $0.id.rawValue }
    #expect(listed.sorted() == RuleID.allCases.map(\.rawValue).sorted())
  }

  @Test("Every divergence of every encoding is filed under a rule")
  func filed() {
    for encoding in EncodingID.allCases {
      for verdict in Verdict.allCases where verdict != .ok {
        for transition in Transition.allCases {
          #expect(verdict.brokenRule(encoding, at: transition) != nil)
        }
      }
    }
  }
}
