// SPDX-License-Identifier: GPL-2.0-only

/// One thing that happened to memory, as far as the trace shows it.
///
/// Events say what was *seen*; what follows from them for entries, folios and exclusivity is the model's business
/// (`Replay`). Every payload is trivial, so a stream of events is a flat array.
public enum MMEvent: Sendable, BitwiseCopyable {
  // — the life of an mm

  /// An mm came into being, or into view.
  case mmCreated(MMOrigin)
  /// The last user is gone and the page tables are about to be torn down (`exit_mm`, or `execve` leaving the old mm).
  case mmTeardownBegan
  /// How far the teardown is. It goes up the address space: `remaining` anonymous pages, those at the top, are mapped
  /// yet; `unmapped` pages of any kind went with this step. `flushed`: what it unmapped may have lost its references
  /// (`tlb_flush_mmu`), which `mmu_gather` holds till then.
  case mmTeardownProceeded(remaining: UInt64, unmapped: UInt64, flushed: Bool)
  /// `exit_mmap` ended: nothing is mapped any more.
  case mmExited

  // — layout

  /// A VMA now covers exactly these pages; whatever covered them before is replaced.
  case vmaMapped(PageRange, VMABacking, VMAProtection)
  /// The pages were unmapped (`munmap`, `MAP_FIXED` over, `brk` shrinking, `mremap` shrinking): VMA and entries go.
  case unmapped(PageRange)
  /// Entries of the range may be going away on another CPU from here on until the matching `unmapped`, `advised`
  /// or `moved` of the same task: a decision about a page they map is a race.
  case removalBegan(PageRange)
  /// The removals this task began are over: no reference of theirs is left.
  case removalEnded
  /// The task reads (`write`: into memory) or writes a file opened with `O_DIRECT`: from here until the matching
  /// `directIOEnded` GUP may pin pages of the range, `FOLL_WRITE` for a read. When it does, and for how long a page stays
  /// pinned, is not told: only what the kernel then does shows it.
  case directIOBegan(PageRange, write: Bool)
  /// The task's call came back: no page is pinned for it any more.
  case directIOEnded
  /// A driver or a system call lets GUP pin (`FOLL_PIN`) pages of the range. Only probes show it.
  case pinBegan(PageRange, PinFlags)
  /// These pages, from the first of the range on, the task has pinned; none, when GUP failed. `nil`: how it ended is not in
  /// the trace.
  case pinEnded(PageRange?)
  /// So many pins of a page were given back, or of any pages of the folio that begins there. Only probes show it.
  case unpinned(PFN, count: UInt32)
  /// `mprotect` over the range came back; `nil` bits keep what they were.
  case protected(PageRange, VMAProtection)
  /// `mremap` moved entries from `source` to the pages from `destination` on.
  case moved(source: PageRange, destination: VirtualPage, keepsSource: Bool)
  /// `madvise` (or `process_madvise`) over the range came back with success.
  case advised(PageRange, Advice)

  // — faults

  /// A page fault, closed by the next thing the task did.
  case fault(VirtualPage, FaultAccess, FaultOutcome)
  /// A page the kernel filled without a fault: `MAP_POPULATE`, `mlock`, `MADV_POPULATE_*`, GUP. It lies somewhere
  /// in the range: the lowest page that still needed one.
  case populated(PageRange, FaultOutcome)
  /// An argument page of a new program, written by `execve` below the previous one, before the stack has its place.
  case argumentPage(PFN)
  /// The new program's stack now ends at this page (exclusive); argument pages lie directly below.
  case stackPlaced(end: VirtualPage)
  /// A folio came into the mm at an address that the trace does not tell: a copy or first touch by GUP for somebody
  /// else, `UFFDIO_COPY`, the copy of an unshare fault.
  case appeared(PFN, FolioOrder)

  // — fork (inside `clone`, in the parent's task; the record's mm is the parent)

  case forkBegan(child: MMID)
  /// `dup_mmap` reached this VMA: its entries are duplicated now.
  case forkCopied(child: MMID, PageRange)
  /// `fork` copied one page into the child at once because it may be pinned (`copy_present_page`).
  case forkCopiedPinned(child: MMID, PFN)
  /// The child's count of mapped pages of one kind after a page table or a VMA: a checksum on `forkCopied`.
  case forkCounted(child: MMID, RSSMember, pages: UInt64)
  case forkEnded(child: MMID)
  /// The copy was abandoned. The child is torn down; what was already visited in the parent stays shared-looking.
  case forkAborted(child: MMID)

