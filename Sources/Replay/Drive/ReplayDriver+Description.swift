// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

extension ReplayDriver {
  /// What today's kernel has for the page, as histories show it: `r D PAE-`, `swap`, `none`. A `?` stands for a bit
  /// that is not known.
  package func describeEntry(_ mm: MMID, _ page: VirtualPage) -> String {
    guard lockstep.baseline.isLive(mm) else { return "none" }
    let entry = lockstep.baseline.entry(mm, page)
    switch entry.kind {
    case .present:
      let write = entry.writableUnknown ? "W?" : entry.writable ? "W" : "r"
      let dirty = entry.dirtyUnknown ? "D?" : entry.dirty ? "D" : "c"
      let exclusive =
        switch lockstep.baseline.claim(mm, page) {
        case .exclusive: "PAE+"
        case .shared: "PAE-"
        case .unknown: "PAE?"
        }
      return "\(write) \(dirty) \(exclusive)"
    case .none: return "none"
    case .zeroPage: return "zero page"
    case .filePage: return "file page"
    case .swap: return entry.exclusiveMark ? "swap entry, exclusive" : "swap entry"
    case .migrationRead: return "migration entry, read"
    case .migrationReadExclusive: return "migration entry, read-exclusive"
    case .migrationWrite: return "migration entry, write"
    case .devicePrivate: return "device-private entry"
    case .deviceExclusive: return "device-exclusive entry"
    case .hwpoison: return "hwpoison entry"
    case .markerUffdWP, .markerGuard, .markerPoison: return "marker"
    }
  }
}
