// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Copies that the kernel made although nobody else is known to map the page, until it shows why.
///
/// `wp_can_reuse_anon_folio` counts references, and a reference that no mapping holds (a pipe's after `vmsplice`, a GUP
/// caller's) shows nowhere. But it keeps the frame: one that lives on when its last mapping is gone, and is freed in the
/// end where nothing is unmapped, had such a reference. One that is freed where something is unmapped proves nothing:
/// that may have been a mapping the model does not know.
struct OutlivedCopies {
  struct Copy {
    let record: MMEventRecord
    let mm: MMID
    let page: VirtualPage
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
    case .fault(_, _, .copied), .fault(_, _, .copiedFromFile), .fault(_, _, .swappedIn), .fault(_, _, .unexplained):
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
  /// The page was copied, exclusive flag clear and nobody else mapping it.
  mutating func copiedUnexplained(_ mm: MMID, _ page: VirtualPage) {
    guard let source = lockstep.baseline.mappedPage(mm, page), let head = lockstep.baseline.pfn(of: source.folio) else {
      unknown(.decision, mm, page, .hiddenReference)
      return
    }
    outlived.await(OutlivedCopies.Copy(record: current, mm: mm, page: page), from: head)
  }

  /// A frame is free that was copied from.
  mutating func settleCopies(from pfn: PFN) {
    let isProof =
      !lockstep.baseline.isMapped(pfn) && !outlived.mayBeFaulting(current.task) && !hidden.isUnmapping(current.task)
    for copy in outlived.take(pfn) {
      if isProof {
        verifier.agree(.decision)
      } else {
        unknown(.decision, copy.mm, copy.page, .hiddenReference, record: copy.record)
      }
    }
  }

  mutating func settleAllCopies() {
    for copy in outlived.takeAll() { unknown(.decision, copy.mm, copy.page, .hiddenReference, record: copy.record) }
  }
}
