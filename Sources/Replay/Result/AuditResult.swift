// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What one audit counted.
package struct AuditResult: Sendable, Equatable {
  package var name: String
  /// In the order of the audit's description.
  package var figures: [NamedCount]
  /// Names of the figures that the capture cannot show: no number of theirs would mean anything.
  package var notObservable: [String]
  package var examples: [AuditExample]

  package init(name: String, figures: [NamedCount], notObservable: [String] = [], examples: [AuditExample] = []) {
    (self.name, self.figures, self.notObservable, self.examples) = (name, figures, notObservable, examples)
  }

  /// Nothing of its kind happened.
  package var isEmpty: Bool { figures.allSatisfy { $0.count == 0 } }

  package subscript(figure: String) -> UInt64 { figures.first { $0.name == figure }?.count ?? 0 }
}

/// One instance of what an audit counts.
package struct AuditExample: Sendable, Equatable {
  /// For people.
  package var text: String
  package var mm: MMID
  package var page: VirtualPage?
  package var sequence: Sequence
  /// It is no mere instance: the page's history is told.
  package var isFinding = false
  /// Oldest first.
  package var history: [HistoryEntry] = []

  package init(_ text: String, mm: MMID, page: VirtualPage? = nil, sequence: Sequence) {
    (self.text, self.mm, self.page, self.sequence) = (text, mm, page, sequence)
  }
}
