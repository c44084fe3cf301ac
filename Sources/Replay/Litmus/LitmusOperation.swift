// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// One step of a scenario, in the kernel's words. The reference's operation numbers stand beside the cases.
package enum LitmusOperation: Sendable {
  // — set-up

  case process(LitmusProcess)
  case vma(LitmusEntryRange, LitmusVMA)

  // — the process touches memory

  /// O-01, O-14: a load; brings in whatever is missing.
  case read(LitmusEntryRange)
  case write(LitmusEntryRange, LitmusWrite)
  /// O-03: only the first half of the next, the fault that populates.
  case forceFault(LitmusEntryRange)
  /// O-03, O-72: `FOLL_FORCE` write (ptrace, `/proc/PID/mem`).
  case forceWrite(LitmusEntryRange)
  /// O-85.
  case uprobeWrite(LitmusEntryRange)
  /// O-70, O-71, O-73.
  case pin(LitmusEntryRange, LitmusPin)
  case unpin(LitmusEntryRange)
  /// O-75: a reference that is no pin.
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
  /// O-31.
  case forkAbort(LitmusProcess)
  case exit(LitmusProcess)

  // — layout

  case munmap(LitmusEntryRange)
  case mprotect(LitmusEntryRange, LitmusProtection)
  case mremap(LitmusEntryRange, to: Int, LitmusMove)
  case madvise(LitmusEntryRange, Advice)
  case mlock(LitmusEntryRange)

  // — reclaim and swap

  /// O-51 for the whole folio in every mm.
  case swapOut(LitmusEntryRange, LitmusWriteout)
  /// O-51 for this entry alone; the folio stays in the swap cache.
  case unmapToSwap(LitmusEntryRange)
  /// Reclaim looks at the folio mapped there: swaps it out, drops it when clean, or leaves it.
  case reclaim(LitmusEntryRange)
  case writebackEnd(LitmusEntryRange)
  case swapoff

  // — migration, THP, KSM

  /// O-53 and O-55 (or O-54 and O-56) in one go, for every entry of the folio.
  case migrate(LitmusEntryRange)
  /// O-53 for every entry of the folio, or for the named ones only.
  case migrationSet(LitmusEntryRange, everywhere: Bool)
  /// O-55.
  case migrationRestore(LitmusEntryRange)
  case splitPMD(LitmusEntryRange)
  case splitFolio(LitmusEntryRange, unusedToZeroPage: Bool)
  case collapse(LitmusEntryRange, FolioOrder)
  case ksmMerge(LitmusEntryRange, LitmusEntryRange)
  /// O-59 only.
  case ksmWriteProtect(LitmusEntryRange)
  /// O-60 only.
  case ksmReplace(LitmusEntryRange, with: LitmusEntryRange)
  /// O-60 with the zero page.
  case ksmZero(LitmusEntryRange)
  /// Before O-59 and without the PTL: what KSM prepares for the table of the entry.
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
  /// O-58.
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
  /// g0..g2 of the reference's 7.5: the entry is read.
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
  /// Fails when it comes to this page of the parent (O-31).
  case before(Int)
}

/// How `mremap` carries the entries over.
package enum LitmusMove: String, Sendable, CaseIterable {
  /// O-34.
  case entries = "ptes"
  /// O-35.
  case table
  /// O-36.
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
