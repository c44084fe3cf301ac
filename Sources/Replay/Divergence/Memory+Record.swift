// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

extension Memory {
  /// Stores the verdict in the entry and counts the change.
  @inline(never)
  mutating func record(
    _ judgement: Judgement, at ref: EntryRef, _ log: inout DivergenceLog, _ mm: MMID, _ page: VirtualPage,
    isDoubtful: Bool, _ context: JudgingContext
  ) {
    let entry = tables.entry(ref)
    let certainty = isDoubtful ? .possible : judgement.certainty
    let isPossible = certainty == .possible
    let isNewLoss = judgement.losesExclusivity && (entry.verdict == .ok || recarried.contains(ref))
    let changes = entry.verdict != judgement.verdict || entry.verdictIsPossible != isPossible
    guard isNewLoss || changes else { return }
    let order = entry.kind.refersToFolio ? folios.order(entry.folio) : .base
    if isNewLoss {
      recarried.removeAll { $0 == ref }
      log.count(.lost, certainty, order: order, mm: mm, page: page, context)
    }
    guard changes else { return }
    if judgement.verdict != .ok {
      log.count(judgement.verdict, certainty, order: order, mm: mm, page: page, context)
      if entry.kind.refersToFolio { folios.insert(.diverged, entry.folio) }
    }
    tables.setVerdict(judgement.verdict, possible: isPossible, at: ref)
  }
}
