// SPDX-License-Identifier: GPL-2.0-only

extension Memory {
  /// What the reuse of any page of a large folio depends on beyond the mappings of that page (`reuseCheck`).
  struct FolioStanding: Equatable {
    let obstacle: ReuseObstacle?
    let isMappedShared: Bool
  }

  /// `nil` where nothing diverges, or the folio is small and its one page is all there is to look at.
  func folioStanding(_ folio: FolioID) -> FolioStanding? {
    guard folios.flags(folio).isSuperset(of: [.diverged, .large]) else { return nil }
    return FolioStanding(
      obstacle: referenceObstacle(folio), isMappedShared: folios.look(at: folio) { $0.mmIDs.mappedShared } == true)
  }
}