  // — physical pages, whoever acted

  /// The page allocator took the folio back.
  case freed(PFN, FolioOrder)
  /// The folio left a CPU's batch for the LRU list: the batch holds no reference any more (`mm_lru_insertion`).
  case lruInserted(PFN)
  /// A migration entry replaced a present one (`set_migration_pte`/`_pmd`).
  case migrationSet(VirtualPage, PFN, MigrationEntryType, FolioOrder, young: Bool, dirty: Bool)
  /// A migration entry became present again (`remove_migration_pte`/`_pmd`).
  case migrationRemoved(VirtualPage, PFN, FolioOrder, writable: Bool, dirty: Bool)
  /// KSM gave an entry of this mm to the stable page, which may have been its own until then; if it was another's, that
  /// one goes next (`ksm_merge_with_ksm_page`).
  case ksmMerged(PFN)
  /// KSM gave an entry of this mm to the zero page.
  case ksmMergedWithZero
  /// Reclaim unmapped anonymous pages of this mm (`try_to_unmap_one`): what went to swap is told next, as `swappedOut`,
  /// the rest was given up by MADV_FREE. Told where nothing else can have moved the counter: a task of another mm did,
  /// or MADV_PAGEOUT.
  case reclaimed(pages: UInt64)
  /// Pages of this mm went out to swap.
  case swappedOut(pages: UInt64)
  /// Reclaim writes the folio out, which nobody maps any more (`mm_vmscan_write_folio`): swap, or a file's page.
  case swapWritten(PFN)
  /// khugepaged or `MADV_COLLAPSE` isolated small pages, this one among them, and is about to copy and free them.
  /// `missing`: entries of the range with nothing or the zero page, by the kernel's count; `nil` where it is not told.
  case collapseBegan(PFN, missing: UInt16?)
  /// A scan of the mm for a range to collapse ended; after the collapse, where there was one.
  case scanned(CollapseScan)
  /// The task put a huge folio in the place of what it isolated.
  case collapsed(into: PFN?, FolioOrder)
  /// It gave up, before it isolated anything or afterwards: everything is as it was.
  case collapseFailed(FolioOrder)

  // — the capture itself

  /// The collector starts reading `/proc/PID/pagemap` of this mm: index of the snapshot in the capture's file.
  case snapshotBegan(UInt32)
  case snapshotEnded(UInt32)
  /// What a snapshot of the mm may have caught half done: told right after it began, and right before it ended.
  case underWay(UnderWay)
  /// Records of this CPU are missing from here on: until its next `lost`, or for good.
  case lossBegan(CPU)
  /// The ring buffer of this CPU lost records just before here.
  case lost(CPU, count: UInt64?)
  /// Something the normalizer recognises but the model does not follow yet; the page, when the trace names one.
  case unfollowed(Unfollowed, PageRange?)
}

extension MMEvent {
  /// `MADV_DONTNEED`.
  @inlinable
  public var isDiscard: Bool {
    if case .advised(_, let advice) = self { advice == .dontNeed } else { false }
  }

  /// What a fault at the page wanted; `nil`: it is none.
  @inlinable
  public func access(at page: VirtualPage) -> FaultAccess? {
    if case .fault(page, let access, _) = self { access } else { nil }
  }

  /// GUP faults for a task of another mm that writes here.
  @inlinable
  public var isRemoteFault: Bool {
    if case .fault(_, let access, _) = self { access.contains(.remote) } else { false }
  }
}

/// An event with its place in the capture.
public struct MMEventRecord: Sendable, BitwiseCopyable {
  /// The raw record that settled what happened.
  public var sequence: Sequence
  public var time: Timestamp
  public var cpu: CPU
  /// Who acted. Not always a thread of `mm`.
  public var task: TaskID
  /// Whose memory it happened to; `nil` where only a physical page is known.
  public var mm: MMID?
  public var event: MMEvent

  @inlinable
  public init(sequence: Sequence, time: Timestamp, cpu: CPU, task: TaskID, mm: MMID?, event: MMEvent) {
    self.sequence = sequence
    self.time = time
    self.cpu = cpu
    self.task = task
    self.mm = mm
    self.event = event
  }
}
