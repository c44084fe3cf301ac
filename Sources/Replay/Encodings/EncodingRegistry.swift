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
    Memdesc.self,
  ]

  /// Their names, an audit before the proposal it belongs to.
  static let ids: [EncodingID] = all.flatMap { encoding in
    (encoding.audit.map { [$0.id] } ?? []) + [encoding.id]
  }

  /// Those that have to stand every random story.
  static let sound = all.filter { $0.isSound && $0.role == .proposal }

  package static func encoding(_ id: EncodingID) -> (any Encoding.Type)? { all.first { $0.id == id } }

  /// The encoding whose entries an audit reads, too.
  fileprivate static func owner(_ id: EncodingID) -> (any Encoding.Type)? {
    all.first { $0.id == id || $0.audit?.id == id }
  }
}

/// What is asked by name. Of one that the registry does not have, what goes without saying.
extension EncodingID {
  package var role: EncodingRole {
    guard let owner = EncodingRegistry.owner(self) else { return .proposal }
    return owner.id == self ? owner.role : .audit
  }

  /// The rules that are about encodings of its kind alone.
  var definition: [RuleID] {
    guard let owner = EncodingRegistry.owner(self) else { return [] }
    return owner.id == self ? owner.definition : owner.audit?.definition ?? []
  }

  func rule(brokenBy verdict: Verdict) -> RuleID? { EncodingRegistry.owner(self)?.rule(brokenBy: verdict) }
  func canHold(_ verdict: Verdict) -> Bool { EncodingRegistry.owner(self)?.canHold(verdict) ?? (verdict != .dataLoss) }
  var allocates: Bool { EncodingRegistry.encoding(self)?.allocates ?? false }
}

extension EncodingID: CaseIterable {
  package static var allCases: [EncodingID] { EncodingRegistry.ids }

  /// Those of a replay for which none is named.
  package static let standard = EncodingRegistry.ids.filter { $0.role != .variant }

  /// `nil` where the registry has no such encoding.
  package init?(rawValue: String) {
    guard EncodingRegistry.ids.contains(EncodingID(rawValue)) else { return nil }
    self.init(rawValue)
  }
}
