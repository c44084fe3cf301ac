// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What is in an mm without the model knowing where: the trace told that it came, not at which address.
struct UnseenPages {
  private var owners: [PFN: Set<MMID>] = [:]
  private var frames: [MMID: Set<PFN>] = [:]
  /// Those of an mm that forked while it had them (their flag is clear, or set again by a write to an address that the
  /// trace does not tell), or swaps.
  private var shared: [MMID: Set<PFN>] = [:]
  /// Address spaces with a userfaultfd: `UFFDIO_COPY` brings pages, `UFFDIO_MOVE` moves them, unseen.
  private var userfaulting: Set<MMID> = []
  /// `UFFDIO_WRITEPROTECT` takes write permission, unseen.
  private var userfaultProtecting: Set<MMID> = []

  mutating func noteUserfaultfd(_ what: Unfollowed, _ mm: MMID) {
    switch what {
    case .userfaultfd: userfaulting.insert(mm)
    case .userfaultWriteProtect: userfaultProtecting.insert(mm)
    case .hugetlb, .swap, .migration, .ksm, .pin, .remoteAccess, .collapse, .deviceMemory, .placeless: break
    }
  }

  /// Somebody wrote to another process's memory (`ptrace`, `process_vm_writev`): a page it found unshared was reused,
  /// which shows nowhere.
  var isAccessedRemotely = false

  func usesUserfaultfd(_ mm: MMID) -> Bool { userfaulting.contains(mm) || userfaultProtecting.contains(mm) }

  func protectsByUserfaultfd(_ mm: MMID) -> Bool { userfaultProtecting.contains(mm) }

  /// Ranges where pages may be other than the model has them: a fault of which it is open whether it did anything, a
  /// VMA in which fork copied pinned pages.
  private var doubtful: [MMID: [PageRange]] = [:]

  mutating func doubt(_ mm: MMID, _ range: PageRange) {
    if doubtful[mm]?.last != range { doubtful[mm, default: []].append(range) }
  }

  /// What the page is was seen.
  mutating func settle(_ mm: MMID, _ page: VirtualPage) {
    guard let ranges = doubtful[mm], let index = ranges.firstIndex(where: { $0.contains(page) }) else { return }
    let range = ranges[index]
    let rest = [PageRange(start: range.start, end: page), PageRange(start: page.advanced(by: 1), end: range.end)]
    doubtful[mm]?.replaceSubrange(index...index, with: rest.filter { !$0.isEmpty })
  }

  /// Faults on missing pages that a userfaultfd may be about to fill: a task waits for one at a time.
  private var waiting: [MMID: [TaskID: VirtualPage]] = [:]

  mutating func waits(_ mm: MMID, _ page: VirtualPage, _ task: TaskID) { waiting[mm, default: [:]][task] = page }

  /// Where a page that appears goes: one fault waits for it, or it is open which.
  mutating func takeWaiting(_ mm: MMID) -> VirtualPage? {
    guard let pages = waiting[mm], let page = pages.first?.value, pages.allSatisfy({ $0.value == page }) else {
      return nil
    }
    waiting[mm] = nil
    return page
  }

  /// The latest small pages that came in at an unknown address, with the time.
  private var arrivals: [MMID: [(pfn: PFN, time: Timestamp)]] = [:]
  private static let arrivalsKept = 16

  /// What came in since a fault began that found its page filled by another: one page, or it is open which.
  mutating func takeArrival(_ mm: MMID, since began: Timestamp) -> PFN? {
    guard let all = arrivals[mm], let first = all.firstIndex(where: { $0.time > began }), first == all.count - 1 else {
      return nil
    }
    arrivals[mm] = nil
    return found(all[first].pfn, in: mm) ? all[first].pfn : nil
  }

  /// Address spaces of which pages were swapped out: which ones is told later, or, for clean pages, never.
  private var swapping: Set<MMID> = []

  mutating func doubtSwap(_ mm: MMID) { swapping.insert(mm) }

  /// Address spaces in which KSM replaced a page that others map too: which one is not told.
  private var merging: Set<MMID> = []

