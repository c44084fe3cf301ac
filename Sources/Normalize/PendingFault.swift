// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// A page fault between its entry and the next thing its task does.
///
/// `page_fault_user` marks the entry, not the commit. What follows from the same task decides: an allocation alone is
/// no commit (the loser of a race gives it back); a counter that moves, or a TLB flush after an allocation, is.
///
/// What is called on it, several times per record, is inlined or `mutating`: the compiler hands a borrowed `self` of this
/// size to a function as a copy.
struct PendingFault: ~Copyable {
  /// Its end has not come yet. Otherwise the rest says nothing.
  ///
  /// Asked for several times per record, which an `Optional` of this size makes a function call of.
  private(set) var isOpen: Bool
  let page: VirtualPage
  var access: FaultAccess
  private let sequence: Sequence
  private let time: Timestamp
  private let cpu: CPU
  private let task: TaskID
  /// The place kept for the event; moves to the first sign of a commit.
  var slot: DelayLine.Slot
  /// The place was given up for one still to come.
  var isHeld = false
  var settled: (sequence: Sequence, time: Timestamp)?
  /// It waited for mmap_lock and got it then: nothing of it happened before.
  var resumed: (sequence: Sequence, time: Timestamp)?

  private var folio: (pfn: PFN, order: FolioOrder, zeroed: Bool)?
  private var allocations = 0
  private var allocationTime: Timestamp?
  private var gaveBack = false
  private var flushes = 0
  /// The last sign was a flush; the one before the last anonymous counter was.
  private var lastWasFlush = false
  private var countedAfterFlush = false
  private var mayBeFlushed = false
  /// One page was flushed, and nothing had been allocated.
  private var flushedAlone = false
  private var splits = false
  /// The last move of the anonymous counter was none of the fault's.
  private var lastWasOfSplit = false
  private var anonymousMoves = 0
  private var filePages: Int64 = 0
  private var fileMoved = false
  private var swapMoved = false
  /// Taken after a page was swapped in: for the copy that a write makes of it.
  private var copy: PFN?
  private var copyGivenBack = false
  private var wasRefused = false
  /// The folio went from the batch to the LRU list before anything showed the commit: `set_pte_range` adds it to the
  /// batch, which may be full then, before it counts it.
  private var insertedFirst: PFN?
  /// A fault of the kernel on a user address that is not refused outright (`faulthandler_disabled`) takes mmap_lock.
  private var tookLock: Bool
  private var locks = 0
  /// The folio came under a lock that a fault which comes through at once does not take, the last that was taken.
  private var followsFurtherLock = false
  private let signs: FaultSigns
  private var isUncounted: Bool { !signs.counters }

  init(
    page: VirtualPage, access: FaultAccess, sequence: Sequence, time: Timestamp, cpu: CPU, task: TaskID,
    slot: DelayLine.Slot, signs: FaultSigns
  ) {
    isOpen = true
    self.page = page
    self.access = access
    self.sequence = sequence
    self.time = time
    self.cpu = cpu
    self.task = task
    self.slot = slot
    self.signs = signs
    tookLock =
      switch signs.locks {
      case .none: true
      case .kernelFaults: !access.contains(.kernel)
      case .allFaults: false
      }
  }

  /// GUP's on another task's memory: that mm is on no CPU, or on others, so that a flush shows seldom.
  init(
    remoteWriteTo page: VirtualPage, sequence: Sequence, time: Timestamp, cpu: CPU, task: TaskID
  ) {
    self.init(
      page: page, access: [.write, .present, .remote], sequence: sequence, time: time, cpu: cpu, task: task,
      slot: .none, signs: FaultSigns(locks: .kernelFaults, counters: true, flushes: false))
  }

  /// A task that is in no fault.
  static var none: PendingFault {
    var fault = PendingFault(
      page: VirtualPage(0), access: [], sequence: Sequence(0), time: Timestamp(nanoseconds: 0), cpu: CPU(0),
      task: TaskID(0), slot: .none, signs: FaultSigns(locks: .none, counters: false, flushes: false))
    fault.isOpen = false
    return fault
  }

  /// Nothing more is told of it.
  mutating func end() { isOpen = false }

