// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Replay

/// The one judge: today's bit b, truth t0 in today's world, the encoding's claim e, truth t in its own world.
@Suite("Verdicts")
struct JudgementTests {
  private func verdict(
    b: Claim, t0: Claim, e: Claim, t: Claim, writable: Bool = false, pinned: Bool = false, reuse: Bool? = true
  ) -> Judgement {
    judge(
      Evidence(
        baseline: b, baselineTruth: t0, encoding: e, truth: t, isWritable: writable, isPinned: pinned,
        reusePasses: reuse))
  }

  @Test("What is known has one verdict, and it is definite")
  func known() {
    let rows: [(Claim, Claim, Claim, Claim, Verdict)] = [
      (.exclusive, .exclusive, .exclusive, .exclusive, .ok), (.shared, .shared, .shared, .shared, .ok),
      (.shared, .exclusive, .exclusive, .exclusive, .better), (.shared, .shared, .exclusive, .shared, .unsafe),
      // The worlds have drifted apart: the encoding's page is still shared where today's kernel has copied.
      (.exclusive, .exclusive, .exclusive, .shared, .unsafe), (.shared, .exclusive, .exclusive, .shared, .unsafe),
      (.exclusive, .exclusive, .shared, .exclusive, .conservativeFault),
    ]
    for (b, t0, e, t, expected) in rows {
      let judgement = verdict(b: b, t0: t0, e: e, t: t)
      #expect(judgement.verdict == expected && judgement.certainty == .definite, "\(b) \(t0) \(e) \(t)")
    }
    #expect(
      verdict(b: .exclusive, t0: .exclusive, e: .shared, t: .exclusive, reuse: false).verdict == .conservativeCopy)
    #expect(verdict(b: .exclusive, t0: .exclusive, e: .shared, t: .exclusive, pinned: true).verdict == .conservativePin)
    #expect(
      verdict(b: .exclusive, t0: .exclusive, e: .shared, t: .exclusive, writable: true).verdict == .invariantBreak)
  }

  @Test("Bit set and page shared in today's world is the model's contradiction: no claim of exclusivity is convicted")
  func contradiction() {
    for t in [Claim.shared, .exclusive, .unknown] {
      #expect(verdict(b: .exclusive, t0: .shared, e: .exclusive, t: t) == .ok)
    }
    // Who does not claim what the kernel proves is conservative all the same; how much so depends on who maps it.
    let lost = verdict(b: .exclusive, t0: .shared, e: .shared, t: .shared)
    #expect(lost.verdict == .conservativeCopy && lost.certainty == .possible)
  }

  @Test("A verdict that holds for some values of the unknown only is possible")
  func unknown() {
    #expect(verdict(b: .unknown, t0: .unknown, e: .unknown, t: .unknown) == .ok)
    let unseenSharers = verdict(b: .shared, t0: .unknown, e: .exclusive, t: .unknown)
    #expect(unseenSharers.verdict == .unsafe && unseenSharers.certainty == .possible)
    // The bit is the kernel's own proof.
    #expect(verdict(b: .exclusive, t0: .unknown, e: .exclusive, t: .unknown) == .ok)
    let unseenBit = verdict(b: .unknown, t0: .exclusive, e: .shared, t: .exclusive)
    #expect(unseenBit.verdict == .conservativeFault && unseenBit.certainty == .possible)
    let reuse = verdict(b: .exclusive, t0: .exclusive, e: .shared, t: .exclusive, reuse: nil)
    #expect(reuse.verdict == .conservativeCopy && reuse.certainty == .possible)
  }

  @Test("Definite means the same verdict for every value of every unknown")
  func definiteIsForAllValues() {
    let claims: [Claim] = [.shared, .exclusive, .unknown]
    for b in claims {
      for t0 in claims where !(b == .exclusive && t0 == .shared) {
        for e in claims {
          for t in claims where !(b == .unknown && e == .unknown) {
            let whole = verdict(b: b, t0: t0, e: e, t: t)
            guard whole.certainty == .definite else { continue }
            for exactB in b.possibleValues.map(Claim.init(_:)) {
              for exactE in e.possibleValues.map(Claim.init(_:)) {
                for exactT in t.possibleValues.map(Claim.init(_:))
                where !(t == .unknown && exactB == .exclusive && exactT == .shared) {
                  let exact = verdict(b: exactB, t0: .exclusive, e: exactE, t: exactT)
                  #expect(exact.verdict == whole.verdict, "\(b) \(t0) \(e) \(t)")
                }
              }
            }
          }
        }
      }
    }
  }

  @Test("Only a bit that is there can be bettered")
  func betterThanNothing() {
    let evidence = Evidence(baseline: .shared, baselineHasEntry: false, encoding: .exclusive)
    #expect(judge(evidence).verdict == .ok)
  }
}
