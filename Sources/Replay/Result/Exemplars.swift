// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Pages whose histories are wanted.
package struct Exemplars: Sendable {
  /// A page, up to and including an event.
  package struct Page: Hashable, Sendable {
    package let mm: MMID
    package let page: VirtualPage
    package let until: Sequence
    /// The one whose state is told beside today's; `nil` where today's kernel alone is in question.
    package let encoding: EncodingID?

    package init(mm: MMID, page: VirtualPage, until: Sequence, encoding: EncodingID? = nil) {
      self.mm = mm
      self.page = page
      self.until = until
      self.encoding = encoding
    }

    package init(_ divergence: Divergence) {
      self.init(
        mm: divergence.mm, page: divergence.page, until: divergence.firstSequence, encoding: divergence.encoding)
    }

    /// `nil` where no history is asked for.
    init?(_ example: AuditExample) {
      guard example.isFinding, let page = example.page else { return nil }
      self.init(mm: example.mm, page: page, until: example.sequence)
    }

    init(_ finding: Finding) { self.init(mm: finding.mm, page: finding.page, until: finding.sequence) }
  }

  package let pages: [Page]
  /// The position in the stream of the event at which a divergence was found, the first being 1.
  package let deciding: [Page: UInt64]
  /// How many events of the stream there had been when the last of them was found: none after that matters to them.
  package let events: UInt64

  package init(pages: [Page], deciding: [Page: UInt64], events: UInt64) {
    self.pages = pages
    self.deciding = deciding
    self.events = events
  }

  /// The encodings that histories tell of, in the order of reports.
  package var encodings: [EncodingID] {
    var encodings: [EncodingID] = []
    for case let encoding? in pages.map(\.encoding) where !encodings.contains(encoding) { encodings.append(encoding) }
    return encodings
  }
}

extension ReplayResult {
  /// Puts the histories of its pages into the result.
  package mutating func tell(_ history: (Exemplars.Page) -> [HistoryEntry]) {
    for index in divergences.indices { divergences[index].history = history(Exemplars.Page(divergences[index])) }
    for audit in audits.indices {
      for index in audits[audit].examples.indices {
        guard let page = Exemplars.Page(audits[audit].examples[index]) else { continue }
        audits[audit].examples[index].history = history(page)
      }
    }
    if let first = verification.firstDisagreement {
      verification.firstDisagreement?.history = history(Exemplars.Page(first))
    }
    for index in verification.findings.indices {
      verification.findings[index].history = history(Exemplars.Page(verification.findings[index]))
    }
  }
}
