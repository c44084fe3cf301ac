// SPDX-License-Identifier: GPL-2.0-only

/// How an mm came into view.
public enum MMOrigin: Sendable, BitwiseCopyable {
  /// `execve` built it: everything in it is known from here on.
  case exec
  /// `clone` without `CLONE_VM` is about to fill it from its parent.
  case fork
  /// It was running before the recording: state comes from a snapshot, or is unknown.
  case attached
}

/// What stands behind a VMA, as far as exclusivity cares.
public enum VMABacking: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case anonymous
  /// Private mapping of a file or of shmem: pages become anonymous when written.
  case privateFile
  /// `MAP_SHARED`: never anonymous (in the sense of `PageAnon`).
  case shared
  /// Private memory of huge pages from hugetlb's pool (`MAP_HUGETLB`), each mapped by a PMD.
  case hugetlb
  /// Private mapping of a file of hugetlbfs (`memfd_create` with `MFD_HUGETLB`, too): what is read may be the file's.
  case hugetlbFile
  /// Private memory of hugetlb in pages of any other size than a PMD maps.
  case gigantic
  /// Mapped by the ELF loader or the kernel itself: private, file or anonymous.
  case loader
  case unknown

  /// A fault may find the page of a file there.
  public var holdsFilePages: Bool {
    switch self {
    case .privateFile, .loader: true
    case .anonymous, .shared, .hugetlb, .hugetlbFile, .gigantic, .unknown: false
    }
  }

  /// Private memory of hugetlb.
  public var isHugetlb: Bool {
    switch self {
    case .hugetlb, .hugetlbFile, .gigantic: true
    case .anonymous, .privateFile, .shared, .loader, .unknown: false
    }
  }
}

/// The protection of a VMA (`VM_READ`, `VM_WRITE`, `VM_EXEC`).
public struct VMAProtection: OptionSet, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static var read: VMAProtection { VMAProtection(rawValue: 1) }
  public static var write: VMAProtection { VMAProtection(rawValue: 2) }
  public static var execute: VMAProtection { VMAProtection(rawValue: 4) }
  /// The trace did not show the protection (loader, attach): the other bits say nothing.
  public static var unknown: VMAProtection { VMAProtection(rawValue: 8) }
}

/// The `madvise` advice that changes what the model knows.
public enum Advice: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case dontNeed, free, remove
  case dontFork, doFork, wipeOnFork, keepOnFork
  case mergeable, unmergeable
  case hugePage, noHugePage, collapse
  case populateRead, populateWrite
  /// What `mlock`, `MAP_POPULATE` and `MAP_LOCKED` do: every page is there, written where the VMA is writable
  /// (`populate_vma_page_range`).
  case populate
  case cold, pageOut, willNeed
  case guardInstall, guardRemove
}

/// What the CPU, or the kernel on its behalf, wanted when it faulted.
public struct FaultAccess: OptionSet, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static var write: FaultAccess { FaultAccess(rawValue: 1) }
  /// The entry was present: a protection fault.
  public static var present: FaultAccess { FaultAccess(rawValue: 2) }
  public static var execute: FaultAccess { FaultAccess(rawValue: 4) }
  /// The kernel faulted on a user address (`copy_to_user`, `put_user`, ...).
  public static var kernel: FaultAccess { FaultAccess(rawValue: 8) }
  /// The fault took so long that it was told as quiet before; this is what it did, told once it was seen.
  public static var late: FaultAccess { FaultAccess(rawValue: 16) }
  /// mmap_lock was taken once more than a fault that comes through at once needs, or the trace shows no locks: the
  /// fault may have waited for something, a userfaultfd's handler among others, and been tried again.
  public static var retried: FaultAccess { FaultAccess(rawValue: 32) }
  /// No fault of the mm's own: GUP for another task that writes there (`ptrace`, `/proc/PID/mem`), whatever the VMA's
  /// protection. Whether the entry was present is not told.
  public static var remote: FaultAccess { FaultAccess(rawValue: 64) }
  /// mmap_lock was taken once more, and under it the folio was allocated: for this fault, which was tried again, or for
  /// GUP in a call right after it.
  public static var beforeGUP: FaultAccess { FaultAccess(rawValue: 128) }
}

/// What the task was seen to do between a fault and its next event.
public enum FaultOutcome: Sendable, Equatable, BitwiseCopyable {
  /// No page was allocated and no counter moved: reuse, zero page, spurious, raced or refused.
  case quiet
  /// A zeroed folio was mapped: first touch, or a write over the zero page (then `replaced`).
  case anonymous(PFN, FolioOrder, replaced: Bool)
  /// A page was allocated and took the place of a present one, no counter moved: copy on write. `sinceDecision`: the
  /// nanoseconds from the allocation, which follows the decision to copy, to the commit.
  case copied(PFN, sinceDecision: UInt32)
  /// Copy on write of a file page: the page became anonymous. `wasMapped` when the file page had been mapped.
  case copiedFromFile(PFN, wasMapped: Bool)
  /// File or shmem pages were mapped, the faulting one and neighbours: `pages` in all.
  case file(pages: UInt32)
  /// A swap entry was replaced by a page, allocated for it or (`nil`) found in the swap cache, then copied when
  /// a write could not take the swap cache's page for itself.
  case swappedIn(PFN?, SwapInCopy)
  /// One huge page took the place of another, or of nothing, and no counter moved: hugetlb's. `replaced`: the flush of
  /// what had been there was seen. `sinceFault`: nanoseconds from the fault's entry, before the decision, to the commit.
  case pooled(replaced: Bool, sinceFault: UInt32)
  /// The same where the pool was empty: the page was allocated for this, which tells its frame
  /// (`alloc_surplus_hugetlb_folio`). The order of the fields keeps an event record in 64 bytes.
  case surplus(PFN, sinceFault: UInt32, replaced: Bool)
  /// The fault ended in a signal.
  case refused
  /// A page was allocated and given back: another thread was faster.
  case raced
  /// Evidence that fits none of the above; counted, never guessed.
  case unexplained
  /// What came of it is in records that are missing.
  case lost
}

/// What became of the copy that a write makes of a page it swapped in (`do_swap_page` goes on with `do_wp_page`).
public enum SwapInCopy: UInt8, Sendable, BitwiseCopyable {
  case none, made
  /// There was no memory for it (the cgroup's limit): what was swapped in stays, and the write faults again.
  case givenBack
}

/// The counters of `rss_stat` (`MM_FILEPAGES`, ...).
public enum RSSMember: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case file, anonymous, swapEntries, shmem
}

/// The three types of a migration entry: they carry exclusivity while the page bit is clear.
public enum MigrationEntryType: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case read, readExclusive, write
}

/// What the normalizer recognises and the model does not follow.
public enum Unfollowed: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case hugetlb, swap, migration, ksm, pin, remoteAccess, collapse, deviceMemory, placeless
  /// `process_vm_readv`: what it reads it pins, for which a page that is not exclusive becomes so, or is copied
  /// (`gup_must_unshare`).
  case remoteRead
  /// Any request to a userfaultfd that changes entries, but the next.
  case userfaultfd
  /// `UFFDIO_WRITEPROTECT`: from then on write-protection faults may wait for a handler.
  case userfaultWriteProtect
}
