// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// One step of a scenario, in the kernel's words: fixtures/litmus/README.md has how each is written, docs/semantics.md
/// what it does.
package enum LitmusOperation: Sendable {
  // — set-up

  case process(LitmusProcess)
  case vma(LitmusEntryRange, LitmusVMA)

  // — the process touches memory

  /// A load; brings in whatever is missing.
  case read(LitmusEntryRange)
  case write(LitmusEntryRange, LitmusWrite)
  /// Only the first half of the next, the fault that populates (`do_anonymous_page` without `VM_WRITE`).
  case forceFault(LitmusEntryRange)
  /// `FOLL_FORCE` write (ptrace, `/proc/PID/mem`; `can_follow_write_pte`).
  case forceWrite(LitmusEntryRange)
  /// `__uprobe_write`.
  case uprobeWrite(LitmusEntryRange)
  /// `FOLL_PIN`: `follow_page_pte`, `gup_fast`.
  case pin(LitmusEntryRange, LitmusPin)
  case unpin(LitmusEntryRange)
  /// `FOLL_GET`: a reference that is no pin.
  case getReference(LitmusEntryRange)
  case putReference(LitmusEntryRange)

  // — fork, exit

  case fork(LitmusProcess, child: LitmusProcess, LitmusForkFailure)
  /// The parts of a fork, for what happens between them: the seqcount turns odd, ...
  case forkBegin(LitmusProcess, child: LitmusProcess)
  /// ... one VMA or page table is duplicated under its locks, ...
  case forkCopy(LitmusEntryRange)
  /// ... and the seqcount turns even, the TLB is flushed.
  case forkEnd(LitmusProcess)
  /// `dup_mmap` fails.
  case forkAbort(LitmusProcess)
  case exit(LitmusProcess)

  // — layout

  case munmap(LitmusEntryRange)
  case mprotect(LitmusEntryRange, LitmusProtection)
  case mremap(LitmusEntryRange, to: Int, LitmusMove)
  case madvise(LitmusEntryRange, Advice)
  case mlock(LitmusEntryRange)

  // — reclaim and swap

  /// `shrink_folio_list`: the whole folio in every mm.
  case swapOut(LitmusEntryRange, LitmusWriteout)
  /// `try_to_unmap_one` for this entry alone; the folio stays in the swap cache.
  case unmapToSwap(LitmusEntryRange)
  /// Reclaim looks at the folio mapped there: swaps it out, drops it when clean, or leaves it.
  case reclaim(LitmusEntryRange)
  case writebackEnd(LitmusEntryRange)
  case swapoff

  // — migration, THP, KSM

  /// The next two in one go, for every entry of the folio.
  case migrate(LitmusEntryRange)
  /// `try_to_migrate_one` for every entry of the folio, or for the named ones only.
  case migrationSet(LitmusEntryRange, everywhere: Bool)
  /// `remove_migration_pte`.
  case migrationRestore(LitmusEntryRange)
  case splitPMD(LitmusEntryRange)
  case splitFolio(LitmusEntryRange, unusedToZeroPage: Bool)
  case collapse(LitmusEntryRange, FolioOrder)
  case ksmMerge(LitmusEntryRange, LitmusEntryRange)
  /// `write_protect_page` only.
  case ksmWriteProtect(LitmusEntryRange)
  /// `replace_page` only.
  case ksmReplace(LitmusEntryRange, with: LitmusEntryRange)
  /// `replace_page` with the zero page.
  case ksmZero(LitmusEntryRange)
  /// Before `write_protect_page` and without the PTL: what KSM prepares for the table of the entry.
  case ksmPrepare(LitmusEntryRange)

  // — tracking

  case userfaultWriteProtect(LitmusEntryRange, unpopulated: Bool)
  /// `P uffd-poison 0`: UFFDIO_POISON.
  case userfaultPoison(LitmusEntryRange)
  case userfaultResolve(LitmusEntryRange)
  case userfaultCopy(LitmusEntryRange, writeProtected: Bool)
  case userfaultMove(LitmusEntryRange, to: Int)
  case clearSoftDirty(LitmusProcess)
  case pagemapScanWriteProtect(LitmusEntryRange)
  case numaScan(LitmusEntryRange)
  case ageMGLRU(LitmusEntryRange)

  // — devices, memory failure

  case toDevicePrivate(LitmusEntryRange)
  /// `migrate_vma_insert_page`.
  case deviceInsert(LitmusEntryRange)
  case makeDeviceExclusive(LitmusEntryRange)
  case memoryFailure(LitmusEntryRange)

  // — what only a second CPU, or the architecture, does

  case contpteFold(LitmusEntryRange)
  /// So many bitmap allocations succeed from here on, then they fail.
  case failBitmapAllocation(after: Int)
  /// The CPU loads the translation, with its W and D.
  case tlbFill(CPUNumber, LitmusEntryRange)
  /// A store through the translation the CPU holds.
  case tlbStore(CPUNumber, LitmusEntryRange)
  case tlbFlush
  /// g0..g2 of docs/semantics.md, "GUP-fast": the entry is read.
  case gupFastRead(CPUNumber, LitmusEntryRange)
  /// g0..g4: the entry is read (unless it has been), the folio grabbed and pinned.
  case gupFastBegin(CPUNumber, LitmusEntryRange)
  /// g5..g9: entry and exclusivity read again, the pin kept or dropped.
  case gupFastEnd(CPUNumber)
  /// A write fault up to its passed reuse check.
  case reuseCheck(LitmusEntryRange)
  /// The rest of that fault.
  case reuseCommit(LitmusEntryRange)
  /// All readers that were inside a table when it was freed have left.
  case rcuGracePeriod
}

