// SPDX-License-Identifier: GPL-2.0-only

extension ReplayDriver {
  /// The pages whose histories a report tells: one per signature, and the first disagreement. `explaining`: the
  /// findings of every cause as well.
  ///
  /// What an instrument only may have found is in no report, and a history takes a second replay up to its event; unless
  /// the encoding is among those `told` in full.
  package func exemplars(explaining: Bool, told: (EncodingID) -> Bool = { _ in true }) -> Exemplars {
    var pages: [Exemplars.Page] = []
    var deciding: [Exemplars.Page: UInt64] = [:]
    for (log, _) in lockstep.findings {
      for signature in log.signatures where signature.certainty == .definite || told(log.encoding) {
        let page = Exemplars.Page(
          mm: signature.mm, page: signature.page, until: signature.firstSequence, encoding: log.encoding)
        // Several events may have one sequence.
        guard deciding.updateValue(max(signature.events, deciding[page] ?? 0), forKey: page) == nil else { continue }
        pages.append(page)
      }
    }
    var events = deciding.values.max() ?? 0
    if let first = verifier.first {
      pages.append(Exemplars.Page(first))
      events = max(events, verifier.eventsToFirst)
    }
    let found = audits.findings.compactMap { Exemplars.Page($0) }
    if !found.isEmpty {
      pages += found
      events = self.events
    }
    if explaining {
      pages += verifier.findings.map { Exemplars.Page($0) }
      events = max(events, verifier.eventsToLast)
    }
    return Exemplars(pages: pages, deciding: deciding, events: events)
  }
}
