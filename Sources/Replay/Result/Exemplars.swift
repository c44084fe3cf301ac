// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Pages whose histories are wanted.
package struct Exemplars: Sendable {
  /// A page, up to and including an event.
  package struct Page: Hashable, Sendable {
    package let mm: MMID
    package let page: VirtualPage
    package let until: Sequence

    package init(mm: MMID, page: VirtualPage, until: Sequence) {
      self.mm = mm
      self.page = page
      self.until = until
    }

    package init(_ divergence: Divergence) {
      self.init(mm: divergence.mm, page: divergence.page, until: divergence.firstSequence)
    }

    init(_ finding: Finding) { self.init(mm: finding.mm, page: finding.page, until: finding.sequence) }
  }

  package let pages: [Page]
  /// How many events of the stream there had been when the last of them was found: none after that matters to them.
  package let events: UInt64
}

extension ReplayResult {
  /// Puts the histories of its pages into the result.
  package mutating func tell(_ history: (Exemplars.Page) -> [HistoryEntry]) {
    for index in divergences.indices { divergences[index].history = history(Exemplars.Page(divergences[index])) }
    if let first = verification.firstDisagreement {
      verification.firstDisagreement?.history = history(Exemplars.Page(first))
    }
    for index in verification.findings.indices {
      verification.findings[index].history = history(Exemplars.Page(verification.findings[index]))
    }
  }
}
