// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Copies that the kernel made although nobody else is known to map the page, or whoever did was on its way out, until
/// it shows why.
///
/// `wp_can_reuse_anon_folio` counts references, and a reference that no mapping holds (a pipe's after `vmsplice`, a GUP
/// caller's) shows nowhere. But it keeps the frame: one that lives on when its last mapping is gone, and is freed in
/// the end where nothing is unmapped, had such a reference. One that is freed where something is unmapped proves
/// nothing: that may have been a mapping the model does not know.
///
/// ksmd replaces the entry first (`replace_page`), then traces the merge, and frees the page it took away: a copy of a
/// page that was exclusive may have been one of the stable page.
///
/// A mapping on its way out keeps its reference until `tlb_flush_mmu`. The copy drops its own at its end: when somebody
/// else frees the frame, there was another reference all the while.
struct OutlivedCopies {
  struct Copy {
    let record: MMEventRecord
    let mm: MMID
    let page: VirtualPage
    let reference: Reference
  }

  /// What the copy is evidence of.
  enum Reference {
    /// No mapping that is known has it.
    case hidden
    /// That of a mapping that another task is removing, or of an mm being torn down.
    case leaving(UnknownCause)
    /// None: the page was exclusive. ksmd may have put a stable page in its place, which it tells afterwards.
    case exclusive(expected: String)
  }

  /// By the first frame of the folio that was copied from.
  private var copies: [PFN: [Copy]] = [:]
  /// Tasks whose last event is a fault that may have taken a mapping away: what they free, the fault may have freed.
  private var faulting: Set<TaskID> = []

  var isEmpty: Bool { copies.isEmpty }

  /// The kernel copied a page of the folio whose first frame is `source`, and why is open.
  mutating func await(_ copy: Copy, from source: PFN) {
    copies[source, default: []].append(copy)
    faulting.insert(copy.record.task)
  }

  /// What a task did last; asked for every event while something is open.
  mutating func note(_ record: MMEventRecord) {
    switch record.event {
    case .freed, .lruInserted: break
    case .fault(_, _, .copied), .fault(_, _, .copiedFromFile), .fault(_, _, .swappedIn), .fault(_, _, .unexplained),
      .fault(_, _, .lost):
      faulting.insert(record.task)
    default: faulting.remove(record.task)
    }
  }

  func mayBeFaulting(_ task: TaskID) -> Bool { faulting.contains(task) }

  /// The frame is free: the copies it explains, or cannot explain.
  mutating func take(_ pfn: PFN) -> [Copy] {
    guard let taken = copies.removeValue(forKey: pfn) else { return [] }
    if copies.isEmpty { faulting.removeAll() }
    return taken
  }

  /// How many copies of an exclusive page there were; the others stay open.
  mutating func takeExclusive(from pfn: PFN) -> Int {
    guard let all = copies[pfn] else { return 0 }
    let others = all.filter { if case .exclusive = $0.reference { false } else { true } }
    copies[pfn] = others.isEmpty ? nil : others
    if copies.isEmpty { faulting.removeAll() }
    return all.count - others.count
  }

  /// What is open yet at the end, in the order of the trace.
  mutating func takeAll() -> [Copy] {
    defer {
      copies.removeAll()
      faulting.removeAll()
    }
    return copies.values.joined().sorted { $0.record.sequence < $1.record.sequence }
  }
}

extension ReplayDriver {
  /// The page was copied, exclusive flag clear and nobody mapping it but, perhaps, who is leaving.
  mutating func copiedUnexplained(_ mm: MMID, _ page: VirtualPage, _ reference: OutlivedCopies.Reference = .hidden) {
    let copy = OutlivedCopies.Copy(record: current, mm: mm, page: page, reference: reference)
    guard let source = lockstep.baseline.memory.mappedPage(mm, page),
      let head = lockstep.baseline.memory.pfn(of: source.folio)
    else {
      return leaveUnexplained(copy)
    }
    outlived.await(copy, from: head)
  }

  /// A frame is free that was copied from.
  mutating func settleCopies(from pfn: PFN) {
    let wasOutlived =
      !lockstep.baseline.memory.isMapped(pfn) && !outlived.mayBeFaulting(current.task)
      && !hidden.isUnmapping(current.task)
    for copy in outlived.take(pfn) {
      let isProof =
        switch copy.reference {
        case .hidden: wasOutlived
        case .leaving: current.task != copy.record.task
        case .exclusive: takeMerge(of: copy.mm)
        }
      if isProof { verifier.agree(.decision) } else { leaveUnexplained(copy) }
    }
  }

  /// ksmd tells that the frame is a stable page, which it was before a copy of it that is open yet.
  mutating func settleCopies(fromStable pfn: PFN) {
    for _ in 0..<outlived.takeExclusive(from: pfn) { verifier.agree(.decision) }
  }

  private mutating func leaveUnexplained(_ copy: OutlivedCopies.Copy) {
    switch copy.reference {
    case .hidden: unknown(.decision, copy.mm, copy.page, .hiddenReference, record: copy.record)
    case .leaving(let cause): unknown(.decision, copy.mm, copy.page, cause, record: copy.record)
    case .exclusive(let expected):
      disagree(
        copy.mm, copy.page, expected, "copied to another page", .copiedExclusive, record: copy.record)
    }
  }

  mutating func settleAllCopies() {
    for copy in outlived.takeAll() { leaveUnexplained(copy) }
  }
}
