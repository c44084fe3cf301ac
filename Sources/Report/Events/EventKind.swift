// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// The kinds of `MMEvent` by the names that `script`, `script --json` and `list events` use.
///
/// Dense from 0: the raw value indexes counters.
package enum EventKind: Int, Sendable, CaseIterable {
  case mmCreated
  case mmTeardownBegan
  case mmTeardownProceeded
  case mmExited
  case vmaMapped
  case unmapped
  case removalBegan
  case removalEnded
  case directIOBegan
  case directIOEnded
  case pinBegan
  case pinEnded
  case unpinned
  case protected
  case moved
  case advised
  case fault
  case populated
  case argumentPage
  case stackPlaced
  case appeared
  case forkBegan
  case forkCopied
  case forkCopiedPinned
  case forkCounted
  case forkEnded
  case forkAborted
  case freed
  case lruInserted
  case migrationSet
  case migrationRemoved
  case ksmMerged
  case ksmMergedWithZero
  case reclaimed
  case swappedOut
  case swapWritten
  case collapseBegan
  case scanned
  case collapsed
  case collapseFailed
  case snapshotBegan
  case snapshotEnded
  case underWay
  case lossBegan
  case lost
  case unfollowed

  package init(_ event: MMEvent) {
    self =
      switch event {
      case .mmCreated: .mmCreated
      case .mmTeardownBegan: .mmTeardownBegan
      case .mmTeardownProceeded: .mmTeardownProceeded
      case .mmExited: .mmExited
      case .vmaMapped: .vmaMapped
      case .unmapped: .unmapped
      case .removalBegan: .removalBegan
      case .removalEnded: .removalEnded
      case .directIOBegan: .directIOBegan
      case .directIOEnded: .directIOEnded
      case .pinBegan: .pinBegan
      case .pinEnded: .pinEnded
      case .unpinned: .unpinned
      case .protected: .protected
      case .moved: .moved
      case .advised: .advised
      case .fault: .fault
      case .populated: .populated
      case .argumentPage: .argumentPage
      case .stackPlaced: .stackPlaced
      case .appeared: .appeared
      case .forkBegan: .forkBegan
      case .forkCopied: .forkCopied
      case .forkCopiedPinned: .forkCopiedPinned
      case .forkCounted: .forkCounted
      case .forkEnded: .forkEnded
      case .forkAborted: .forkAborted
      case .freed: .freed
      case .lruInserted: .lruInserted
      case .migrationSet: .migrationSet
      case .migrationRemoved: .migrationRemoved
      case .ksmMerged: .ksmMerged
      case .ksmMergedWithZero: .ksmMergedWithZero
      case .reclaimed: .reclaimed
      case .swappedOut: .swappedOut
      case .swapWritten: .swapWritten
      case .collapseBegan: .collapseBegan
      case .scanned: .scanned
      case .collapsed: .collapsed
      case .collapseFailed: .collapseFailed
      case .snapshotBegan: .snapshotBegan
      case .snapshotEnded: .snapshotEnded
      case .underWay: .underWay
      case .lossBegan: .lossBegan
      case .lost: .lost
      case .unfollowed: .unfollowed
      }
  }

  /// The name in output.
  package var name: String {
    switch self {
    case .mmCreated: "mm_created"
    case .mmTeardownBegan: "mm_teardown_began"
    case .mmTeardownProceeded: "mm_teardown_proceeded"
    case .mmExited: "mm_exited"
    case .vmaMapped: "vma_mapped"
    case .unmapped: "unmapped"
    case .removalBegan: "removal_began"
    case .removalEnded: "removal_ended"
    case .directIOBegan: "direct_io_began"
    case .directIOEnded: "direct_io_ended"
    case .pinBegan: "pin_began"
    case .pinEnded: "pin_ended"
    case .unpinned: "unpinned"
    case .protected: "protected"
    case .moved: "moved"
    case .advised: "advised"
    case .fault: "fault"
    case .populated: "populated"
    case .argumentPage: "argument_page"
    case .stackPlaced: "stack_placed"
    case .appeared: "appeared"
    case .forkBegan: "fork_began"
    case .forkCopied: "fork_copied"
    case .forkCopiedPinned: "fork_copied_pinned"
    case .forkCounted: "fork_counted"
    case .forkEnded: "fork_ended"
    case .forkAborted: "fork_aborted"
    case .freed: "freed"
    case .lruInserted: "lru_inserted"
    case .migrationSet: "migration_set"
    case .migrationRemoved: "migration_removed"
    case .ksmMerged: "ksm_merged"
    case .ksmMergedWithZero: "ksm_merged_with_zero"
    case .reclaimed: "reclaimed"
    case .swappedOut: "swapped_out"
    case .swapWritten: "swap_written"
    case .collapseBegan: "collapse_began"
    case .scanned: "scanned"
    case .collapsed: "collapsed"
    case .collapseFailed: "collapse_failed"
    case .snapshotBegan: "snapshot_began"
    case .snapshotEnded: "snapshot_ended"
    case .underWay: "under_way"
    case .lossBegan: "loss_began"
    case .lost: "records_lost"
    case .unfollowed: "unfollowed"
    }
  }

  /// One line for `list events`.
  package var summary: String {
    switch self {
    case .mmCreated: "an mm came into being (exec, fork) or into view (attached)"
    case .mmTeardownBegan: "the last user of an mm left; its page tables are about to go"
    case .mmTeardownProceeded: "how far the teardown of an mm is"
    case .mmExited: "exit_mmap ended: nothing is mapped any more"
    case .vmaMapped: "a VMA covers exactly these pages now"
    case .unmapped: "VMA and entries of the range are gone"
    case .removalBegan: "entries of the range may be going away on another CPU from here on"
    case .removalEnded: "the removals this task began are over"
    case .directIOBegan: "a read or write with O_DIRECT may pin pages of the range from here on"
    case .directIOEnded: "the read or write with O_DIRECT came back"
    case .pinBegan: "GUP pins pages of the range (FOLL_PIN), as a probe shows"
    case .pinEnded: "these pages are pinned now, as a probe shows; none, when it failed"
    case .unpinned: "pins of the page, or of pages of the folio, were given back, as a probe shows"
    case .protected: "mprotect over the range came back"
    case .moved: "mremap moved entries"
    case .advised: "madvise over the range came back with success"
    case .fault: "a page fault and what it was seen to do"
    case .populated: "the kernel filled a page without a fault (MAP_POPULATE, mlock, GUP)"
    case .argumentPage: "execve wrote an argument page"
    case .stackPlaced: "execve moved the new stack to its place"
    case .appeared: "a folio came into the mm at an address that the trace does not tell"
    case .forkBegan: "dup_mmap starts"
    case .forkCopied: "dup_mmap duplicated the entries of one VMA"
    case .forkCopiedPinned: "fork copied a page that may be pinned (copy_present_page)"
    case .forkCounted: "the child's count of mapped pages of one kind"
    case .forkEnded: "dup_mmap ended"
    case .forkAborted: "dup_mmap failed; entries already visited in the parent stay shared-looking"
    case .freed: "the page allocator took a folio back"
    case .lruInserted: "the folio left a CPU's batch for the LRU list"
    case .migrationSet: "a migration entry replaced a present one, with its type"
    case .migrationRemoved: "a migration entry became present again"
    case .ksmMerged: "KSM gave an entry to a stable page"
    case .ksmMergedWithZero: "KSM gave an entry to the zero page"
    case .swapWritten: "reclaim writes out a folio that nobody maps any more"
    case .reclaimed: "reclaim unmapped pages of the mm: to swap, or those that MADV_FREE gave up"
    case .swappedOut: "pages of the mm went to swap"
    case .collapseBegan: "khugepaged or MADV_COLLAPSE isolated small pages"
    case .scanned: "khugepaged or MADV_COLLAPSE looked whether a range can be collapsed"
    case .collapsed: "khugepaged or MADV_COLLAPSE replaced small pages by a huge one"
    case .collapseFailed: "khugepaged or MADV_COLLAPSE gave up"
    case .snapshotBegan: "the collector starts to read pagemap and kpageflags"
    case .snapshotEnded: "the snapshot ended"
    case .underWay: "a fault or a call that a snapshot may have caught half done"
    case .lossBegan: "records of a CPU are missing from here on, until its next records_lost or for good"
    case .lost: "the ring buffer of a CPU lost records just before here"
    case .unfollowed: "recognised, but not followed by the model"
    }
  }
}
