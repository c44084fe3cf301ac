// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// One complete model of memory: page tables, folios, swap slots, pins and mm flags, with exclusivity stored and
/// decided by encoding `E`.
///
/// Operations are the extensions in `Transitions/`, one file per kernel path. Each takes the facts of the VMA from
/// the caller, decides with `E`, changes the world, and leaves in `touched` every entry whose claim, bits or truth
/// may have changed. A world knows nothing of events, traces or other encodings; `Lockstep` runs several.
///
/// Order of use for a trace:
/// 1. `createMM`, then faults (`readFault`, `anonymousFault`, `writeFault`, `filePageCopy`), layout (`zap`,
///    `protect`, `move`, `lazilyFree`), `forkBegin`/`forkCopy`/`forkEnd` or `forkAbort`, `exitBegin`/`exitEnd`.
/// 2. Before a write fault ask `predictWriteFault`; pass what the kernel was seen to do as `WriteHint`.
/// 3. PFNs: `bind`, `folio(at:)`, `pfn(of:)`, `pfnFreed`.
package struct World<E: Encoding>: Sendable {
  package let facts: KernelFacts
  package var switches: SwitchSet
  package var options: WorldOptions
  package var costs = CostTable()
  /// Entries the last operations changed or may have changed; emptied by whoever judges.
  package var touched = TouchedPages()
  /// Entries whose verdict may have changed although nothing happened to them; emptied by whoever judges.
  package var relooked = TouchedPages()

  /// Slots whose diverging entry gave way to another one that stands for the same page: what the new one loses is lost
  /// anew. Emptied by whoever judges.
  var recarried: [EntryRef] = []
  /// What reclaim did in the last operations; emptied by whoever judges.
  package var reclaimed: [ReclaimedPage] = []

  /// What the encoding keeps beside page state.
  var own = E.State()
  var pages = PageState.Place()
  var mms = ContiguousArray<MMState?>()
  var freeMMs = ContiguousArray<UInt32>()
  /// MMID -> slot in `mms`, `noIndex` once it is gone.
  var slotOfMM = ContiguousArray<UInt32>()
  /// Pins and plain references in force, with the entry they were taken through.
  var pins: [PinRecord] = []
  var references: [PinRecord] = []
  var ksmPending: [PendingMerge] = []
  var ksmPrepared: [PreparedTable] = []
  /// Encoding B: slots whose bit readers without a lock cannot see yet.
  var unpublished: [EntryRef] = []
  /// Read-only pins by GUP-fast between their first and their last look at the entry.
  var fastPins: [FastPin] = []
  /// Translations that CPUs still hold.
  var translations: [CPUTranslation] = []
  /// forks under way: their TLB flush comes at the end.
  var forksUnderWay = 0
  /// Of all mms; `nil` where nobody counts them: in the world of an encoding.
  var upperTables: AllUpperTables? = AllUpperTables()
  /// mms that are being torn down.
  var dyingCount = 0
  /// Reclaim is unmapping a folio: it flushes when it has to.
  var isReclaiming = false
  /// Where VMAs begin, for what walks over them by the reverse map and must stop there. Stories tell; a trace has no
  /// such walk.
  var vmaStarts: [MMID: Set<VirtualPage>] = [:]
  /// What went wrong beside any entry, until somebody asks.
  package var incidents: Incidents = []
  /// The cache line of page descriptors that this operation wrote last, by the encoding's own count; 0: none.
  var descriptorLine: UInt64 = 0
  /// Pages written to swap.
  var swapWrites: UInt64 = 0
  /// The version a store writes (oracle mode): one more with every operation, the same in every world.
  var storeVersion: UInt32 = 0
  /// Versions that hold the same data as an older one, or zeros (0): two stores of equal data (oracle mode).
  var equalData: [UInt32: UInt32] = [:]

  /// A world has hundreds of bytes: with an existential in it the compiler passes its address, and not a copy.
  private let passedByAddress: (any Sendable)? = nil

  package init(facts: KernelFacts, switches: SwitchSet = .allOn, options: WorldOptions = WorldOptions()) {
    self.facts = facts
    self.switches = switches
    self.options = options
  }
}

extension World {
  var tables: PageTables {
    @inline(__always) _read { yield pages.state.tables }
    @inline(__always) _modify { yield &pages.state.tables }
  }
  var folios: FolioPool {
    @inline(__always) _read { yield pages.state.folios }
    @inline(__always) _modify { yield &pages.state.folios }
  }
  var slots: SwapSlots {
    @inline(__always) _read { yield pages.state.slots }
    @inline(__always) _modify { yield &pages.state.slots }
  }
  var frames: FrameMap {
    @inline(__always) _read { yield pages.state.frames }
    @inline(__always) _modify { yield &pages.state.frames }
  }
}

