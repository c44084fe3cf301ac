// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The flags of `mmap`.
struct MapFlags {
  private let bits: UInt64

  init(_ bits: UInt64) { self.bits = bits }

  /// It takes the place of what is there.
  var isFixed: Bool { bits & 0x10 != 0 }

  private var isAnonymous: Bool { bits & 0x20 != 0 }
  private var isHugetlb: Bool { bits & 0x40000 != 0 }

  /// `MAP_LOCKED`, or `MAP_POPULATE` without `MAP_NONBLOCK` (`do_mmap`).
  private var populates: Bool { bits & 0x2000 != 0 || bits & 0x18000 == 0x8000 }

  private var isShared: Bool {
    let type = bits & 0x0f
    return type == 0x01 || type == 0x03
  }

  /// The binary logarithm of the huge page's size (`MAP_HUGE_SHIFT`); 0 stands for the default, which a PMD maps.
  private func hugeShift(_ pageShift: UInt64) -> UInt64 {
    let shift = bits >> 26 & 0x3f
    return shift == 0 ? pageShift + 9 : shift
  }

  func backing(pageShift: UInt64) -> VMABacking {
    if isShared { return .shared }
    if isHugetlb { return hugeShift(pageShift) == pageShift + 9 ? .hugetlb : .gigantic }
    return isAnonymous ? .anonymous : .privateFile
  }

  /// The length that is mapped: `ksys_mmap_pgoff` rounds up to whole huge pages.
  func length(_ length: UInt64, pageShift: UInt64) -> UInt64 {
    guard isHugetlb else { return length }
    let inPage = (UInt64(1) << hugeShift(pageShift)) - 1
    return (length &+ inPage) & ~inPage
  }

  /// GUP fills it before the call comes back, and nothing shows that (`mm_populate`).
  var fillsUnseen: Bool { isHugetlb && populates && !isShared }
}
