// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What is in an mm without the model knowing where: the trace told that it came, not at which address.
struct UnseenPages {
  private var addressSpaces: [MMID: AddressSpace] = [:]
  private var owners: [PFN: Set<MMID>] = [:]
  /// Pages of large folios but the first: mapped by a PMD, their flag is that of the first.
  private var tails: Set<PFN> = []
  /// Somebody wrote to another process's memory at an address that is not told (`process_vm_writev`), and nothing says
  /// to whose.
  private var isAnyAccessed = false
  /// Who takes snapshots: what such a task allocates under the lock of another mm is its own.
  var collectors: Set<TaskID> = []

  /// What is unseen of one mm.
  private struct AddressSpace {
    var frames: Set<PFN> = []
    /// Those that were there when the mm forked (their flag is clear, or set again by a write to an address that the
    /// trace does not tell), or that came while it swaps.
    var shared: Set<PFN> = []
    /// It has a userfaultfd: `UFFDIO_COPY` brings pages, `UFFDIO_MOVE` moves them, unseen.
    var hasUserfaultfd = false
    /// Somebody may have written there from outside, at an address that is not told: a page found unshared was reused,
    /// which shows nowhere.
    var isAccessed = false
    /// Somebody read there from outside, at an address that is not told: a page found unshared became exclusive.
    var isRead = false
    /// `UFFDIO_WRITEPROTECT` takes write permission, unseen.
    var isWriteProtectedByUserfaultfd = false
    /// Faults on missing pages that a userfaultfd may be about to fill: a task waits for one at a time.
    var waiting: [TaskID: VirtualPage] = [:]
    /// The latest small pages that came in at an unknown address, with the time.
    var arrivals: [(pfn: PFN, time: Timestamp)] = []
    /// Pages were swapped out: which ones is told later, or, for clean pages, never.
    var isSwapping = false
    /// KSM replaced a page that others map too: which one is not told.
    var isMerging = false

    private static let arrivalsKept = 16

    mutating func appeared(_ pfn: PFN, _ order: FolioOrder, at time: Timestamp) {
      if order == .base {
        arrivals.append((pfn, time))
        if arrivals.count > Self.arrivalsKept { arrivals.removeFirst() }
      }
      for index in 0..<order.pageCount {
        frames.insert(pfn.advanced(by: index))
        // Swapped in it is as exclusive as its swap entry was, whichever that is.
        if isSwapping { shared.insert(pfn.advanced(by: index)) }
      }
    }
  }

  mutating func note(_ what: Unfollowed, in mm: MMID) {
    switch what {
    case .remoteRead: addressSpaces[mm, default: AddressSpace()].isRead = true
    case .userfaultfd: addressSpaces[mm, default: AddressSpace()].hasUserfaultfd = true
    case .userfaultWriteProtect: addressSpaces[mm, default: AddressSpace()].isWriteProtectedByUserfaultfd = true
    case .hugetlb, .swap, .migration, .ksm, .pin, .remoteAccess, .collapse, .deviceMemory, .placeless: break
    }
  }

  mutating func accessedRemotely(_ mm: MMID?) {
    if let mm { addressSpaces[mm, default: AddressSpace()].isAccessed = true } else { isAnyAccessed = true }
  }

  func isAccessedRemotely(_ mm: MMID) -> Bool { isAnyAccessed || addressSpaces[mm]?.isAccessed ?? false }

  /// Why a page of the mm that nobody else maps may be exclusive, without an event that says so; `nil`: it is not.
  func accessCause(_ mm: MMID) -> UnknownCause? {
    if isAccessedRemotely(mm) { return .remoteAccess }
    return addressSpaces[mm]?.isRead == true ? .remoteRead : nil
  }

  func usesUserfaultfd(_ mm: MMID) -> Bool {
    addressSpaces[mm].map { $0.hasUserfaultfd || $0.isWriteProtectedByUserfaultfd } ?? false
  }

  func protectsByUserfaultfd(_ mm: MMID) -> Bool { addressSpaces[mm]?.isWriteProtectedByUserfaultfd ?? false }

  mutating func doubtSwap(_ mm: MMID) { addressSpaces[mm, default: AddressSpace()].isSwapping = true }

  func isSwapping(_ mm: MMID) -> Bool { addressSpaces[mm]?.isSwapping ?? false }

  mutating func merged(_ mm: MMID) { addressSpaces[mm, default: AddressSpace()].isMerging = true }