package struct LitmusVMA: Sendable, Equatable {
  package var protection: LitmusProtection = .readWrite
  package var backing: VMABacking = .anonymous
  package var dontFork = false
  package var wipeOnFork = false
  /// The VMA tracks soft-dirty (`!VM_SOFTDIRTY`): only its entries' S bits mean anything.
  package var softDirty = false
  package var locked = false
  /// x86 `VM_SHADOW_STACK`.
  package var shadowStack = false

  package init() {}
}

package enum LitmusProtection: String, Sendable, CaseIterable {
  case none
  case readOnly = "ro"
  case readWrite = "rw"
  case readExecute = "rx"
  case readWriteExecute = "rwx"

  package var writable: Bool { self == .readWrite || self == .readWriteExecute }
}

package struct LitmusWrite: Sendable {
  /// The order of the folio when the fault allocates one; at or above the PMD order it is PMD-mapped.
  package var order: FolioOrder = .base
  /// `as F`: the folio mapped afterwards.
  package var folio: String?
  /// Pages written with the same label hold equal data.
  package var data: String?
  /// `every 512`: only every so many pages of the range.
  package var stride = 1

  package init() {}
}

package struct LitmusPin: Sendable {
  package var writes = false
  package var fast = false
  /// `FOLL_FORCE`.
  package var force = false

  package init() {}
}

package enum LitmusForkFailure: Sendable, Equatable {
  case none
  /// Fails when it comes to this page of the parent.
  case before(Int)
}

/// How `mremap` carries the entries over.
package enum LitmusMove: String, Sendable, CaseIterable {
  /// `move_ptes`.
  case entries = "ptes"
  /// `move_normal_pmd`.
  case table
  /// `move_huge_pmd`.
  case pmd
}

/// How far the write to the swap device got.
package enum LitmusWriteout: String, Sendable, CaseIterable {
  /// Written, dropped from the swap cache, freed.
  case done
  /// Written, still in the swap cache.
  case inCache = "in-cache"
  /// Still being written.
  case underWriteback = "under-writeback"
}