/// Pages whose verdict has to be looked at again.
package struct TouchedPages: Sendable {
  package struct Run: Sendable, BitwiseCopyable, Equatable {
    package var mm: MMID
    package var range: PageRange
    /// An unshare fault came back and the page is still not claimed exclusive.
    package var isLivelocked: Bool
  }

  package private(set) var runs = ContiguousArray<Run>()

  package init() {}

  package mutating func add(_ mm: MMID, _ page: VirtualPage, livelocked: Bool = false) {
    // fork goes through two mms at once.
    var index = runs.count
    while index > 0, index > runs.count - 2 {
      index -= 1
      let run = runs[index]
      guard run.mm == mm, run.isLivelocked == livelocked else { continue }
      if run.range.contains(page) { return }
      if run.range.end == page {
        runs[index].range.end = page.advanced(by: 1)
        return
      }
    }
    runs.append(Run(mm: mm, range: PageRange(start: page, count: 1), isLivelocked: livelocked))
  }

  package mutating func add(_ mm: MMID, _ range: PageRange) {
    guard !range.isEmpty else { return }
    for index in runs.indices.suffix(2).reversed() {
      let run = runs[index]
      if run.mm == mm, !run.isLivelocked, run.range.end == range.start {
        runs[index].range.end = range.end
        return
      }
    }
    runs.append(Run(mm: mm, range: range, isLivelocked: false))
  }

  @inline(__always)
  package mutating func removeAll() { runs.empty() }
}

extension World {
  /// A new mm. Only one built by `exec`, or forked from a complete one, is fully known.
  package mutating func createMM(_ id: MMID, _ origin: MMOrigin) {
    let isComplete =
      switch origin {
      case .exec, .fork: true
      case .attached: false
      }
    let state = MMState(id: id, origin: origin, isComplete: isComplete)
    while slotOfMM.count <= Int(id.rawValue) { slotOfMM.append(noIndex) }
    precondition(slotOfMM[Int(id.rawValue)] == noIndex, "mm \(id.rawValue) created twice")
    if let free = freeMMs.popLast() {
      mms[Int(free)] = state
      slotOfMM[Int(id.rawValue)] = free
    } else {
      mms.append(state)
      slotOfMM[Int(id.rawValue)] = UInt32(mms.count - 1)
    }
  }

  package func isLive(_ id: MMID) -> Bool { slot(of: id) != nil }

  @inline(__always)
  func slot(of id: MMID) -> UInt32? {
    guard Int(id.rawValue) < slotOfMM.count else { return nil }
    let slot = slotOfMM[Int(id.rawValue)]
    return slot == noIndex ? nil : slot
  }

  /// Where the entry for a page is; `nil` without a page table (or mm). A PMD-mapped page gives the PMD entry.
  @inline(__always)
  package func find(_ id: MMID, _ page: VirtualPage) -> EntryRef? {
    guard let slot = slot(of: id), let table = mms[Int(slot)]?.peekTable(base: page.rawValue &>> 9) else {
      return nil
    }
    return EntryRef(table: table, slot: tables[table].isHuge ? 0 : Int(page.rawValue & 511))
  }

  /// The page table (or PMD slot) for a 2 MiB block.
  @inline(__always)
  func table(_ id: MMID, base: UInt64) -> TableID? {
    guard let slot = slot(of: id) else { return nil }
    return mms[Int(slot)]?.peekTable(base: base)
  }

  @inline(__always)
  func ref(_ table: TableID, _ page: VirtualPage) -> EntryRef {
    EntryRef(table: table, slot: tables[table].isHuge ? 0 : Int(page.rawValue & 511))
  }

  /// The same, with the page table made if need be, in the family of the table that fork copies. The mm must be live.
  mutating func ensure(_ id: MMID, _ page: VirtualPage, relative: TableID? = nil) -> EntryRef {
    guard let slot = slot(of: id) else { preconditionFailure("mm \(id.rawValue) is not live") }
    let base = page.rawValue &>> 9
    if let table = mms[Int(slot)]?.table(base: base) {
      if tables[table].isHuge, tables[table].live == 0 { makeTable(table) }
      return EntryRef(table: table, slot: tables[table].isHuge ? 0 : Int(page.rawValue & 511))
    }
    let table = tables.allocate(mm: slot, base: base, relative: relative)
    E.tableAllocated(&self, table)
    mms[Int(slot)]?.insert(table: table, base: base)
    upperTables?.insert(above: base, slot)
    return EntryRef(table: table, slot: Int(page.rawValue & 511))
  }

  /// The entry, `.none` when there is no table.
  package func entry(_ id: MMID, _ page: VirtualPage) -> Entry {
    find(id, page).map { tables.entry($0) } ?? .none
  }

  package func entry(_ ref: EntryRef) -> Entry { tables.entry(ref) }

  /// Whose entry it is.
  package func owner(_ ref: EntryRef) -> (mm: MMID, page: VirtualPage) {
    let table = tables[ref.table]
    guard let id = mms[Int(table.mm)]?.id else { preconditionFailure("page table without an mm") }
    let slot = table.isHuge ? 0 : ref.slot
    return (id, VirtualPage(table.base &<< 9 | UInt64(slot)))
  }