  func isMerging(_ mm: MMID) -> Bool { addressSpaces[mm]?.isMerging ?? false }

  /// Nothing of the mm is unseen any more.
  mutating func forget(_ mm: MMID) {
    for pfn in addressSpaces.removeValue(forKey: mm)?.frames ?? [] { disown(pfn, mm) }
  }

  /// The child may map whatever is unseen in the parent.
  mutating func forked(_ parent: MMID, _ child: MMID) {
    guard var both = addressSpaces[parent] else { return }
    both.shared = both.frames
    addressSpaces[parent] = both
    (both.waiting, both.arrivals) = ([:], [])
    for pfn in both.frames { owners[pfn, default: []].insert(child) }
    addressSpaces[child] = both
  }
}

// MARK: Pages at unknown addresses

extension UnseenPages {
  mutating func appeared(_ pfn: PFN, _ order: FolioOrder, in mm: MMID, at time: Timestamp) {
    addressSpaces[mm, default: AddressSpace()].appeared(pfn, order, at: time)
    for index in 0..<order.pageCount {
      owners[pfn.advanced(by: index), default: []].insert(mm)
      if index > 0 { tails.insert(pfn.advanced(by: index)) }
    }
  }

  mutating func waits(_ mm: MMID, _ page: VirtualPage, _ task: TaskID) {
    addressSpaces[mm, default: AddressSpace()].waiting[task] = page
  }

  /// Where a page that appears goes: one fault waits for it, or it is open which.
  mutating func takeWaiting(_ mm: MMID) -> VirtualPage? {
    guard let pages = addressSpaces[mm]?.waiting, let page = pages.first?.value,
      pages.allSatisfy({ $0.value == page })
    else { return nil }
    addressSpaces[mm]?.waiting = [:]
    return page
  }

  /// What came in since a fault began that found its page filled by another: one page, or it is open which.
  mutating func takeArrival(_ mm: MMID, since began: Timestamp) -> PFN? {
    guard let all = addressSpaces[mm]?.arrivals, let first = all.firstIndex(where: { $0.time > began }),
      first == all.count - 1
    else { return nil }
    addressSpaces[mm]?.arrivals = []
    return found(all[first].pfn, in: mm) ? all[first].pfn : nil
  }

  /// Every one of them is exclusive: a page comes in as such (`UFFDIO_COPY`, a copy or first touch by GUP), and only
  /// fork makes it another's, too. `false` when there is none.
  func isAllExclusive(in mm: MMID) -> Bool {
    addressSpaces[mm].map { !$0.frames.isEmpty && $0.shared.isEmpty } ?? false
  }

  /// A page that came in unseen may have taken the place of any other.
  func mayHaveCopied(_ mm: MMID) -> Bool { addressSpaces[mm].map { !$0.frames.isEmpty } ?? false }

  func isTail(_ pfn: PFN) -> Bool { tails.contains(pfn) }

  func holds(_ pfn: PFN, in mm: MMID) -> Bool { addressSpaces[mm]?.frames.contains(pfn) ?? false }

  /// What must be true of the flag of one of them.
  func claim(of pfn: PFN, in mm: MMID) -> Claim {
    addressSpaces[mm]?.shared.contains(pfn) == true ? .unknown : .exclusive
  }

  /// The page was found; `false` when it was not one of these.
  mutating func found(_ pfn: PFN, in mm: MMID) -> Bool {
    guard holds(pfn, in: mm) else { return false }
    addressSpaces[mm]?.frames.remove(pfn)
    addressSpaces[mm]?.shared.remove(pfn)
    disown(pfn, mm)
    return true
  }

  /// Where the page is was seen. `false` when it was known.
  mutating func placed(_ pfn: PFN) -> Bool {
    guard owners[pfn] != nil else { return false }
    freed(pfn)
    return true
  }

  mutating func freed(_ pfn: PFN) {
    guard !owners.isEmpty else { return }
    tails.remove(pfn)
    for mm in owners.removeValue(forKey: pfn) ?? [] {
      addressSpaces[mm]?.frames.remove(pfn)
      addressSpaces[mm]?.shared.remove(pfn)
    }
  }

  private mutating func disown(_ pfn: PFN, _ mm: MMID) {
    owners[pfn]?.remove(mm)
    guard owners[pfn]?.isEmpty ?? true else { return }
    owners[pfn] = nil
    tails.remove(pfn)
  }
}
