// SPDX-License-Identifier: GPL-2.0-only

/// Encoding C: the entry itself says it. Writable: exclusive. Read-only and dirty: exclusive. Read-only and clean:
/// possibly shared. Data-dirty is the folio's flag, or writable and dirty (C3).
///
/// This is the proposal done fully (C-strict); with switches off, the same with call sites forgotten. C-raw needs
/// no world: it is `rawClaim` on the entries of the unmodified kernel.
package enum PTEBits: Encoding {
  package static let id = EncodingID.cStrict
  package static let description = EncodingDescription(
    "(C) in the PTE bits, with every call site changed",
    """
    On every transition from writable to read-only the dirty bit moves to the folio first and is then rewritten as \
    pure exclusivity; back to writable it is set iff the folio is dirty. On a read-only entry dirty never means dirty \
    data. No flag, no bitmap, no atomics; extra folio_mark_dirty calls and, where a reader takes the bit for \
    data-dirty, extra writeback.
    """, source: "approach (C)")
  package static let callSites = CallSiteSwitch.allCases.filter { $0.rawValue.hasPrefix("c.") }
  package static let audit: EncodingAudit? = EncodingAudit(
    id: .cRaw,
    description: EncodingDescription(
      "(C) read off the PTE bits that today's kernel produces",
      """
      Writable means exclusive; read-only and dirty means exclusive; read-only and clean means not. Applied to the \
      PTEs as they are, without changing the kernel: every point where it differs from today's bit is a call site \
      that a patch has to touch. An audit, not a proposal.
      """, source: "approach (C)"), definition: [.c1, .c2])
  package static let definition: [RuleID] = [.c1, .c2, .c3]

  package static func rule(brokenBy verdict: Verdict) -> RuleID? {
    switch verdict {
    case .unsafe, .unsafeIO: .c1
    case .conservativeCopy, .conservativeFault, .lost: .c2
    case .dataLoss: .c3
    case .conservativePin, .livelock, .invariantBreak, .better, .ok: nil
    }
  }

  /// A writable entry is an exclusive one; a dirty one need not be dirty data.
  package static func canHold(_ verdict: Verdict) -> Bool { verdict != .invariantBreak }

  @inline(__always)
  package static func claim(_ world: World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim {
    switch entry.kind {
    case .present:
      let isKSM = world.folios.flags(entry.folio).contains(.ksm)
      return isKSM && world.switches.contains(.cZero) ? .shared : bits(world, entry)
    case .zeroPage: return world.switches.contains(.cZero) ? .shared : bits(entry)
    case .devicePrivate:
      if !world.switches.contains(.cDevPriv), let reading = world.options.devicePrivateReadsAs {
        return entry.writable ? .exclusive : reading
      }
      return Claim(entry.writable || entry.exclusiveMark)
    case .deviceExclusive, .migrationReadExclusive, .migrationWrite: return .exclusive
    case .swap: return Claim(entry.exclusiveMark)
    case .migrationRead, .none, .filePage, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison: return .shared
    }
  }

  /// C-raw: W or D of a normal anonymous page, whoever wrote those bits.
  @inline(__always)
  package static func rawClaim(_ world: World<Baseline>, _ entry: Entry) -> Claim {
    switch entry.kind {
    case .present: world.folios.flags(entry.folio).contains(.ksm) ? .shared : bits(entry)
    case .devicePrivate: Claim(entry.writable)
    case .deviceExclusive, .migrationReadExclusive, .migrationWrite: .exclusive
    case .swap: Claim(entry.exclusiveMark)
    case .migrationRead, .none, .zeroPage, .filePage, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison: .shared
    }
  }

  private static func bits(_ world: World<Self>, _ entry: Entry) -> Claim {
    // A C that does not know of hardware's Dirty takes it for its own mark.
    if entry.hardwareDirty, !world.switches.contains(.cHardwareDirty) { return .exclusive }
    return bits(entry)
  }

  private static func bits(_ entry: Entry) -> Claim {
    if entry.writable || entry.shadowStack { return .exclusive }
    if entry.writableUnknown { return entry.dirty && !entry.dirtyUnknown ? .exclusive : .unknown }
    return entry.dirtyUnknown ? .unknown : Claim(entry.dirty)
  }

  /// A read-only result needs the dirty bit to be claimed; data that came with it (r D) is the folio's business.
  package static func installedExclusive(_ world: inout World<Self>, _ ref: EntryRef, _ site: InstallSite) {
    var entry = world.tables.entry(ref)
    guard !entry.writable, entry.kind == .present else { return }
    if entry.dirty, !mayHoldClaim(site) { moveDirtyToFolio(&world, entry) }
    let isDone: Bool =
      switch site {
      case .forcedFault, .deviceInsert, .collapse: world.switches.contains(.cForce)
      case .unshareCopy: world.switches.contains(.cUnshare)
      case .swapIn, .swapOff: world.switches.contains(.cSwapin)
      case .hugetlbReadFault: world.switches.contains(.cHugetlb)
      case .deviceExclusiveRestore: world.switches.contains(.cDevExcl)
      // The migration entry's type decides (`restoredDirty`).
      case .restore: false
      case .anonymousFault, .fileCopy, .writeCopy, .forkCopy, .userfaultCopy, .userfaultMove: true
      }
    if isDone {
      entry.dirty = true
      entry.dirtyUnknown = false
      world.update(entry, at: ref)
    }
  }

  /// A restored entry's dirty bit is a claim already, not data.
  private static func mayHoldClaim(_ site: InstallSite) -> Bool { site == .restore }

  package static func reused(_ world: inout World<Self>, _ ref: EntryRef, _ site: ReuseSite) {
    switch site {
    case .write: break
    case .unshare:
      let isHugetlb = world.folios.flags(world.tables.entry(ref).folio).contains(.hugetlb)
      guard world.switches.contains(isHugetlb ? .cHugetlb : .cUnshare) else { return }
      var entry = world.tables.entry(ref)
      entry.dirty = true
      world.update(entry, at: ref)
    }
  }

  /// The bits of both entries were settled by `wrprotected(.fork)`.
  package static func sharedAtFork(_ world: inout World<Self>, parent: EntryRef, child: EntryRef) {
    for ref in [parent, child] {
      var entry = world.tables.entry(ref)
      if entry.kind.isMigration, world.switches.contains(.cForkMig), entry.dirty {
        entry.dirty = false
        world.update(entry, at: ref)
      }
    }
  }

  /// W goes: data-dirty moves to the folio, and the dirty bit becomes pure exclusivity.
  package static func wrprotected(
    _ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry, _ site: WrprotectSite
  ) -> Entry {
    if entry.writable || entry.hardwareDirty { moveDirtyToFolio(&world, entry) }
    var result = entry.withoutWrite
    switch site {
    case .fork:
      if world.switches.contains(.cFork) {
        // The kernel's own wrprotect of a shadow-stack entry leaves SavedDirty behind.
        result.dirty = entry.shadowStack && !world.switches.contains(.cShadowStack)
        result.dirtyUnknown = false
      }
    case .ksm: result.dirty = false
    case .mprotect, .numa, .userfault, .softDirty:
      if entry.writable || entry.writableUnknown, world.switches.contains(rewriteSwitch(site)) {
        result.dirty = entry.writable || entry.dirty
        result.dirtyUnknown = entry.writableUnknown && !entry.dirty
      }
    }
    return result
  }

  private static func rewriteSwitch(_ site: WrprotectSite) -> CallSiteSwitch {
    switch site {
    case .fork, .ksm: .cFork
    case .mprotect: .cMprotect
    case .numa: .cNUMA
    case .userfault: .cUffd
    case .softDirty: .cSoftDirty
    }
  }

  /// The dirty bit meant exclusive; from here on it means data again: set iff the folio is dirty.
  package static func madeWritable(_ world: inout World<Self>, _ ref: EntryRef, _ entry: Entry) -> Entry {
    var result = entry.withWrite
    result.dirty = world.folios.flags(entry.folio).contains(.dirty)
    result.dirtyUnknown = false
    return result
  }

  @inline(__always)
  package static func isDataDirty(_ world: World<Self>, _ entry: Entry) -> Bool {
    if entry.hardwareDirty && world.switches.contains(.cHardwareDirty) { return true }
    guard world.switches.contains(.cDirtyRead) else { return entry.dirty }
    return entry.dirty && (entry.writable || entry.shadowStack)
  }

  @inline(__always)
  package static func restoredDirty(
    _ world: World<Self>, _ migration: Entry, folioIsDirty: Bool
  ) -> Bool {
    guard world.switches.contains(.cMig) else { return folioIsDirty && migration.dirty }
    switch migration.kind {
    case .migrationWrite: return folioIsDirty
    case .migrationReadExclusive: return true
    case .migrationRead, .none, .zeroPage, .present, .filePage, .swap, .devicePrivate, .deviceExclusive, .hwpoison,
      .markerUffdWP, .markerGuard, .markerPoison:
      return false
    }
  }

  /// Dirty bits of read-only entries must never be ORed together.
  @inline(__always)
  package static func mayBatch(_ world: World<Self>, _ first: Entry, _ next: Entry) -> Bool {
    guard world.switches.contains(.cBatch) else { return true }
    return first.writable || first.dirty == next.dirty
  }

  /// A folded block has one dirty bit for all.
  package static func mayFold(_ world: World<Self>, _ first: Entry, _ next: Entry) -> Bool {
    guard world.switches.contains(.cContPTE) else { return true }
    return first.writable || first.dirty == next.dirty
  }

  /// Writable through a stale translation may also be what is read-only and clean by now.
  package static func flushesBeforeIO(
    _ world: World<Self>, _ folio: FolioID, sawDirtyEntry: Bool
  ) -> Bool {
    sawDirtyEntry || (world.switches.contains(.cUBC) && world.folios.flags(folio).contains(.dirty))
  }

  @inline(__always)
  package static func freedLazily(_ world: World<Self>, _ entry: Entry) -> Entry {
    var result = entry.cleaned
    if !entry.writable, world.switches.contains(.cMadvFree) {
      result.dirty = entry.dirty
      result.dirtyUnknown = entry.dirtyUnknown
    }
    return result
  }

  /// Device-private entries have no dirty bit: C needs a read-exclusive type of them.
  package static func devicePrivateReadOnly(_ world: inout World<Self>, _ ref: EntryRef, exclusive: Bool) {
    var entry = world.tables.entry(ref)
    entry.exclusiveMark = exclusive && world.switches.contains(.cDevPriv)
    world.update(entry, at: ref)
  }

  package static func unpinCheck(_ world: World<Self>, _ folio: FolioID, page: Int) -> UnpinCheck { .isGivenUp }

  private static func moveDirtyToFolio(_ world: inout World<Self>, _ entry: Entry) {
    let isDirty = entry.dirty || (entry.hardwareDirty && world.switches.contains(.cHardwareDirty))
    guard isDirty || entry.dirtyUnknown, world.switches.contains(.cDirtyMove), entry.kind.refersToFolio else { return }
    let folio = entry.folio
    guard isDirty else {
      world.folios.insert(.dirtyUnknown, folio)
      return
    }
    guard !world.folios.flags(folio).contains(.dirty) else { return }
    world.memory.markDirty(folio)
    world.costs[.folioMarkDirty] += 1
  }
}
