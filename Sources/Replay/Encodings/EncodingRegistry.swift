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

extension EncodingID: CaseIterable {
  package static var allCases: [EncodingID] { EncodingRegistry.ids }

  /// `nil` where the registry has no such encoding.
  package init?(rawValue: String) {
    guard EncodingRegistry.ids.contains(EncodingID(rawValue)) else { return nil }
    self.init(rawValue)
  }
}
