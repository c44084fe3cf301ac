// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// VMAs that got an `anon_vma` from anonymous pages which are gone again: fork copies their page tables all the same
/// (`vma_needs_copy`). Those that have anonymous pages show it.
struct AnonymousVMAs {
  private var places: [MMID: VMAMap] = [:]

  mutating func insert(_ mm: MMID, _ vma: PageRange) { places[mm, default: VMAMap()].set(vma, .anonymous) }

  func contains(_ mm: MMID, anyOf range: PageRange) -> Bool {
    places[mm]?.pieces(of: range).contains { $0.facts != VMAMap.unknown } ?? false
  }

  mutating func remove(_ mm: MMID, _ range: PageRange) {
    // A copy only for what is there.
    if places[mm] != nil { places[mm]?.remove(range) }
  }

  /// The source has none afterwards, whether or not it stays (`MREMAP_DONTUNMAP` unlinks it).
  mutating func moved(_ mm: MMID, _ source: PageRange, by shift: UInt64) {
    guard let pieces = places[mm]?.pieces(of: source) else { return }
    places[mm]?.remove(source)
    for piece in pieces where piece.facts != VMAMap.unknown {
      insert(
        mm,
        PageRange(
          start: VirtualPage(piece.range.start.rawValue &+ shift), end: VirtualPage(piece.range.end.rawValue &+ shift)))
    }
  }

  mutating func forget(_ mm: MMID) { places[mm] = nil }
}
