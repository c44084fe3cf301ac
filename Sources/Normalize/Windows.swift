// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// A folio for user memory allocated outside of a fault, not yet explained.
struct StrayFolio {
  let pfn: PFN
  let order: FolioOrder
  let zeroed: Bool
}

/// A system call between its enter and its exit.
struct SyscallWindow {
  let call: KnownSyscall
  /// The arguments as the trace has them, missing ones 0.
  let arguments: [6 of UInt64]
  /// `removalBegan` was emitted and wants its end.
  var removes = false
  /// `directIOBegan` was emitted and wants its end.
  var pins = false
  /// The effect was already emitted at better evidence than the return.
  var isApplied = false
  /// Where `mmap` put a VMA that did not merge with another: told already, so that what fills it has its place at once.
  var placed: PageRange?
  /// The VMA as it was written to the tree, perhaps merged with others, by a call that maps something; what `brk` or `shmdt`
  /// took away. It may be filled, or not yet be gone, until the call returns.
  var changed: PageRange?
  /// What `mremap` cuts off was told.
  var isCutOff = false
  /// MADV_PAGEOUT: entries that go in it, reclaim takes.
  var isPagingOut: Bool { call == .madvise && Advice(madvise: arguments[2]) == .pageOut }
  /// MADV_COLLAPSE, of its own memory or another's.
  var asksForCollapse: Bool {
    call == .madvise && Advice(madvise: arguments[2]) == .collapse
      || call == .processMadvise && Advice(madvise: arguments[3]) == .collapse
  }
  /// Ranges that lost their VMA, told after the move they belong to (`mremap`).
  var unmapped: [PageRange] = []
}

/// `pin_user_pages` and its kin, between their entry and what they gave back.
struct PinWindow {
  let mm: MMID
  let range: PageRange
}

/// `clone` without `CLONE_VM`, from the moment the child's mm is visible.
struct ForkWindow {
  let child: MMID
  /// The VMA duplicated last: the tree write is traced more than once.
  var lastCopied: PageRange?
  /// The final flush was seen: the copy is complete.
  var copied = false
}

/// `execve`, from the moment the new mm is visible.
struct ExecWindow {
  let mm: MMID
  let pointer: UInt64
  /// The task runs on the new mm already.
  var switched = false
  /// The address of the stack's VMA, the first one stored, and where it ends.
  var stack: (vma: UInt64, end: VirtualPage)?
  var stackPlaced = false
}

/// A page that took the place of another without a fault, by the look of the flush that followed its allocation.
struct Replacement {
  let folio: StrayFolio
  let place: DelayLine.Slot
  let record: MMEventRecord
}
