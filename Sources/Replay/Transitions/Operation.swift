// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Everything that can be done to a world, as a value: `Lockstep` applies the same to every encoding's world.
package enum Operation: Sendable, BitwiseCopyable {
  case createMM(MMID, MMOrigin)
  case readFault(MMID, VirtualPage, VMAFacts)
  case anonymousFault(MMID, VirtualPage, FolioOrder, VMAFacts)
  case hugeFault(MMID, VirtualPage, VMAFacts, write: Bool, isHugetlb: Bool)
  case writeFault(MMID, VirtualPage, VMAFacts, WriteHint)
  case filePageCopy(MMID, VirtualPage, VMAFacts)
  case filePageMapped(MMID, VirtualPage)
  case forkBegin(parent: MMID, child: MMID)
  case forkCopy(parent: MMID, child: MMID, PageRange, VMAFacts)
  case forkEnd(parent: MMID, child: MMID)
  case forkAbort(parent: MMID, child: MMID)
  case zap(MMID, PageRange)
  case discard(MMID, PageRange)
  /// `free_pgtables`: what lies between two VMAs.
  case freeTables(MMID, PageRange)
  /// Page tables whose entries nobody counts.
  case populateTables(MMID, PageRange)
  case exitBegin(MMID)
  case exitEnd(MMID)
  case move(MMID, PageRange, VirtualPage)
  case protect(MMID, PageRange, VMAFacts)
  case lazilyFree(MMID, PageRange, VMAFacts)
  case store(MMID, VirtualPage, VMAFacts)
  case load(MMID, VirtualPage, VMAFacts)
  case forcedStore(MMID, VirtualPage, VMAFacts, isUprobe: Bool)
  case unshare(MMID, VirtualPage, VMAFacts)
  case pin(MMID, VirtualPage, VMAFacts, write: Bool, force: Bool = false)
  case unpin(MMID, VirtualPage)
  case storeThroughPin(MMID, VirtualPage)
  case takeReference(MMID, VirtualPage)
  case dropReference(MMID, VirtualPage)
  case swapOut(MMID, VirtualPage, keepsCache: Bool, writeback: Bool, stableWrites: Bool)
  case settleDirty(MMID, VirtualPage, isDirty: Bool)
  case endWriteback(MMID, VirtualPage, drops: Bool)
  /// Reclaim dropped the page of this mm, whatever became of it elsewhere.
  case drop(MMID, VirtualPage)
  case swapIn(MMID, VirtualPage, VMAFacts, write: Bool)
  case swapOff
  case migrationBegin(MMID, VirtualPage)
  case migrationEnd(MMID, VirtualPage)
  case migrationSet(MMID, VirtualPage)
  case migrationRestore(MMID, VirtualPage)
  case ksmWriteProtect(MMID, VirtualPage)
  case ksmStable(MMID, VirtualPage)
  case ksmReplace(MMID, VirtualPage, by: MMID, VirtualPage)
  case ksmReplaceByZero(MMID, VirtualPage)
  case ksmGiveUp(MMID, VirtualPage)
  case ksmMerge(MMID, VirtualPage, MMID, VirtualPage)
  case ksmUnmerge(MMID, PageRange, VMAFacts)
  case splitPMD(MMID, VirtualPage)
  case splitFolio(MMID, VirtualPage)
  case collapse(MMID, VirtualPage, FolioOrder, VMAFacts, asKhugepaged: Bool = false)
  case cool(MMID, PageRange)
  case age(MMID, PageRange)
  case installGuards(MMID, PageRange)
  case removeGuards(MMID, PageRange)
  case uffdCopy(MMID, VirtualPage, VMAFacts, writeProtected: Bool)
  case uffdMove(MMID, VirtualPage, VirtualPage)
  case uffdWriteProtect(MMID, PageRange, VMAFacts)
  case uffdResolve(MMID, PageRange, VMAFacts)
  case clearSoftDirty(MMID, PageRange)
  case numaScan(MMID, PageRange)
  case numaFault(MMID, VirtualPage, VMAFacts, migrates: Bool)
  case moveToDevice(MMID, VirtualPage)
  case returnFromDevice(MMID, VirtualPage)
  case deviceInsert(MMID, VirtualPage, VMAFacts)
  case makeDeviceExclusive(MMID, VirtualPage)
  case restoreDeviceExclusive(MMID, VirtualPage, VMAFacts)
  case poison(MMID, VirtualPage)
  case learn(MMID, VirtualPage, LearnedEntry)
  case resolve(MMID, VirtualPage, was: Claim, exclusive: Bool)
  case forget(MMID)

  /// The kernel path, for signatures.
  package var transition: Transition {
    switch self {
    case .createMM: .create
    case .readFault, .anonymousFault, .filePageMapped, .populateTables: .anonymousFault
    case .hugeFault(_, _, _, _, let isHugetlb): isHugetlb ? .hugetlb : .thpFault
    case .writeFault: .writeFault
    case .filePageCopy: .fileCopy
    case .forkBegin, .forkCopy, .forkEnd: .fork
    case .forkAbort: .forkAbort
    case .zap, .freeTables: .zap
    case .discard: .dontNeed
    case .exitBegin, .exitEnd: .exit
    case .move: .mremap
    case .protect: .mprotect
    case .lazilyFree: .madvFree
    case .store, .load, .forcedStore: .store
    case .unshare: .unshare
    case .pin, .unpin, .storeThroughPin, .takeReference, .dropReference: .pin
    case .swapOut: .swapOut
    case .drop: .lazyfree
    case .settleDirty, .endWriteback, .cool, .age: .reclaim
    case .swapIn: .swapIn
    case .swapOff: .swapOff
    case .migrationBegin, .migrationSet: .migrationSet
    case .migrationEnd, .migrationRestore: .migrationRestore
    case .ksmWriteProtect, .ksmStable, .ksmReplace, .ksmReplaceByZero, .ksmGiveUp, .ksmMerge, .ksmUnmerge: .ksm
    case .splitPMD: .pmdSplit
    case .splitFolio: .folioSplit
    case .collapse: .collapse
    case .installGuards, .removeGuards: .guards
    case .uffdCopy, .uffdMove, .uffdWriteProtect, .uffdResolve: .userfault
    case .clearSoftDirty: .softDirty
    case .numaScan, .numaFault: .numa
    case .moveToDevice, .returnFromDevice, .deviceInsert, .makeDeviceExclusive, .restoreDeviceExclusive: .deviceMemory
    case .poison: .hwpoison
    case .learn, .resolve, .forget: .snapshot
    }
  }
}
