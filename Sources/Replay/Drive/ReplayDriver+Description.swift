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
    let entry = lockstep.baseline.memory.entry(mm, page)
    return PageStanding(
      today: lockstep.baseline.standing(mm, page), encoding: encoding.flatMap { lockstep.standing(mm, page, in: $0) },
      mappings: entry.refersToFolio ? lockstep.baseline.mappings(ofFolioAt: entry) : 0)
  }

  /// Who maps the page that is there, in today's world; nobody where no page is.
  package func mappers(_ mm: MMID, _ page: VirtualPage) -> [(mm: MMID, page: VirtualPage)] {
    guard let (folio, index) = lockstep.baseline.memory.mappedPage(mm, page) else { return [] }
    // A PMD maps all pages of its folio by the first.
    let byPMD = lockstep.baseline.memory.mappers(of: folio).filter {
      lockstep.baseline.memory.isPMDMapped($0.mm, $0.page)
    }
    let shift = { (mapper: (mm: MMID, page: VirtualPage)) in (mm: mapper.mm, page: mapper.page.advanced(by: index)) }
    let byPTE = lockstep.baseline.memory.mappers(of: folio, page: index).filter {
      !lockstep.baseline.memory.isPMDMapped($0.mm, $0.page)
    }
    return byPMD.map(shift) + byPTE
  }

  /// Who maps the page in a frame.
  package func mappers(of frame: PFN) -> [(mm: MMID, page: VirtualPage)] {
    guard let place = lockstep.baseline.memory.mappersOfFolio(at: frame).first else {
      return lockstep.baseline.memory.mappers(of: frame)
    }
    guard lockstep.baseline.memory.isPMDMapped(place.mm, place.page),
      let folio = lockstep.baseline.memory.folio(at: frame),
      let head = lockstep.baseline.memory.pfn(of: folio)
    else { return lockstep.baseline.memory.mappers(of: frame) }
    return mappers(place.mm, place.page.advanced(by: Int(frame.rawValue &- head.rawValue)))
  }

  /// The frame that today's entry there maps, where it is known.
  package func frame(_ mm: MMID, _ page: VirtualPage) -> PFN? { lockstep.baseline.memory.mappedFrame(mm, page) }

  /// What the model has there may not be so.
  package func isInDoubt(_ mm: MMID, _ page: VirtualPage) -> Bool { lockstep.doubts.cause(mm, page) != nil }

  /// The divergence was found.
  package func hasFound(_ divergence: Divergence) -> Bool {
    lockstep.findings.contains { log, _ in
      log.encoding == divergence.encoding
        && log.signatures.contains {
          ($0.verdict, $0.certainty) == (divergence.verdict, divergence.certainty)
            && ($0.transition, $0.order) == (divergence.transition, divergence.order)
        }
    }
  }

  /// One more audit, of the rest of the capture.
  package mutating func add(_ audit: any Audit) { audits.add(audit) }

  /// What has become of one that was added.
  package func audit<A: Audit>(_ type: A.Type) -> A? { audits.first(type) }

  /// What the encoding's entry there was last judged; `nil` where it is not replayed.
  package func verdict(_ mm: MMID, _ page: VirtualPage, in encoding: EncodingID) -> Verdict? {
    lockstep.verdict(mm, page, in: encoding)
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

  fileprivate func verdict(_ mm: MMID, _ page: VirtualPage, in encoding: EncodingID) -> Verdict? {
    switch encoding {
    case .baseline: nil
    case .aAndLazy: aAndLazy?.verdict(mm, page)
    case .aAndEager: aAndEager?.verdict(mm, page)
    case .aOr: aOr?.verdict(mm, page)
    case .cRaw: cRaw == nil ? nil : baseline.memory.entry(mm, page).verdict
    default: openLane(encoding)?.verdict(mm, page)
    }
  }
}

extension World {
  fileprivate func mappings(ofFolioAt entry: Entry) -> Int { Int(folios.attached(entry.folio)) }
}