  /// e for the entry of a page.
  package func claim(_ id: MMID, _ page: VirtualPage) -> Claim {
    guard let ref = find(id, page) else { return .shared }
    return E.claim(self, ref, tables.entry(ref))
  }

  package func isPMDMapped(_ id: MMID, _ page: VirtualPage) -> Bool {
    find(id, page).map { tables[$0.table].isHuge } ?? false
  }

  /// What the operation touched was looked at.
  mutating func forgetTouched() {
    touched.removeAll()
    descriptorLine = 0
    relooked.removeAll()
    if !recarried.isEmpty { recarried.removeAll(keepingCapacity: true) }
    if !reclaimed.isEmpty { reclaimed.removeAll(keepingCapacity: true) }
  }

  mutating func touch(_ ref: EntryRef, livelocked: Bool = false) {
    let (mm, page) = owner(ref)
    touched.add(mm, page, livelocked: livelocked)
    flush(mm, page)
  }

  /// Entries of the range that are not none, in address order: `(page, entry)`. A PMD entry comes once.
  package func forEachEntry(_ id: MMID, _ range: PageRange, _ body: (VirtualPage, Entry) -> Void) {
    forEachRef(id, range) { ref in body(owner(ref).page, tables.entry(ref)) }
  }

  /// Entries of the range that are not none, in address order; a PMD entry comes once. A sparse table is left as soon
  /// as its last entry was seen.
  func forEachRef(_ id: MMID, _ range: PageRange, _ body: (EntryRef) -> Void) {
    guard let slot = slot(of: id), !range.isEmpty,
      let (bases, tableIDs, first) = mms[Int(slot)]?.places(from: range.start.rawValue &>> 9)
    else { return }
    var position = first
    while position < bases.count {
      let base = bases[position]
      let first = base &<< 9
      guard first < range.end.rawValue else { return }
      let table = tableIDs[position]
      var left = tables[table].live
      if tables[table].isHuge {
        if left > 0 { body(EntryRef(table: table, slot: 0)) }
      } else if left > 0 {
        var slot = first >= range.start.rawValue ? 0 : Int(range.start.rawValue &- first)
        let high = first &+ 512 <= range.end.rawValue ? 512 : Int(range.end.rawValue &- first)
        while slot < high, left > 0 {
          let ref = EntryRef(table: table, slot: slot)
          if !tables.entry(ref).isNone {
            left &-= 1
            body(ref)
          }
          slot += 1
        }
      }
      position += 1
    }
  }

  /// The page tables (and PMD slots) of the range, in address order, each with the part of it that the range covers.
  func tableParts(_ id: MMID, _ range: PageRange) -> [(table: TableID, part: PageRange)] {
    guard let slot = slot(of: id), !range.isEmpty,
      let (bases, tableIDs, first) = mms[Int(slot)]?.places(from: range.start.rawValue &>> 9)
    else { return [] }
    var found: [(table: TableID, part: PageRange)] = []
    for position in first..<bases.count {
      let block = PageRange(start: VirtualPage(bases[position] &<< 9), count: PageTables.entriesPerTable)
      guard block.start < range.end else { break }
      let part = PageRange(start: max(block.start, range.start), end: min(block.end, range.end))
      found.append((tableIDs[position], part))
    }
    return found
  }

  /// Refs of the range that are not none, collected so that the body may change the tables.
  func liveRefs(_ id: MMID, _ range: PageRange) -> [EntryRef] {
    var refs: [EntryRef] = []
    forEachRef(id, range) { refs.append($0) }
    return refs
  }

  /// Lowest page of the range with a none entry: where `MAP_POPULATE` or `mlock` puts its next page.
  package func nextMissing(_ id: MMID, in range: PageRange) -> VirtualPage? {
    var page = range.start
    while page < range.end {
      guard let ref = find(id, page) else { return page }
      if tables[ref.table].isHuge {
        if tables.entry(ref).kind == .none { return page }
        page = VirtualPage((page.rawValue &>> 9 &+ 1) &<< 9)
        continue
      }
      if tables.entry(ref).kind == .none { return page }
      page = page.advanced(by: 1)
    }
    return nil
  }

  /// Present anonymous pages (`MM_ANONPAGES`) and swap entries of a range, as `fork` counts them: none of hugetlb.
  package func countAnonymous(_ id: MMID, in range: PageRange) -> (present: Int, swap: Int) {
    var present = 0
    var swap = 0
    forEachRef(id, range) { ref in
      let entry = tables.entry(ref)
      if entry.refersToFolio {
        guard !folios.flags(entry.folio).contains(.hugetlb) else { return }
        present += tables[ref.table].isHuge ? 512 : 1
      } else if entry.kind == .swap {
        swap += 1
      }
    }
    return (present, swap)
  }

  /// Sizes for statistics.
  package var population: Population {
    Population(
      addressSpaces: mms.count - freeMMs.count, pageTables: tables.count, folios: folios.liveCount,
      swapSlots: slots.liveCount)
  }
}

package struct Population: Sendable, Equatable {
  package var addressSpaces: Int
  package var pageTables: Int
  package var folios: Int
  package var swapSlots: Int
}
