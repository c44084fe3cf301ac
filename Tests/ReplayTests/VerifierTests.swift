// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Testing

@testable import Replay

@Suite("The tally of the evidence")
struct VerifierTests {
  private func finding(_ sequence: UInt64) -> (String) -> Finding {
    { cause in
      Finding(
        evidence: .decision, cause: cause, sequence: Sequence(sequence), time: Timestamp(nanoseconds: sequence),
        mm: MMID(0), page: VirtualPage(0), expected: "", observed: "")
    }
  }

  @Test("Agreement and disagreement are known over time, what is unknown is checked all the same")
  func coverage() {
    var verifier = Verifier()
    verifier.agree(.decision)
    verifier.agree(.page)
    verifier.disagree(.entry, .migrationType, finding(1))
    verifier.unknown(.decision, .raced, finding(2))
    #expect(verifier.account.coverage.map { [$0.checked, $0.known] } == [[4, 3]])
  }

  @Test("Of each cause the first four are kept with their places, and all are counted")
  func kept() {
    var verifier = Verifier()
    for sequence in UInt64(1)...6 {
      verifier.unknown(.decision, .raced, finding(sequence))
      verifier.disagree(.decision, .reusedShared, finding(10 + sequence))
    }
    #expect(verifier.findings.map(\.sequence.rawValue) == [11, 12, 13, 14, 1, 2, 3, 4])
    #expect(verifier.account.decisions.unknown == 6 && verifier.account.decisions.disagree == 6)
    #expect(verifier.first?.sequence == Sequence(11))
  }
}
