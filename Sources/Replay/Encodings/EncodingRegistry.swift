// SPDX-License-Identifier: GPL-2.0-only

/// Every encoding there is, in the order of reports. A new one is its file and its line here.
package enum EncodingRegistry {
  package static let all: [any Encoding.Type] = [
    Baseline.self,
    FolioFlag<AndLazy>.self,
    FolioFlag<AndEager>.self,
    FolioFlag<Or>.self,
    PageTableBitmap.self,
    PTEBits.self,
  ]

  /// Their names, an audit before the proposal it belongs to.
  static let ids: [EncodingID] = all.flatMap { encoding in
    (encoding.audit.map { [$0.id] } ?? []) + [encoding.id]
  }

  package static func encoding(_ id: EncodingID) -> (any Encoding.Type)? { all.first { $0.id == id } }
}

/// What `list` and `explain` say of an encoding.
package struct EncodingDescription: Sendable {
  /// One line: where the bit lives.
  package var summary: String
  /// What it saves, what it costs, what it cannot say.
  package var text: String
  package var source: String?

  package init(_ summary: String, _ text: String = "", source: String? = nil) {
    self.summary = summary
    self.text = text
    self.source = source
  }
}

/// An encoding's claim read off the entries of the unmodified kernel: it needs no world of its own.
package struct EncodingAudit: Sendable {
  package var id: EncodingID
  package var description: EncodingDescription
}
