// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// References to pages that no mapping shows but the trace lets one know or suspect: they decide between reuse and
/// copy (`folio_ref_count` in `wp_can_reuse_anon_folio`).
struct HiddenReferences {
  /// Frames waiting in a CPU's LRU-add batch, which holds a reference until it is drained. A write fault drains the
  /// batch of its own CPU only. At most one batch (31 folios) per CPU, but for what was lost sight of.
  private var batched = FewFrames<CPU>()
  /// Without `mm_lru_insertion` nothing is known of the batches.
  private let seesBatches: Bool
  /// Frames that went to the LRU list before a fault was told that maps them. A swap-in reads its page after it put it
  /// into the batch of its CPU; whoever runs there meanwhile may drain it. The latest of them, and those before.
  private var drainedEarly: Set<PFN> = []
  private var drainedEarlier: Set<PFN> = []
  /// Nothing but a swap-in takes so long.
  private var seesSwap = false
  private static let drainsKept = 4096
  /// Ranges being removed, by the task that does it: entries there may be gone in the kernel already.
  private var removals: [TaskID: (mm: MMID, range: PageRange)] = [:]
  /// Frames whose mapping a running removal took away: `mmu_gather` drops the reference later.
  private var gathered: [PFN: Int] = [:]
  private var gatheredBy: [TaskID: [PFN]] = [:]

  /// When a copy last took a mapping away from a frame that somebody else still mapped. The reference goes later still.
  private var copiedAway = FewFrames<Timestamp>()
  /// How many are kept before the old ones go.
  private var copiesKept = 1024
  /// Nanoseconds after which no fault is under way any more that could have found the mapping.
  private static let longestDecision: UInt64 = 1_000_000

  /// Address spaces being torn down.
  private var teardowns: [MMID: Teardown] = [:]

  init(seesBatches: Bool) { self.seesBatches = seesBatches }

  mutating func allocated(_ pfn: PFN, on cpu: CPU) {
    guard seesBatches else { return }
    let isDrained = seesSwap && (drainedEarly.remove(pfn) ?? drainedEarlier.remove(pfn)) != nil
    if !isDrained { batched[pfn] = cpu }
  }

  mutating func lruInserted(_ pfn: PFN) {
    guard batched.removeValue(pfn) == nil, seesSwap else { return }
    if drainedEarly.count >= Self.drainsKept { (drainedEarlier, drainedEarly) = (drainedEarly, []) }
    drainedEarly.insert(pfn)
  }

  mutating func swappedOut() { seesSwap = true }

  mutating func freed(_ pfn: PFN) {
    batched[pfn] = nil
    if seesSwap {
      drainedEarly.remove(pfn)
      drainedEarlier.remove(pfn)
    }
    copiedAway[pfn] = nil
  }

  mutating func removalBegan(_ task: TaskID, _ mm: MMID, _ range: PageRange) { removals[task] = (mm, range) }

  mutating func removalEnded(_ task: TaskID) {
    removals[task] = nil
    for pfn in gatheredBy.removeValue(forKey: task) ?? [] {
      if let count = gathered[pfn], count > 1 { gathered[pfn] = count - 1 } else { gathered[pfn] = nil }
    }
  }

  mutating func copied(awayFrom pfn: PFN, at time: Timestamp) {
    copiedAway[pfn] = time
    guard copiedAway.count > copiesKept else { return }
    copiedAway.removeAll { $0.nanoseconds + Self.longestDecision <= time.nanoseconds }
    copiesKept = max(1024, 2 * copiedAway.count)
  }

  /// Two tasks copy the same page at once: the second decided while the first had it mapped yet.
  func wasMappedElsewhere(_ pfn: PFN?, at time: Timestamp) -> Bool {
    pfn.flatMap { copiedAway[$0] }.map { time <= $0 } ?? false
  }

  /// Ranges of an mm that somebody is removing.
  func removals(in mm: MMID) -> [PageRange] { removals.values.filter { $0.mm == mm }.map(\.range) }

  func isRemoving(_ task: TaskID) -> Bool { removals[task] != nil }

  /// A removal by `task` unmapped the frame, which others still map.
  mutating func unmapped(_ pfn: PFN, by task: TaskID) {
    gathered[pfn, default: 0] += 1
    gatheredBy[task, default: []].append(pfn)
  }

  mutating func teardownBegan(_ mm: MMID, by task: TaskID) { teardowns[mm] = Teardown(by: task) }

  /// What the task frees may be what it unmapped.
  func isUnmapping(_ task: TaskID) -> Bool {
    isRemoving(task) || teardowns.values.contains { $0.task == task }
  }

  mutating func teardownProceeded(_ mm: MMID, remaining: UInt64, unmapped: UInt64, flushed: Bool) {
    teardowns[mm]?.proceeded(remaining: remaining, unmapped: unmapped, flushed: flushed)
  }

  /// The mm's reference to a page was seen to be gone.
  mutating func teardownPassed(_ mm: MMID, _ page: VirtualPage) { teardowns[mm]?.passed(page) }

  mutating func teardownEnded(_ mm: MMID) { teardowns[mm] = nil }

  func teardown(of mm: MMID) -> Teardown? { teardowns[mm] }

  enum Suspicion { case none, certain, possible(UnknownCause) }

  /// Whether a write fault on `cpu` finds a reference to the frame beyond its mapping.
  func suspicion(of pfn: PFN?, on cpu: CPU) -> Suspicion {
    guard let pfn else { return .none }
    if gathered[pfn] != nil { return .possible(.removalRunning) }
    if let batch = batched[pfn], batch != cpu { return .certain }
    return .none
  }
}
