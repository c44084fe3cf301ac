// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

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
    // It is read off today's entries.
    case .cRaw: cRaw == nil ? nil : baseline.standing(mm, page) { PTEBits.rawClaim(baseline, $0) }
    default: openLane(encoding)?.standing(mm, page)
    }
  }
}

extension World {
  fileprivate func mappings(ofFolioAt entry: Entry) -> Int { Int(folios.attached(FolioID(entry.index))) }
}
