// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What one world has for a page, as histories show it.
package struct EntryStanding: Equatable, Sendable {
  package let kind: EntryKind
  /// `nil` is not known.
  package let isWritable: Bool?
  package let isDirty: Bool?
  /// The exclusive bit of a swap entry.
  let exclusiveMark: Bool
  package let claim: Claim

  init(_ entry: Entry, _ claim: Claim) {
    kind = entry.kind
    isWritable = entry.writableUnknown ? nil : entry.writable
    isDirty = entry.dirtyUnknown ? nil : entry.dirty
    exclusiveMark = entry.exclusiveMark
    self.claim = claim
  }

  private init() { self.init(.none, .shared) }

  /// Of a page that no page table has.
  package static let none = EntryStanding()

  package var isNone: Bool { kind == .none }
  package var isSwap: Bool { kind == .swap }

  /// `r D PAE-`, `swap entry`, `none`: of an encoding the claim stands alone, `r D -`. A `?` stands for a bit that is
  /// not known.
  package func text(claimedBy bit: String) -> String {
    switch kind {
    case .present:
      let write = isWritable.map { $0 ? "W" : "r" } ?? "W?"
      let dirty = isDirty.map { $0 ? "D" : "c" } ?? "D?"
      let sign =
        switch claim {
        case .exclusive: "+"
        case .shared: "-"
        case .unknown: "?"
        }
      return "\(write) \(dirty) \(bit)\(sign)"
    case .none: return "none"
    case .zeroPage: return "zero page"
    case .filePage: return "file page"
    case .swap: return exclusiveMark ? "swap entry, exclusive" : "swap entry"
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

extension World {
  func standing(_ mm: MMID, _ page: VirtualPage) -> EntryStanding {
    guard let ref = memory.find(mm, page) else { return .none }
    return standing(mm, page) { E.claim(self, ref, $0) }
  }

  /// With what somebody else makes of the entry.
  func standing(_ mm: MMID, _ page: VirtualPage, claim: (Entry) -> Claim) -> EntryStanding {
    guard let ref = memory.find(mm, page) else { return .none }
    let entry = memory.entry(ref)
    return EntryStanding(entry, claim(entry))
  }
}
