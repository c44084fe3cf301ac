// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Claims of a story against the world as it is.
extension LitmusPlayer {
  typealias Mismatch = (subject: String, expected: String, got: String)

  /// `nil`: the claim holds. Folios are named on the way.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func mismatch(_ claim: LitmusClaim) -> Mismatch? {
    switch claim {
    case .fails: return nil
    case .gone(let process):
      return isGone(process) ? nil : (process.name, "gone", "alive")
    case .entry(let range, let entry):
      for page in range.pages {
        if let mismatch = mismatch(range, page, entry) { return mismatch }
        // One PMD entry speaks for the range.
        if case .present(let mapping, _, _) = entry, mapping.huge { break }
      }
      return nil
    case .folio(let fact): return mismatch(fact)
    case .content(let range, let content): return mismatch(range, content)
    case .table(let range, let present):
      guard let mm = mms[range.process] else { return (range.description, "a process", "none") }
      let isThere = find(mm, range.pages.lowerBound) != nil
      return isThere == present
        ? nil : ("table of \(range.description)", present ? "present" : "absent", isThere ? "present" : "absent")
    }
  }

  private mutating func mismatch(_ range: LitmusEntryRange, _ page: Int, _ expected: LitmusEntry) -> Mismatch? {
    let subject = "\(range.process.name)\(page)"
    guard let mm = mms[range.process], world.memory.isLive(mm) else {
      return (subject, Self.word(expected, offset: 0), "no such process")
    }
    let offset = page - range.pages.lowerBound
    if matches(mm, page, expected, offset: offset) { return nil }
    return (subject, Self.word(expected, offset: offset), describe(mm, page))
  }

  private mutating func matches(_ mm: MMID, _ page: Int, _ expected: LitmusEntry, offset: Int) -> Bool {
    let entry = entry(mm, page)
    switch expected {
    case .noVMA: return vmas[mm]?.vma(at: page) == nil && entry.kind == .none
    case .none: return vmas[mm]?.vma(at: page) != nil && entry.kind == .none
    case .file: return entry.kind == .filePage
    case .hwpoison: return entry.kind == .hwpoison
    case .marker(let marker): return entry.kind == marker.kind
    case .zeroPage(let bits): return entry.kind == .zeroPage && Self.agrees(entry, bits)
    case .swap(let exclusive, let bits):
      return entry.kind == .swap && isExclusive(mm, page) == exclusive && Self.agrees(entry, bits)
    case .migration(let type, let bits): return entry.kind == type.kind && Self.agrees(entry, bits)
    case .devicePrivate(let writable, let sign, let bits):
      return entry.kind == .devicePrivate && entry.writable == writable && isExclusive(mm, page) == sign.isSet
        && Self.agrees(entry, bits)
    case .deviceExclusive(let sign, let bits):
      return entry.kind == .deviceExclusive && isExclusive(mm, page) == sign.isSet && Self.agrees(entry, bits)
    case .present(let mapping, let bits, let sign):
      guard entry.kind == .present, Self.agrees(entry, bits), isExclusive(mm, page) == sign.isSet,
        world.memory.isPMDMapped(mm, VirtualPage(UInt64(page))) == mapping.huge
      else { return false }
      return names(mm, page, mapping, offset: offset)
    }
  }

  private mutating func names(_ mm: MMID, _ page: Int, _ mapping: LitmusMapping, offset: Int) -> Bool {
    guard let target = mapped(mm, page) else { return false }
    if mapping.ksm != world.folios.flags(target.folio).contains(.ksm) { return false }
    guard let name = mapping.folio else { return true }
    return target.page == mapping.page + offset && names.bind(name, to: target.folio) == nil
  }

  func isExclusive(_ mm: MMID, _ page: Int) -> Bool { world.claim(mm, VirtualPage(UInt64(page))).isExclusive }

  private static func agrees(_ entry: Entry, _ bits: LitmusBits) -> Bool {
    // x86 shadow stack memory is writable although Write is clear.
    if let writable = bits.writable, (entry.writable || entry.shadowStack) != writable { return false }
    if let dirty = bits.dirty, (entry.dirty || entry.hardwareDirty) != dirty { return false }
    if let softDirty = bits.softDirty, entry.softDirty != softDirty { return false }
    return entry.uffdWP == bits.userfaultWriteProtect && entry.protnone == bits.protnone
  }

  /// Names the folios of this world as the baseline's are named, where the same places hold the same pages.
  mutating func learnNames(_ expectation: LitmusExpectation) {
    for case .entry(let range, .present(let mapping, _, _)) in expectation.claims {
      guard let name = mapping.folio, let mm = mms[range.process], names.byName[name] == nil,
        let target = mapped(mm, range.pages.lowerBound), target.page == mapping.page,
        world.folios.flags(target.folio).contains(.ksm) == mapping.ksm, names.name(of: target.folio) == nil
      else { continue }
      _ = names.bind(name, to: target.folio)
    }
  }

  // — folios

  private func mismatch(_ claim: LitmusFolioFact) -> Mismatch? {
    guard let folio = names.byName[claim.folio] else {
      return (claim.folio, "a folio", names.dead.contains(claim.folio) ? "freed" : "never seen")
    }
    let flags = world.folios.flags(folio)
    func number(_ what: String, _ want: Int, _ got: Int) -> Mismatch? {
      want == got ? nil : (claim.folio, "\(what) \(want)", "\(what) \(got)")
    }
    func flag(_ what: String, _ want: Bool, _ got: Bool) -> Mismatch? {
      want == got ? nil : (claim.folio, want ? what : "not \(what)", got ? what : "not \(what)")
    }
    switch claim.fact {
    case .references(let want): return number("refs", want, references(folio))
    case .mapCount(let want): return number("mapcount", want, Int(world.memory.mapcount(folio)))
    case .pins(let want): return number("pins", want, Int(world.folios.side(folio)?.pins ?? 0))
    case .order(let want): return number("order", want, Int(world.folios.order(folio).rawValue))
    case .dirty(let want): return flag("dirty", want, flags.contains(.dirty))
    case .lazyFree(let want): return flag("lazyfree", want, !flags.contains(.swapBacked))
    case .swapCache(let want): return flag("in the swapcache", want, flags.contains(.swapCache))
    case .writeback(let want): return flag("under writeback", want, flags.contains(.writeback))
    case .ksm(let want): return flag("KSM", want, flags.contains(.ksm))
    case .pageAnonExclusive(let page, let want):
      return number("page \(page) PAE", want ? 1 : 0, world.memory.pageBit(folio, page).isExclusive ? 1 : 0)
    }
  }

  /// `folio_ref_count`: mappings, pins, swapcache (one per page), others.
  func references(_ folio: FolioID) -> Int {
    let side = world.folios.side(folio)
    let cached = world.folios.flags(folio).contains(.swapCache) ? world.folios.order(folio).pageCount : 0
    return Int(world.memory.mapcount(folio)) + Int(side?.pins ?? 0) + Int(side?.extraReferences ?? 0) + cached
  }

  // — contents

  private func mismatch(_ range: LitmusEntryRange, _ content: LitmusContent) -> Mismatch? {
    guard let mm = mms[range.process] else { return (range.description, "a process", "none") }
    for page in range.pages {
      let got = world.memory.content(mm, VirtualPage(UInt64(page)))
      let subject = "\(range.process.name)\(page)"
      switch content {
      case .stored:
        let want = stored[mm]?[page] ?? 0
        guard world.data(got) == world.data(want) else {
          return (subject, "what was stored (version \(want))", "version \(got)")
        }
      case .zeros:
        if world.data(got) != 0 { return (subject, "zeros", "version \(got)") }
      }
    }
    return nil
  }
}

extension LitmusExclusive {
  var isSet: Bool {
    switch self {
    case .exclusive: true
    case .notExclusive: false
    }
  }
}

extension LitmusMarker {
  var kind: EntryKind {
    switch self {
    case .userfaultWriteProtect: .markerUffdWP
    case .poisoned: .markerPoison
    case .guardPage: .markerGuard
    }
  }
}

extension LitmusMigration {
  var kind: EntryKind {
    switch self {
    case .write: .migrationWrite
    case .readExclusive: .migrationReadExclusive
    case .read: .migrationRead
    }
  }
}
