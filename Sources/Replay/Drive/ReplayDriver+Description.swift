// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// What one world has for a page, as histories show it.
package struct EntryStanding: Equatable, Sendable {
  let kind: EntryKind
  /// `nil` is not known.
  let isWritable: Bool?
  let isDirty: Bool?
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
  static let none = EntryStanding()

  package var isNone: Bool { kind == .none }

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

/// What today's kernel and an encoding have for a page after an event.
package struct PageStanding: Equatable, Sendable {
  package let today: EntryStanding
  /// `nil` where no encoding is looked at.
  package let encoding: EntryStanding?
  /// How many entries refer to the folio in today's world.
  package let mappings: Int
}

extension ReplayDriver {
  package func standing(_ mm: MMID, _ page: VirtualPage, in encoding: EncodingID?) -> PageStanding {
    let entry = lockstep.baseline.entry(mm, page)
    return PageStanding(
      today: lockstep.baseline.standing(mm, page), encoding: encoding.flatMap { lockstep.standing(mm, page, in: $0) },
      mappings: entry.refersToFolio ? lockstep.baseline.mappings(ofFolioAt: entry) : 0)
  }

  /// The encoding is replayed no further: nobody will ask.
  package mutating func leaveOut(_ encoding: EncodingID) { lockstep.leaveOut(encoding) }

  /// What today's kernel has for the page.
  package func describeEntry(_ mm: MMID, _ page: VirtualPage) -> String {
    lockstep.baseline.standing(mm, page).text(claimedBy: "PAE")
  }
}

extension Lockstep {
  /// `nil` where the encoding is not replayed.
  fileprivate func standing(_ mm: MMID, _ page: VirtualPage, in encoding: EncodingID) -> EntryStanding? {
    switch encoding {
    case .baseline: nil
    case .aAndLazy, .aAndEager, .aOr: folioFlagStanding(mm, page, in: encoding)
    case .b: b?.standing(mm, page)
    // It is read off today's entries.
    case .cRaw: cRaw == nil ? nil : baseline.standing(mm, page) { PTEBits.rawClaim(baseline, $0) }
    case .cStrict: cStrict?.standing(mm, page)
    default: others.first { $0.log.encoding == encoding }?.standing(mm, page)
    }
  }
}

extension World {
  func standing(_ mm: MMID, _ page: VirtualPage) -> EntryStanding {
    guard let ref = find(mm, page) else { return .none }
    let entry = entry(ref)
    return EntryStanding(entry, E.claim(self, ref, entry))
  }

  fileprivate func standing(_ mm: MMID, _ page: VirtualPage, claim: (Entry) -> Claim) -> EntryStanding {
    guard let ref = find(mm, page) else { return .none }
    let entry = entry(ref)
    return EntryStanding(entry, claim(entry))
  }

  fileprivate func mappings(ofFolioAt entry: Entry) -> Int { Int(folios.attached(FolioID(entry.index))) }
}
