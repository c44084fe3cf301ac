// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// How often a rule was asked of the whole state, and how many entries broke it.
package struct StateRuleCount: Sendable, Equatable {
  package var rule: RuleID
  /// Entries, at all the instants at which the state was looked at.
  package var checked: UInt64 = 0
  package var broken = CertaintyCounts()

  package init(rule: RuleID, checked: UInt64 = 0, broken: CertaintyCounts = CertaintyCounts()) {
    (self.rule, self.checked, self.broken) = (rule, checked, broken)
  }
}

/// The invariants that a state alone can show, asked of every entry of a world at snapshots and at the end: what no
/// operation touched is looked at, too.
package struct StateRules: Sendable {
  package private(set) var counts: [StateRuleCount] = []

  /// What a violation rests on is weighed as a verdict is: what is in doubt is possible at most, and where today's world
  /// contradicts itself nothing follows for another.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func check<E: Encoding>(_ world: World<E>, against baseline: World<Baseline>, _ doubts: Doubts) {
    let entries = world.entryCount
    guard entries > 0 else { return }
    for rule in RuleCatalogue.all where rule.visibility == .state && rule.applies(to: E.self) && !rule.needsPins {
      let index = position(of: rule.id)
      counts[index].checked += UInt64(entries)
      for violation in rule.violations(in: world) {
        guard let certainty = certainty(of: violation, world, baseline, doubts) else { continue }
        counts[index].broken[certainty] += 1
      }
    }
  }

  private mutating func position(of rule: RuleID) -> Int {
    if let index = counts.firstIndex(where: { $0.rule == rule }) { return index }
    counts.append(StateRuleCount(rule: rule))
    return counts.count - 1
  }

  private func certainty<E: Encoding>(
    of violation: RuleViolation, _ world: World<E>, _ baseline: World<Baseline>, _ doubts: Doubts
  ) -> Certainty? {
    if E.role != .today, baseline.contradictsItself(violation.mm, violation.page) { return nil }
    if doubts.cause(violation.mm, violation.page) != nil { return .possible }
    guard let ref = world.memory.find(violation.mm, violation.page) else { return .definite }
    return world.memory.isTrulyExclusive(ref) == .shared && world.memory.truth(ref, doubts) == .unknown
      ? .possible : .definite
  }
}

extension World<Baseline> {
  /// Today's bit is set, and the model knows others who map the page.
  fileprivate func contradictsItself(_ mm: MMID, _ page: VirtualPage) -> Bool {
    guard let ref = memory.find(mm, page) else { return false }
    return Baseline.claim(self, ref, memory.entry(ref)) == .exclusive && memory.isTrulyExclusive(ref) == .shared
  }
}

extension World {
  /// Entries of all mms that are not none.
  var entryCount: Int {
    var count = 0
    for case let mm? in mms { for table in mm.tables { count += Int(tables[table].live) } }
    return count
  }
}