  /// What the fault wanted, and how it went about it.
  @inline(__always)
  var seenAccess: FaultAccess {
    let needed =
      switch signs.locks {
      case .none: -1
      case .kernelFaults, .allFaults: ownLocks
      }
    guard locks > needed else { return access }
    return access.union(followsFurtherLock && folio != nil ? [.retried, .beforeGUP] : .retried)
  }

  /// How often mmap_lock is taken for a fault that comes through at once, where that is seen.
  @inline(__always)
  private var ownLocks: Int {
    switch signs.locks {
    case .none: 0
    case .kernelFaults: access.contains(.kernel) ? 1 : 0
    case .allFaults: 1
    }
  }

  /// mmap_lock was taken. `false` when the fault cannot have been it: `lock_mm_and_find_vma` takes it once for reading
  /// and once for writing to grow a stack, a retry (`FAULT_FLAG_TRIED`) comes once at most.
  mutating func locked() -> Bool {
    tookLock = true
    locks += 1
    followsFurtherLock = false
    return locks <= 3
  }

  mutating func allocated(_ pfn: PFN, _ order: FolioOrder, zeroed: Bool, at now: Timestamp) {
    // `do_cow_fault` takes the anonymous folio first; what follows is page cache for the file it copies from.
    if folio == nil {
      folio = (pfn, order, zeroed)
      allocationTime = now
      followsFurtherLock = locks > ownLocks
    }
    if swapMoved { copy = pfn }
    flushedAlone = false
    allocations += 1
    gaveBack = false
  }

  /// The anonymous page is counted, which comes last (but for the copy of a write after a swap-in), or the file's pages
  /// are (`set_pte_range`), or nothing is and the page is there: a further folio is not its own, nor a further lock.
  @inline(__always)
  var isOver: Bool {
    if fileMoved, filePages > 0 { return true }
    if commitsUnseen, !access.contains(.remote) { return true }
    guard anonymousMoved else { return false }
    return swapMoved ? !access.contains(.write) : folio != nil
  }

  /// A zeroed page is for a write alone: where nothing is, reading maps the zero page (`do_anonymous_page`), and page
  /// cache is not asked for zeroed. The folio is GUP's, for a call that is not traced.
  @inline(__always)
  func isForeign(zeroed: Bool, _ order: FolioOrder) -> Bool {
    zeroed && order == .base && !access.contains(.write)
  }

  /// It read, and what follows the allocation of its folio only a write does: the folio is GUP's and the fault over.
  @inline(__always)
  var wasGUPs: Bool {
    !isUncounted && folio?.order == .base && !access.contains(.write) && !swapMoved && (anonymousMoved || flushed)
  }

  /// The copy of a present page was flushed, which comes last (`wp_page_copy`): a further folio is not its own.
  @inline(__always)
  var hasReplaced: Bool {
    flushed && replacesSeen && !swapMoved && !anonymousMoved && !access.contains(.remote) && folio?.zeroed == false
      && folio?.order == .base
  }

  /// The folio of a fault that has replaced its page, where a further folio now comes under the same lock: GUP takes
  /// pages one after the other (`__get_user_pages`), a fault that tries again takes one. So that both are GUP's, and
  /// the fault found its page its own.
  mutating func giveUpFolioToGUP() -> PFN? { followsFurtherLock ? giveUpFolio() : nil }

  mutating func giveUpFolio() -> PFN? {
    guard let pfn = folio?.pfn else { return nil }
    folio = nil
    (flushes, anonymousMoves) = (0, 0)
    return pfn
  }

  mutating func freed(_ pfn: PFN) {
    guard isOpen else { return }
    if copy == pfn { copyGivenBack = true }
    guard folio?.pfn == pfn, !isCommitted else { return }
    folio = nil
    gaveBack = true
  }

  /// The folio reached the LRU list. `false` when it is not this fault's, or its commit was seen.
  mutating func insertedBeforeCommit(_ pfn: PFN) -> Bool {
    guard folio?.pfn == pfn, !isCommitted else { return false }
    insertedFirst = pfn
    return true
  }

  mutating func takeInserted() -> PFN? {
    defer { insertedFirst = nil }
    return insertedFirst
  }

