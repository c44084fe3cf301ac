// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Encoding B: a bitmap hangs off a page table once one of its pages may be shared; bit 1 says "not exclusive", no
/// bitmap says all entries are exclusive. KSM and zero pages are never exclusive whatever the bit says.
package enum PageTableBitmap: Encoding {
  package typealias State = TableBitmaps

  package static let id = EncodingID.b
  package static let description = EncodingDescription(
    "(B) a lazily allocated 64-byte bitmap per page table, under its lock",
    """
    Bit 1 means not exclusive; a page table without a bitmap maps only exclusive pages. fork allocates for parent and \
    child before it takes the page-table locks. One cache line per table instead of one per page and no atomics; in \
    return allocations, and call sites that have to write the bit whenever an entry becomes present.
    """, source: "approach (B)")
  package static let callSites = CallSiteSwitch.allCases.filter { $0.rawValue.hasPrefix("b.") }
  package static let keepsTableState = true
  package static let definition: [RuleID] = [.b1, .b2, .b3]
  package static let allocates = true
  /// One bit per entry of a 512-entry table.
  static let bitmapBytes: UInt64 = 64

  package static func rule(brokenBy verdict: Verdict) -> RuleID? {
    switch verdict {
    case .unsafe, .unsafeIO: .b1
    case .invariantBreak: .b3
    case .dataLoss, .conservativePin, .livelock, .conservativeCopy, .conservativeFault, .lost, .better, .ok: nil
    }
  }

  @inline(__always)
  package static func claim(_ world: World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim {
    switch entry.kind {
    case .present, .deviceExclusive:
      return world.folios.flags(entry.folio).contains(.ksm) ? .shared : bit(world, ref, entry)
    case .devicePrivate:
      // A writable entry says it by its type, whoever forgot the bit.
      if world.switches.contains(.bDevPriv) { return bit(world, ref, entry) }
      return entry.writable ? .exclusive : world.options.devicePrivateReadsAs ?? .exclusive
    case .swap: return Claim(entry.exclusiveMark)
    case .migrationReadExclusive, .migrationWrite: return .exclusive
    case .migrationRead, .none, .zeroPage, .filePage, .hwpoison, .markerUffdWP, .markerGuard, .markerPoison:
      return .shared
    }
  }

  package static func installedExclusive(_ world: inout World<Self>, _ ref: EntryRef, _ site: InstallSite) {
    // A collapse to PMD order is the deposit's business (`b.deposit.reset`), at both levels.
    let isDeposit = site == .collapse && world.memory.isHuge(ref)
    if world.switches.contains(.bInstallClear), !isDeposit { setBit(&world, ref, false) }
    forgetUnknown(&world, ref)
  }

  package static func prepareShared(
    _ world: inout World<Self>, _ ref: EntryRef, _ folio: FolioID, _ site: SharedSite
  ) -> SharedPreparation {
    switch site {
    case .swapIn, .swapOff:
      guard world.switches.contains(.bSwapinAlloc) else { return .ready }
      return ensureBitmap(&world, ref) ? .ready : .noMemory
    case .stableWrites:
      guard world.switches.contains(.bStable) else { return .ready }
      return ensureBitmap(&world, ref) ? .ready : .noMemory
    case .restore:
      // Under the PTL in reclaim or compaction: the bitmap is there already or never will be.
      return .ready
    }
  }

  package static func installedShared(_ world: inout World<Self>, _ ref: EntryRef, _ site: SharedSite) {
    let isDone: Bool =
      switch site {
      case .swapIn, .swapOff: world.switches.contains(.bSwapinAlloc)
      case .stableWrites: world.switches.contains(.bStable)
      case .restore: world.switches.contains(.bRestoreAlloc)
      }
    if isDone { setBit(&world, ref, true) }
    forgetUnknown(&world, ref)
  }

  package static func reused(_ world: inout World<Self>, _ ref: EntryRef, _ site: ReuseSite) {
    if world.switches.contains(.bReuseClear) { setBit(&world, ref, false) }
    forgetUnknown(&world, ref)
  }

  package static func prepareFork(
    _ world: inout World<Self>, parent: EntryRef, child: EntryRef, entry: Entry
  ) -> Bool {
    if entry.kind.isMigration {
      guard world.switches.contains(.bForkNonpresent) else { return true }
    } else if entry.kind == .devicePrivate {
      guard world.switches.contains(.bDevPriv), world.switches.contains(.bForkAlloc) else { return true }
    } else {
      guard world.switches.contains(.bForkAlloc) else { return true }
    }
    return ensureBitmap(&world, parent) && ensureBitmap(&world, child)
  }

  package static func sharedAtFork(_ world: inout World<Self>, parent: EntryRef, child: EntryRef) {
    forgetUnknown(&world, parent)
    // A migration entry has no bit to carry: its restore writes it.
    if world.tables.entry(parent).kind.isMigration { return }
    if world.tables.entry(parent).kind == .devicePrivate {
      guard world.switches.contains(.bDevPriv) else { return }
      setBit(&world, parent, true)
      setBit(&world, child, true)
      return
    }
    if world.switches.contains(.bForkSetParent) { setBit(&world, parent, true) }
    if world.switches.contains(.bForkSetChild) { setBit(&world, child, true) }
    if world.options.fillsDepositAtFork {
      fillDeposit(&world, parent)
      fillDeposit(&world, child)
    }
  }

  package static func prepareKSM(_ world: inout World<Self>, _ ref: EntryRef) -> Bool {
    world.switches.contains(.bKSM) ? ensureBitmap(&world, ref) : true
  }

  package static func fastClaim(_ world: World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim {
    world.unpublished.contains(ref) ? .exclusive : claim(world, ref, entry)
  }

  package static func preparedTableGone(_ world: inout World<Self>) {
    switch world.options.ksmAfterReclaim {
    case .findsTableAgain: break
    case .keepsTable: world.incidents.insert(.useAfterFree)
    case .forgetsBitmap: world.incidents.insert(.leak)
    }
  }

  package static func sharedByKSM(_ world: inout World<Self>, _ ref: EntryRef) {
    if world.switches.contains(.bKSM) { setBit(&world, ref, true) }
    // Not ordered before the entry: a reader without a lock sees the entry back and the bit as it was.
    if !world.switches.contains(.bGUPFast) { world.unpublished.append(ref) }
    forgetUnknown(&world, ref)
  }

  /// A bit 1 needs a bitmap at the destination; so does an R migration entry, whose restore cannot allocate.
  package static func prepareMove(
    _ world: inout World<Self>, from: EntryRef, to: EntryRef, _ entry: Entry
  ) -> Bool {
    guard moveIsDone(world, to) else { return true }
    let mayBeShared: Bool =
      switch entry.kind {
      case .present, .devicePrivate, .deviceExclusive: claim(world, from, entry) != .exclusive
      case .migrationRead: true
      case .migrationReadExclusive, .migrationWrite, .swap, .none, .zeroPage, .filePage, .hwpoison, .markerUffdWP,
        .markerGuard, .markerPoison:
        false
      }
    return mayBeShared ? ensureBitmap(&world, to) : true
  }

  package static func moved(_ world: inout World<Self>, from: EntryRef, to: EntryRef, wasExclusive: Bool) {
    // An entry that is not present has no bit, unless it is a device's: whoever makes it present writes one.
    // The PMD-level bit stays behind in the bitmap of the old address; at the new one the slot reads 0.
    if from == to { world.own.setSlotBit(to.table, false) }
    guard moveIsDone(world, to), hasOwnBit(world, world.tables.entry(to).kind) else { return }
    if !wasExclusive || world.switches.contains(.bMoveZero) { setBit(&world, to, !wasExclusive) }
  }

  private static func hasOwnBit(_ world: World<Self>, _ kind: EntryKind) -> Bool {
    switch kind {
    case .present, .deviceExclusive: true
    case .devicePrivate: world.switches.contains(.bDevPriv)
    case .none, .zeroPage, .filePage, .swap, .migrationRead, .migrationReadExclusive, .migrationWrite, .hwpoison,
      .markerUffdWP, .markerGuard, .markerPoison:
      false
    }
  }

  @inline(__always)
  private static func moveIsDone(_ world: World<Self>, _ to: EntryRef) -> Bool {
    world.switches.contains(world.memory.isHuge(to) ? .bMovePMD : .bMove)
  }

  /// The withdrawn table must say of 512 entries what the PMD-level bit said of one. An R migration entry has no bit;
  /// its 512 restores will write theirs, and cannot allocate.
  package static func splitPMD(_ world: inout World<Self>, _ table: TableID, _ pmd: Entry) {
    let isShared = hasOwnBit(world, pmd.kind) && world.own.slotBit(table)
    guard isShared || pmd.kind == .migrationRead else { return }
    guard world.switches.contains(.bSplitFill), !world.options.fillsDepositAtFork else { return }
    // Reserved when the PMD became shared, so this cannot fail.
    if !world.own.hasBitmap(table) { addBitmap(&world, table) }
    guard isShared else { return }
    world.own.setAll(table, true)
    world.costs[.bitmapLines] += 1
  }

  /// B-27: the table at the head of the list, in the belief that it is the one deposited for this PMD.
  private static func fillDeposit(_ world: inout World<Self>, _ pmd: EntryRef) {
    guard world.memory.isHuge(pmd), let head = world.headOfDeposits(pmd.table) else { return }
    world.own.setHasBitmap(head, true)
    world.own.setAll(head, true)
  }

  /// Linked from the table's ptdesc the bitmap travels for free; linked by address it is lost.
  package static func tableMoved(
    _ world: inout World<Self>, _ table: TableID, from base: UInt64, onto left: TableID?
  ) {
    world.own.setSlotBit(table, left.map { world.own.slotBit($0) } ?? false)
    guard !world.switches.contains(.bMoveTable), world.own.hasBitmap(table) else { return }
    let behind = world.tables.allocate(mm: world.tables[table].mm, base: base)
    world.own.reset(behind)
    world.mms[Int(world.tables[table].mm)]?.insert(table: behind, base: base)
    world.own.move(table, to: behind)
  }

  package static func deposited(_ world: inout World<Self>, _ table: TableID) {
    guard world.switches.contains(.bDepositReset) else { return }
    dropBitmap(&world, table)
    world.own.setSlotBit(table, false)
  }

  package static func tableAllocated(_ world: inout World<Self>, _ table: TableID) { world.own.reset(table) }

  package static func keepsSlot(_ world: World<Self>, _ table: TableID) -> Bool { world.own.slotBit(table) }

  package static func tablesExchanged(_ world: inout World<Self>, _ a: TableID, _ b: TableID) {
    world.own.exchange(a, b)
  }

  package static func hasTableState(_ world: World<Self>, _ table: TableID) -> Bool { world.own.hasBitmap(table) }

  package static func hasStrayState(_ world: World<Self>, _ ref: EntryRef) -> Bool {
    !world.memory.isHuge(ref) && world.own.bit(ref) && !world.own.hasBitmap(ref.table)
  }

  package static func exited(_ world: inout World<Self>, _ mm: MMID) { world.own.forget(mm) }

  /// With the table, after the grace period that GUP-fast relies on. At once, a walker still reads it.
  package static func tableFreed(_ world: inout World<Self>, _ table: TableID) {
    dropBitmap(&world, table)
    guard !world.switches.contains(.bFree) else { return }
    for index in world.fastPins.indices where world.fastPins[index].table == table {
      world.fastPins[index].tableStateWasFreed = world.fastPins[index].hasTableState
    }
  }

  package static func devicePrivateReadOnly(_ world: inout World<Self>, _ ref: EntryRef, exclusive: Bool) {
    guard !exclusive, world.switches.contains(.bDevPriv) else { return }
    setBit(&world, ref, true)
  }

  package static func unpinCheck(_ world: World<Self>, _ folio: FolioID, page: Int) -> UnpinCheck { .isGivenUp }

  // — the bitmap

  @inline(__always)
  private static func bit(_ world: World<Self>, _ ref: EntryRef, _ entry: Entry) -> Claim {
    if world.folios.flags(entry.folio).contains(.exclusiveUnknown) { return .unknown }
    return Claim(!(world.memory.isHuge(ref) ? world.own.slotBit(ref.table) : world.own.bit(ref)))
  }

  /// The bit was written: what was not seen of an attached process is known from here on.
  private static func forgetUnknown(_ world: inout World<Self>, _ ref: EntryRef) {
    let entry = world.tables.entry(ref)
    guard entry.kind.refersToFolio else { return }
    world.folios.remove(.exclusiveUnknown, entry.folio)
  }

  @inline(__always)
  private static func hasBitmap(_ world: World<Self>, _ ref: EntryRef) -> Bool {
    let table = world.tables[ref.table]
    guard table.isHuge else { return world.own.hasBitmap(ref.table) }
    return world.own.hasBitmap(ofPMD: table.base &>> 9, world.memory.owner(ref).mm)
  }

  private static func setBit(_ world: inout World<Self>, _ ref: EntryRef, _ value: Bool) {
    guard hasBitmap(world, ref) else { return }
    if world.memory.isHuge(ref) { world.own.setSlotBit(ref.table, value) } else { world.own.setBit(ref, value) }
    world.costs[.bitmapLines] += 1
    if let sibling = sibling(world, ref) { world.own.setBit(sibling, value) }
  }

  /// Two tables in one page and no offset into the bitmap (`b.multi` off): both slots read the same bit.
  @inline(__always)
  private static func sibling(_ world: World<Self>, _ ref: EntryRef) -> EntryRef? {
    guard world.options.hasTwoTablesPerPage, !world.switches.contains(.bMulti), !world.memory.isHuge(ref) else {
      return nil
    }
    let table = world.tables[ref.table]
    guard let other = world.mms[Int(table.mm)]?.peekTable(base: table.base ^ 1), !world.tables[other].isHuge else {
      return nil
    }
    return EntryRef(table: other, slot: ref.slot)
  }

  private static func ensureBitmap(_ world: inout World<Self>, _ ref: EntryRef) -> Bool {
    if hasBitmap(world, ref) { return true }
    if let budget = world.options.bitmapAllocationBudget {
      guard budget > 0 else {
        world.costs[.bitmapAllocationFailures] += 1
        return false
      }
      world.options.bitmapAllocationBudget = budget - 1
    }
    addBitmap(&world, ref.table)
    return true
  }

  private static func addBitmap(_ world: inout World<Self>, _ table: TableID) {
    let state = world.tables[table]
    if state.isHuge {
      world.own.addBitmap(ofPMD: state.base &>> 9, world.memory.owner(EntryRef(table: table, slot: 0)).mm)
    } else {
      world.own.setHasBitmap(table, true)
      if let sibling = sibling(world, EntryRef(table: table, slot: 0)) {
        world.own.setHasBitmap(sibling.table, true)
      }
    }
    world.costs[.bitmapAllocations] += 1
    world.costs[.bitmapBytesNow] += bitmapBytes
    world.costs[.bitmapBytesPeak] = max(world.costs[.bitmapBytesPeak], world.costs[.bitmapBytesNow])
  }

  private static func dropBitmap(_ world: inout World<Self>, _ table: TableID) {
    guard world.own.hasBitmap(table) else { return }
    world.own.setHasBitmap(table, false)
    world.own.setAll(table, false)
    world.costs[.bitmapBytesNow] -= bitmapBytes
  }
}
