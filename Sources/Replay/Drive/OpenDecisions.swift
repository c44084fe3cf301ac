// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// A write-protection fault that showed nothing where the model expects a copy: another thread may have made it, or
/// the kernel refused the fault (`pagefault_disabled`) and will see it again. The page's next event tells.
struct OpenDecision {
  let record: MMEventRecord
  let mm: MMID
  let page: VirtualPage
  let expected: String
  /// Of hugetlb, by an mm for whose mapping the pool keeps pages: where it is empty, a write takes the page from who else
  /// maps it (`unmap_ref_private`). It may also have been pinned at fork, and copied for the child at once.
  let mayTakePage: Bool

  /// It took mmap_lock more than once, or waited for it, as for a fork that copies the mm.
  let mayHaveWaited: Bool

  /// Nanoseconds between a fault's entry and its decision, for one that copies nothing: taking locks, at most.
  static let longestFault: UInt64 = 200_000

  /// As long as any fault is waited for: on hugetlb one waits for the other to copy a huge page
  /// (`hugetlb_fault_mutex_table`), elsewhere for whoever holds mmap_lock.
  static let longestWait: UInt64 = 100_000_000
}

extension ReplayDriver {
  mutating func leaveOpen(_ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ expected: String) {
    let vma = facts(mm, page)
    let mayTakePage = vma.backing.isHugetlb && !vma.flags.contains(.inherited)
    openDecisions.append(
      OpenDecision(
        record: current, mm: mm, page: page, expected: expected, mayTakePage: mayTakePage,
        mayHaveWaited: access.contains(.retried)))
    lockstep.doubts.add(mm, page, .openDecision)
  }

  /// The next fault on the page tells what the quiet one was.
  mutating func settleOpenDecision(
    _ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ outcome: FaultOutcome
  ) {
    guard !openDecisions.isEmpty, let index = openDecisions.firstIndex(where: { $0.mm == mm && $0.page == page }) else {
      return
    }
    if case .quiet = outcome, access.contains(.present), waitsToo(openDecisions[index]) { return }
    let open = openDecisions.remove(at: index)
    lockstep.doubts.settle(mm, PageRange(start: page, count: 1), ofCause: .openDecision)
    switch outcome {
    // Made by another thread, or tried again.
    case .copied, .copiedFromFile, .anonymous, .pooled, .surplus, .raced: break
    // Which is another fault's end and tells nothing of this one.
    case .refused, .lost: unknown(.decision, mm, page, .raced, record: open.record)
    // Nothing is present: the quiet fault ran into a migration entry that was being set (a split, a migration), and
    // this one waits for its end.
    case .quiet where !access.contains(.present): unknown(.decision, mm, page, .raced, record: open.record)
    case .quiet, .file, .swappedIn, .unexplained: condemn(open)
    }
  }

  /// Several threads wait: for whoever copies the huge page in another mm, or for a fork to let go of the locks, whose
  /// child then copies before they come to their decision. They are all quiet, until it is done.
  private func waitsToo(_ open: OpenDecision) -> Bool {
    open.record.task != current.task && current.time.nanoseconds &- open.record.time.nanoseconds < longest(open)
  }

  private func longest(_ open: OpenDecision) -> UInt64 {
    open.mayHaveWaited || facts(open.mm, open.page).backing.isHugetlb
      ? OpenDecision.longestWait : OpenDecision.longestFault
  }

  /// The page goes away or is shared anew with the question open.
  mutating func settleOpenDecisions(of mm: MMID) {
    guard !openDecisions.isEmpty else { return }
    for open in openDecisions where open.mm == mm { leaveUnknown(open) }
    openDecisions.removeAll { $0.mm == mm }
  }

  /// Two faults on one page at a time: the quiet one began before the other one's copy was seen and came to its
  /// decision after it, as the only mapper left.
  mutating func settleOvertaken() {
    let now = current.time.nanoseconds
    for open in openDecisions {
      let isHugetlb = facts(open.mm, open.page).backing.isHugetlb
      guard now &- open.record.time.nanoseconds < longest(open),
        case .mustReuse = lockstep.predictWriteFault(open.mm, open.page)
      else { continue }
      // There they take turns: the one that copied, and the one that was left alone with the page.
      if isHugetlb {
        verifier.agree(.decision)
      } else {
        unknown(.decision, open.mm, open.page, .raced, record: open.record)
      }
      reuse(open.mm, open.page, facts(open.mm, open.page))
      openDecisions.removeAll { $0.mm == open.mm && $0.page == open.page }
    }
  }

  /// The kernel shows the page exclusive, and nobody else maps it any more: a fault that was held up came to its
  /// decision after they had gone. `false`: no such fault is known.
  mutating func settleDelayed(_ mm: MMID, _ page: VirtualPage) -> Bool {
    guard let index = openDecisions.firstIndex(where: { $0.mm == mm && $0.page == page }) else { return false }
    switch lockstep.predictWriteFault(mm, page) {
    case .mustReuse, .eitherWay: break
    case .mustCopy, .mustReplace, .alreadyWritable, .notMapped: return false
    }
    unknown(.decision, mm, page, .raced, record: openDecisions.remove(at: index).record)
    reuse(mm, page, facts(mm, page))
    return true
  }

  mutating func settleAllOpenDecisions() {
    for open in openDecisions { leaveUnknown(open) }
    openDecisions.removeAll()
  }

  private mutating func condemn(_ open: OpenDecision) {
    // ksmd tells of a merge after the entry was replaced.
    let others = lockstep.baseline.memory.foreignObservers(open.mm, open.page, ofWholeFolio: true)
    if open.mayTakePage || others.contains(where: { isMerging($0.mm) }) {
      leaveUnknown(open)
    } else {
      disagree(open.mm, open.page, open.expected, "no copy", .reusedShared, record: open.record)
    }
    reuse(open.mm, open.page, facts(open.mm, open.page))
  }

  private mutating func leaveUnknown(_ open: OpenDecision) {
    unknown(.decision, open.mm, open.page, open.mayTakePage ? .hugetlbKept : .raced, record: open.record)
  }
}