  /// Nothing but the allocation will tell that the folio is mapped: it takes the place of nothing present, and no
  /// counter moves. The copy of a file page has to wait for the file first, and is given back when that takes long.
  @inline(__always)
  var commitsUnseen: Bool {
    if access.contains(.remote) { return folio != nil }
    guard isUncounted, let folio else { return false }
    return folio.order == .base && folio.zeroed && access.contains(.write) && !access.contains(.present)
  }

  /// What it came to is told by what its task does next alone.
  @inline(__always)
  var isOpenToTheEnd: Bool { isUncounted && settled == nil && folio != nil }

  @inline(__always)
  var hasFolio: Bool { folio != nil }

  /// Whether a flush now commits: it follows an allocation.
  @inline(__always)
  var awaitsFlush: Bool { folio != nil && !flushed }

  mutating func flush() {
    flushes += 1
    lastWasFlush = true
  }

  /// Whether a flush may be that of a page which one of hugetlb's pool replaces: the pool shows no allocation.
  @inline(__always)
  var mayReplaceFromPool: Bool { folio == nil && access.contains(.write) && !gaveBack && !isCommitted }

  mutating func flushAlone() { flushedAlone = true }

  /// Reclaim inside the fault splits a large folio. `false` when the last sign was no flush, which was for that then.
  mutating func splitSeen() -> Bool {
    splits = true
    guard lastWasFlush, flushes > 0 else { return false }
    lastWasFlush = false
    flushes -= 1
    return true
  }

  private var flushed: Bool { flushes > 0 }

  /// Another CPU had everything flushed here: a flush of the fault's own that was due finds nothing left to do
  /// (`flush_tlb_func`) and is not traced. It stands for that one, unless the folio is given back.
  mutating func flushedByAnother() { mayBeFlushed = true }

  /// Where counters come late, huge pages are yet counted at once (`add_mm_counter`).
  @inline(__always)
  func isCounted(_ member: RSSMember, _ pages: Int64?) -> Bool {
    guard let folio, folio.order != .base, case .anonymous = member else { return false }
    return pages == Int64(folio.order.pageCount)
  }

  mutating func moved(_ member: RSSMember, pages: Int64?) {
    let followsFlush = lastWasFlush
    lastWasFlush = false
    if member == .anonymous {
      countedAfterFlush = followsFlush
      lastWasOfSplit = splits && pages ?? 0 < 0
    }
    switch member {
    // A page of the split folio that held nothing but zeros (`try_to_map_unused_to_zeropage`).
    case .anonymous where lastWasOfSplit: break
    // Threads move the counter at once: the difference to what was shown last has no meaning by its sign.
    case .anonymous: anonymousMoves += 1
    case .file, .shmem:
      // Reclaim unmapped a file's page, flushed first; the copy of one counts first.
      if followsFlush, pages ?? 0 < 0, flushes > 0 {
        flushes -= 1
        return
      }
      fileMoved = true
      filePages += pages ?? 0
    case .swapEntries: swapMoved = true
    }
  }

  mutating func refused() { wasRefused = true }

  /// Nothing has shown that it is through, or what has may turn out to be reclaim's.
  var mayBeUnderWay: Bool { isOpen && (settled == nil || commitsUnseen || !(isOver || hasReplaced)) }

  private var anonymousMoved: Bool { anonymousMoves > 0 }

  /// Reclaim inside the fault took a page of this mm: it may flush it, counts one anonymous page less, then one swap
  /// entry more (`try_to_unmap_one`). Neither is a sign of the fault, and what is present is not swapped in. `false`
  /// when the counter tells a swap-in.
  mutating func swappedOut(_ change: Int64?) -> Bool {
    guard access.contains(.present) || change ?? 0 > 0 else { return false }
    if anonymousMoves > 0, !lastWasOfSplit { anonymousMoves -= 1 }
    // Where no other CPU runs the mm, each page is flushed by itself before it is counted (`should_defer_flush`).
    if countedAfterFlush, flushes > 0 { flushes -= 1 }
    countedAfterFlush = false
    flushedAlone = false
    return true
  }

  @inline(__always)
  var isCommitted: Bool { anonymousMoved || fileMoved || swapMoved || flushed || flushedAlone }

  /// `mutating`, though nothing changes: see above.
  mutating func event(_ mm: MMID) -> MMEventRecord {
    MMEventRecord(
      sequence: (settled ?? resumed)?.sequence ?? sequence, time: (settled ?? resumed)?.time ?? time, cpu: cpu,
      task: task, mm: mm, event: .fault(page, seenAccess, outcome))
  }

