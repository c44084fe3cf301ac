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
  /// What reclaim did in the last operations; emptied by whoever judges.
  package var reclaimed: [ReclaimedPage] = []

  var memoryPlace = Memory.Place()
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

  /// What the encoding keeps beside memory. The last, so that all else lies at the same place in every world: what is
  /// compiled to the same code then is there once.
  var own = E.State()

  package init(facts: KernelFacts, switches: SwitchSet = .allOn, options: WorldOptions = WorldOptions()) {
    self.facts = facts
    self.switches = switches
    self.options = options
  }
}

extension World {
  package internal(set) var memory: Memory {
    @inline(__always) _read { yield memoryPlace.memory }
    @inline(__always) _modify { yield &memoryPlace.memory }
  }
  var tables: PageTables {
    @inline(__always) _read { yield memoryPlace.memory.tables }
    @inline(__always) _modify { yield &memoryPlace.memory.tables }
  }
  var folios: FolioPool {
    @inline(__always) _read { yield memoryPlace.memory.folios }
    @inline(__always) _modify { yield &memoryPlace.memory.folios }
  }
  var slots: SwapSlots {
    @inline(__always) _read { yield memoryPlace.memory.slots }
    @inline(__always) _modify { yield &memoryPlace.memory.slots }
  }
  var frames: FrameMap {
    @inline(__always) _read { yield memoryPlace.memory.frames }
    @inline(__always) _modify { yield &memoryPlace.memory.frames }
  }
  var pins: [PinRecord] {
    @inline(__always) _read { yield memoryPlace.memory.pins }
    @inline(__always) _modify { yield &memoryPlace.memory.pins }
  }
  var mms: ContiguousArray<MMState?> {
    @inline(__always) _read { yield memoryPlace.memory.mms }
    @inline(__always) _modify { yield &memoryPlace.memory.mms }
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
  /// Where the entry for a page is, with the page table made if need be, in the family of the table that fork copies. The
  /// mm must be live.
  mutating func ensure(_ id: MMID, _ page: VirtualPage, relative: TableID? = nil) -> EntryRef {
    let (table, isNew) = memory.ensureTable(id, base: page.rawValue &>> 9, relative: relative)
    if isNew {
      E.tableAllocated(&self, table)
    } else if tables[table].isHuge, tables[table].live == 0 {
      makeTable(table)
    }
    return memory.ref(table, page)
  }

  /// e for the entry of a page.
  package func claim(_ id: MMID, _ page: VirtualPage) -> Claim {
    guard let ref = memory.find(id, page) else { return .shared }
    return E.claim(self, ref, tables.entry(ref))
  }

  /// What the operation touched was looked at.
  mutating func forgetTouched() {
    touched.removeAll()
    descriptorLine = 0
    relooked.removeAll()
    if !memory.recarried.isEmpty { memory.recarried.removeAll(keepingCapacity: true) }
    if !reclaimed.isEmpty { reclaimed.removeAll(keepingCapacity: true) }
  }

  mutating func touch(_ ref: EntryRef, livelocked: Bool = false) {
    let (mm, page) = memory.owner(ref)
    touched.add(mm, page, livelocked: livelocked)
    flush(mm, page)
  }
}
