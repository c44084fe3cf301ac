// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Where and when something is being judged.
package struct JudgingContext: Sendable, BitwiseCopyable {
  package var sequence: Sequence
  package var time: Timestamp
  package var transition: Transition
  /// How many events of the stream there were up to here. Their sequences are not always in order.
  package var events: UInt64

  package init(sequence: Sequence, time: Timestamp, transition: Transition, events: UInt64 = 0) {
    self.sequence = sequence
    self.time = time
    self.transition = transition
    self.events = events
  }
}

/// One encoding's divergences, counted by signature: (verdict, certainty, transition, order). The rule follows from
/// encoding, verdict and transition.
package struct DivergenceLog: Sendable {
  package struct SignatureCount: Sendable, Equatable {
    package var verdict: Verdict
    package var certainty: Certainty
    package var transition: Transition
    package var order: FolioOrder
    package var count: UInt64
    /// The first time: what history is asked about.
    package var firstSequence: Sequence
    package var firstTime: Timestamp
    package var mm: MMID
    package var page: VirtualPage
    /// How many events of the stream there had been then.
    package var events: UInt64
  }

  package private(set) var encoding: EncodingID
  /// What the state as a whole was asked.
  package internal(set) var stateRules = StateRules()
  /// Entries looked at.
  package var checks: UInt64 = 0
  /// In order of first appearance.
  package private(set) var signatures: [SignatureCount] = []
  /// Entries that came to hold a verdict: any but LOST, which stands beside one, and BETTER.
  package private(set) var totals = CertaintyCounts()
  /// How many events there had been when the last of them appeared.
  package private(set) var eventsToLast: UInt64 = 0
  /// Flat index (verdict, certainty, transition, order) -> position in `signatures` plus 1.
  private var positions: ContiguousArray<UInt16>

  private static let orders = 32
  private static let transitions = Transition.allCases.count

  package init(encoding: EncodingID) {
    self.encoding = encoding
    positions = ContiguousArray(repeating: 0, count: Verdict.allCases.count * 2 * Self.transitions * Self.orders)
  }

  /// The same, found of another encoding.
  func renamed(_ encoding: EncodingID) -> DivergenceLog {
    var log = self
    log.encoding = encoding
    return log
  }

  package mutating func count(
    _ verdict: Verdict, _ certainty: Certainty, order: FolioOrder, mm: MMID, page: VirtualPage,
    _ context: JudgingContext
  ) {
    let certain = certainty == .definite ? 0 : 1
    let transition = context.transition
    if verdict != .lost, verdict != .better { totals[certainty] += 1 }
    let slot =
      ((verdict.severity * 2 + certain) * Self.transitions + transition.position) * Self.orders + Int(order.rawValue)
    if positions[slot] != 0 {
      signatures[Int(positions[slot]) - 1].count += 1
      return
    }
    signatures.append(
      SignatureCount(
        verdict: verdict, certainty: certainty, transition: transition, order: order, count: 1,
        firstSequence: context.sequence, firstTime: context.time, mm: mm, page: page,
        events: context.events))
    positions[slot] = UInt16(signatures.count)
    eventsToLast = context.events
  }

  /// How often entries came to hold each verdict.
  package var counts: [Verdict: UInt64] {
    var counts: [Verdict: UInt64] = [:]
    for signature in signatures { counts[signature.verdict, default: 0] += signature.count }
    return counts
  }
}