  /// What the evidence amounts to. docs/semantics.md, "What a trace shows", has the signs.
  @inline(__always)
  var outcome: FaultOutcome {
    if isUncounted, let folio { return uncountedOutcome(folio) }
    if anonymousMoved { return anonymousOutcome }
    // That of a fault on a page that is there is a later call's.
    if fileMoved, !access.contains(.present) { return .file(pages: UInt32(clamping: max(1, filePages))) }
    if let folio, flushed || mayBeFlushed || isUnflushedCopy {
      return folio.order == .base ? copied(folio.pfn) : huge(folio, replaced: true)
    }
    if flushedAlone { return pooled(nil, replaced: true) }
    if wasRefused { return .refused }
    if gaveBack { return .raced }
    guard let folio, !replacesSeen else { return withoutFolio }
    return huge(folio, replaced: false)
  }

  /// A huge page that no counter counts was allocated for hugetlb's pool, which was empty.
  @inline(__always)
  private func huge(_ folio: (pfn: PFN, order: FolioOrder, zeroed: Bool), replaced: Bool) -> FaultOutcome {
    folio.order == FolioOrder(9) ? pooled(folio.pfn, replaced: replaced) : .unexplained
  }

  @inline(__always)
  private func pooled(_ pfn: PFN?, replaced: Bool) -> FaultOutcome {
    let commit = settled?.time ?? time
    let took = UInt32(clamping: commit.nanoseconds - time.nanoseconds)
    return pfn.map { .surplus($0, sinceFault: took, replaced: replaced) }
      ?? .pooled(replaced: replaced, sinceFault: took)
  }

  /// The copy of a page in an mm that no CPU runs shows nothing but its allocation (`flush_tlb_page`).
  @inline(__always)
  private var isUnflushedCopy: Bool { access.contains(.remote) && folio?.zeroed == false }

  /// What takes the place of a present page comes with a flush. A folio without one is not the fault's but of a call
  /// that followed it unseen.
  @inline(__always)
  var replacesSeen: Bool { signs.flushes && access.contains(.present) }

  /// Page cache is all that a read fault allocates.
  @inline(__always)
  private func uncountedOutcome(_ folio: (pfn: PFN, order: FolioOrder, zeroed: Bool)) -> FaultOutcome {
    let isPresent = access.contains(.present)
    if folio.order != .base {
      return anonymousMoved
        ? .anonymous(folio.pfn, folio.order, replaced: isPresent) : huge(folio, replaced: flushed)
    }
    if isPresent, !flushed { return replacesSeen ? withoutFolio : .unexplained }
    if folio.zeroed {
      return access.contains(.write) ? .anonymous(folio.pfn, .base, replaced: isPresent) : withoutFolio
    }
    if isPresent { return copied(folio.pfn) }
    if flushed { return .swappedIn(allocations == 1 ? folio.pfn : nil, .made) }
    return access.contains(.write) ? .copiedFromFile(folio.pfn, wasMapped: false) : .file(pages: 1)
  }

  @inline(__always)
  private func copied(_ pfn: PFN) -> FaultOutcome {
    let commit = settled?.time ?? time
    let decision = allocationTime.map { min($0, commit) } ?? commit
    return .copied(pfn, sinceDecision: UInt32(clamping: commit.nanoseconds - decision.nanoseconds))
  }

  @inline(__always)
  private var withoutFolio: FaultOutcome { wasRefused || !tookLock ? .refused : .quiet }

  @inline(__always)
  private var anonymousOutcome: FaultOutcome {
    if swapMoved {
      if copyGivenBack { return .swappedIn(allocations == 2 && folio?.pfn != copy ? folio?.pfn : nil, .givenBack) }
      return .swappedIn(allocations == 1 ? folio?.pfn : nil, flushed ? .made : .none)
    }
    guard let folio else { return .unexplained }
    if folio.order != .base { return .anonymous(folio.pfn, folio.order, replaced: access.contains(.present)) }
    if folio.zeroed { return .anonymous(folio.pfn, .base, replaced: access.contains(.present)) }
    return .copiedFromFile(folio.pfn, wasMapped: fileMoved)
  }
}
