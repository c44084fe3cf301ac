// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Which physical frame a folio occupies: only the world that follows the kernel binds frames.
///
/// pfn -> folio is made of 512-frame leaves on demand, so that a host with much memory costs nothing where nothing is
/// traced.
struct FrameMap: ~Copyable, Sendable {
  private var folios = LeafArray<UInt32>(blank: noIndex)
  private var leafCount: UInt32 = 0
  private var leafOf = ContiguousArray<UInt32>()
  private var frameOfFolio = LeafArray<UInt32>(blank: noIndex)
  /// Frames that do not fit in 32 bits: beyond 16 TiB.
  private var highFrames: [FolioID: PFN] = [:]

  @inline(__always)
  func folio(_ pfn: PFN) -> FolioID? {
    let high = Int(truncatingIfNeeded: pfn.rawValue &>> 9)
    guard high < leafOf.count, leafOf[high] != noIndex else { return nil }
    let folio = folios[Int(leafOf[high] &<< 9 | UInt32(truncatingIfNeeded: pfn.rawValue & 511))]
    return folio == noIndex ? nil : FolioID(folio)
  }

  @inline(__always)
  func frame(_ folio: FolioID) -> PFN? {
    guard Int(folio.raw) &>> 9 < frameOfFolio.leafCount, frameOfFolio[Int(folio.raw)] != noIndex else {
      return highFrames.isEmpty ? nil : highFrames[folio]
    }
    return PFN(UInt64(frameOfFolio[Int(folio.raw)]))
  }

  /// `pfn` must be below 2^36 (a 48-bit physical address): a wild number must not allocate the moon.
  mutating func bind(_ pfn: PFN, pages: Int, to folio: FolioID) {
    setFrame(pfn, of: folio)
    for page in 0..<pages { set(pfn.advanced(by: page), folio.raw) }
  }

  mutating func unbind(_ folio: FolioID, pages: Int) {
    guard let pfn = frame(folio) else { return }
    frameOfFolio[Int(folio.raw)] = noIndex
    if !highFrames.isEmpty { highFrames[folio] = nil }
    for page in 0..<pages where self.folio(pfn.advanced(by: page)) == folio { set(pfn.advanced(by: page), noIndex) }
  }

  private mutating func setFrame(_ pfn: PFN, of folio: FolioID) {
    frameOfFolio.grow(toInclude: Int(folio.raw))
    let isLow = pfn.rawValue < UInt64(noIndex)
    frameOfFolio[Int(folio.raw)] = isLow ? UInt32(pfn.rawValue) : noIndex
    if !isLow { highFrames[folio] = pfn } else if !highFrames.isEmpty { highFrames[folio] = nil }
  }

  private mutating func set(_ pfn: PFN, _ folio: UInt32) {
    let high = Int(truncatingIfNeeded: pfn.rawValue &>> 9)
    precondition(high < 1 << 27, "pfn \(pfn.rawValue)")
    while leafOf.count <= high { leafOf.append(noIndex) }
    if leafOf[high] == noIndex {
      leafOf[high] = leafCount
      leafCount += 1
      folios.grow(toInclude: Int(leafOf[high]) &<< 9)
    }
    folios[Int(leafOf[high] &<< 9 | UInt32(truncatingIfNeeded: pfn.rawValue & 511))] = folio
  }
}

extension FrameMap {
  borrowing func copy() -> FrameMap {
    var copy = FrameMap()
    copy.folios = folios.copy()
    copy.leafCount = leafCount
    copy.leafOf = leafOf
    copy.frameOfFolio = frameOfFolio.copy()
    copy.highFrames = highFrames
    return copy
  }
}