  mutating func merged(_ mm: MMID) { merging.insert(mm) }

  func isMerging(_ mm: MMID) -> Bool { merging.contains(mm) }

  func isSwapping(_ mm: MMID) -> Bool { swapping.contains(mm) }

  func isDoubtful(_ mm: MMID, _ page: VirtualPage) -> Bool {
    guard let ranges = doubtful[mm] else { return false }
    return ranges.contains { $0.contains(page) }
  }

  mutating func appeared(_ pfn: PFN, _ order: FolioOrder, in mm: MMID, at time: Timestamp) {
    if order == .base {
      arrivals[mm, default: []].append((pfn, time))
      if arrivals[mm, default: []].count > Self.arrivalsKept { arrivals[mm]?.removeFirst() }
    }
    for index in 0..<order.pageCount {
      add(pfn.advanced(by: index), mm)
      if index > 0 { tails.insert(pfn.advanced(by: index)) }
    }
    // Swapped in it is as exclusive as its swap entry was, whichever that is.
    guard swapping.contains(mm) else { return }
    for index in 0..<order.pageCount { shared[mm, default: []].insert(pfn.advanced(by: index)) }
  }

  /// Every one of them is exclusive: a page comes in as such (`UFFDIO_COPY`, a copy or first touch by GUP), and only
  /// fork makes it another's, too. `false` when there is none.
  func isAllExclusive(in mm: MMID) -> Bool { frames[mm]?.isEmpty == false && shared[mm]?.isEmpty != false }

  /// Pages of large folios but the first: mapped by a PMD, their flag is that of the first.
  private var tails: Set<PFN> = []

  func isTail(_ pfn: PFN) -> Bool { tails.contains(pfn) }

  func holds(_ pfn: PFN, in mm: MMID) -> Bool { frames[mm]?.contains(pfn) == true }

  /// What must be true of the flag of one of them.
  func claim(of pfn: PFN, in mm: MMID) -> Claim { shared[mm]?.contains(pfn) == true ? .unknown : .exclusive }

  /// The page was found; `false` when it was not one of these.
  mutating func found(_ pfn: PFN, in mm: MMID) -> Bool {
    guard owners[pfn]?.remove(mm) != nil else { return false }
    if owners[pfn]?.isEmpty == true { owners[pfn] = nil }
    frames[mm]?.remove(pfn)
    shared[mm]?.remove(pfn)
    if owners[pfn] == nil { tails.remove(pfn) }
    return true
  }

  mutating func freed(_ pfn: PFN) {
    tails.remove(pfn)
    for mm in owners.removeValue(forKey: pfn) ?? [] {
      frames[mm]?.remove(pfn)
      shared[mm]?.remove(pfn)
    }
  }

  mutating func forget(_ mm: MMID) {
    userfaulting.remove(mm)
    userfaultProtecting.remove(mm)
    doubtful[mm] = nil
    swapping.remove(mm)
    merging.remove(mm)
    waiting[mm] = nil
    arrivals[mm] = nil
    shared[mm] = nil
    for pfn in frames.removeValue(forKey: mm) ?? [] {
      owners[pfn]?.remove(mm)
      if owners[pfn]?.isEmpty == true { owners[pfn] = nil }
    }
  }

  /// The child may map whatever is unseen in the parent.
  mutating func forked(_ parent: MMID, _ child: MMID) {
    if swapping.contains(parent) { swapping.insert(child) }
    if merging.contains(parent) { merging.insert(child) }
    if userfaulting.contains(parent) { userfaulting.insert(child) }
    if userfaultProtecting.contains(parent) { userfaultProtecting.insert(child) }
    guard let both = frames[parent], !both.isEmpty else { return }
    for pfn in both { add(pfn, child) }
    shared[parent] = both
    shared[child] = both
  }

  private mutating func add(_ pfn: PFN, _ mm: MMID) {
    owners[pfn, default: []].insert(mm)
    frames[mm, default: []].insert(pfn)
  }
}
