// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Which physical frame a folio occupies: only the world that follows the kernel binds frames.
///
/// pfn -> folio is a table of 512-frame leaves made on demand, so that a host with much memory costs nothing where
/// nothing is traced.
struct FrameMap: Sendable {
  private var leaves = ContiguousArray<ContiguousArray<UInt32>>()
  private var leafOf = ContiguousArray<UInt32>()
  private var frameOfFolio = ContiguousArray<UInt64>()

  func folio(_ pfn: PFN) -> FolioID? {
    let high = Int(truncatingIfNeeded: pfn.rawValue &>> 9)
    guard high < leafOf.count, leafOf[high] != noIndex else { return nil }
    let folio = leaves[Int(leafOf[high])][Int(pfn.rawValue & 511)]
    return folio == noIndex ? nil : FolioID(folio)
  }

  func frame(_ folio: FolioID) -> PFN? {
    guard Int(folio.raw) < frameOfFolio.count, frameOfFolio[Int(folio.raw)] != .max else { return nil }
    return PFN(frameOfFolio[Int(folio.raw)])
  }

  /// `pfn` must be below 2^36 (a 48-bit physical address): a wild number must not allocate the moon.
  mutating func bind(_ pfn: PFN, pages: Int, to folio: FolioID) {
    while frameOfFolio.count <= Int(folio.raw) { frameOfFolio.append(.max) }
    frameOfFolio[Int(folio.raw)] = pfn.rawValue
    for page in 0..<pages { set(pfn.advanced(by: page), folio.raw) }
  }

  mutating func unbind(_ folio: FolioID, pages: Int) {
    guard let pfn = frame(folio) else { return }
    frameOfFolio[Int(folio.raw)] = .max
    for page in 0..<pages where self.folio(pfn.advanced(by: page)) == folio { set(pfn.advanced(by: page), noIndex) }
  }

  private mutating func set(_ pfn: PFN, _ folio: UInt32) {
    let high = Int(truncatingIfNeeded: pfn.rawValue &>> 9)
    precondition(high < 1 << 27, "pfn \(pfn.rawValue)")
    while leafOf.count <= high { leafOf.append(noIndex) }
    if leafOf[high] == noIndex {
      leafOf[high] = UInt32(leaves.count)
      leaves.append(ContiguousArray(repeating: noIndex, count: 512))
    }
    leaves[Int(leafOf[high])][Int(pfn.rawValue & 511)] = folio
  }
}
