// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

extension World {
  /// Does it, with this world's own decisions. `follows`: a write fault does what its hint says the kernel did.
  package mutating func apply(_ operation: Operation, follows: Bool = false) -> Outcome {
    if options.followsContent { storeVersion += 1 }
    switch operation {
    case .createMM(let mm, let origin):
      memory.createMM(mm, origin)
      return .done
    case .readFault(let mm, let page, let vma): return readFault(mm, page, vma)
    case .anonymousFault(let mm, let page, let order, let vma):
      if let ref = memory.find(mm, page), tables.entry(ref).kind == .zeroPage { drop(ref) }
      return anonymousFault(mm, page, order: order, vma)
    case .hugeFault(let mm, let page, let vma, let write, let isHugetlb):
      return hugeFault(mm, page, vma, write: write, isHugetlb: isHugetlb)
    case .writeFault(let mm, let page, let vma, let hint):
      return writeFault(mm, page, vma, hint: hint, follows: follows)
    case .filePageCopy(let mm, let page, let vma): return filePageCopy(mm, page, vma)
    case .filePageMapped(let mm, let page):
      filePageMapped(mm, page)
      return .done
    case .forkBegin(let parent, let child):
      forkBegin(parent: parent, child: child)
      return .done
    case .forkCopy(let parent, let child, let range, let vma):
      return forkCopy(parent: parent, child: child, range, vma)
    case .forkEnd(let parent, let child):
      forkEnd(parent: parent, child: child)
      return .done
    case .forkAbort(let parent, let child):
      forkAbort(parent: parent, child: child)
      return .done
    case .zap(let mm, let range):
      zap(mm, range)
      return .done
    case .discard(let mm, let range):
      zap(mm, range, keepsMarkers: true)
      if facts.reclaimsEmptyTables { freeEmptyTables(mm, range) }
      return .done
    case .freeTables(let mm, let hole):
      freeTables(mm, hole)
      return .done
    case .populateTables(let mm, let range):
      populateTables(mm, range)
      return .done
    case .exitBegin(let mm):
      exitBegin(mm)
      return .done
    case .exitEnd(let mm):
      exitEnd(mm)
      return .done
    case .move(let mm, let source, let destination): return move(mm, from: source, to: destination)
    case .protect(let mm, let range, let vma):
      protect(mm, range, vma)
      return .done
    case .lazilyFree(let mm, let range, let vma):
      lazilyFree(mm, range, vma)
      return .done
    case .learn(let mm, let page, let facts): return learn(mm, page, facts)
    case .resolve(let mm, let page, let was, let exclusive): return resolve(mm, page, was: was, exclusive: exclusive)
    case .forget(let mm):
      forget(mm)
      return .done
    case .store, .load, .forcedStore, .unshare, .pin, .unpin, .storeThroughPin, .takeReference, .dropReference,
      .swapOut, .drop, .settleDirty, .endWriteback, .swapIn, .swapOff, .migrationBegin, .migrationEnd, .migrationSet,
      .migrationRestore,
      .ksmWriteProtect, .ksmStable, .ksmReplace, .ksmReplaceByZero, .ksmGiveUp, .ksmMerge, .ksmUnmerge, .splitPMD,
      .splitFolio, .collapse, .cool, .age, .installGuards, .removeGuards, .uffdCopy, .uffdMove, .uffdWriteProtect,
      .uffdResolve, .clearSoftDirty, .numaScan, .numaFault, .moveToDevice, .returnFromDevice, .deviceInsert,
      .makeDeviceExclusive, .restoreDeviceExclusive, .poison:
      return applyRare(operation)
    }
  }

  /// What no trace asks for: one generic body for every encoding instead of a specialised copy of each of these
  /// transitions per encoding, which would take longer to compile than all that traces need.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  private mutating func applyRare(_ operation: Operation) -> Outcome {
    switch operation {
    case .store(let mm, let page, let vma): return store(mm, page, vma)
    case .load(let mm, let page, let vma): return load(mm, page, vma)
    case .forcedStore(let mm, let page, let vma, let isUprobe):
      return forcedStore(mm, page, vma, isUprobe: isUprobe)
    case .unshare(let mm, let page, let vma): return unshareForGUP(mm, page, vma)
    case .pin(let mm, let page, let vma, let write, let force): return pin(mm, page, vma, write: write, force: force)
    case .unpin(let mm, let page): return unpin(mm, page)
    case .storeThroughPin(let mm, let page): return storeThroughPin(mm, page)
    case .takeReference(let mm, let page): return takeReference(mm, page)
    case .dropReference(let mm, let page): return dropReference(mm, page)
    case .swapOut(let mm, let page, let keepsCache, let writeback, let stableWrites):
      return swapOut(mm, page, keepsCache: keepsCache, writeback: writeback, stableWrites: stableWrites)
    case .drop(let mm, let page):
      zap(mm, PageRange(start: page, count: 1))
      return .done
    case .settleDirty(let mm, let page, let isDirty): return settleDirty(mm, page, isDirty: isDirty)
    case .endWriteback(let mm, let page, let drops):
      endWriteback(mm, page, drops: drops)
      return .done
    case .swapIn(let mm, let page, let vma, let write): return swapIn(mm, page, vma, write: write)
    case .swapOff: return swapOff()
    case .migrationBegin(let mm, let page): return migrationBegin(mm, page)
    case .migrationEnd(let mm, let page): return migrationEnd(mm, page)
    case .migrationSet(let mm, let page): return migrationSet(mm, page)
    case .migrationRestore(let mm, let page): return migrationRestore(mm, page)
    case .ksmWriteProtect(let mm, let page): return ksmWriteProtect(mm, page)
    case .ksmStable(let mm, let page): return ksmStable(mm, page)
    case .ksmReplace(let mm, let page, let other, let otherPage):
      return ksmReplace(mm, page, by: other, otherPage)
    case .ksmReplaceByZero(let mm, let page): return ksmReplaceByZero(mm, page)
    case .ksmGiveUp(let mm, let page): return ksmGiveUp(mm, page)
    case .ksmMerge(let a, let aPage, let b, let bPage): return ksmMerge(a, aPage, b, bPage)
    case .ksmUnmerge(let mm, let range, let vma): return ksmUnmerge(mm, range, vma)
    case .splitPMD(let mm, let page):
      guard let ref = memory.find(mm, page), memory.isHuge(ref) else { return .nothing }
      splitHugeEntry(ref.table)
      return .done
    case .splitFolio(let mm, let page):
      guard let ref = memory.find(mm, page), tables.entry(ref).kind.refersToFolio else { return .nothing }
      return splitFolio(tables.entry(ref).folio)
    case .collapse(let mm, let page, let order, let vma, let asKhugepaged):
      return collapse(mm, page, order: order, vma, asKhugepaged: asKhugepaged)
    case .cool(let mm, let range):
      cool(mm, range)
      return .done
    case .age(let mm, let range):
      age(mm, range)
      return .done
    case .installGuards(let mm, let range):
      installGuards(mm, range)
      return .done
    case .removeGuards(let mm, let range):
      removeGuards(mm, range)
      return .done
    case .uffdCopy(let mm, let page, let vma, let writeProtected):
      return uffdCopy(mm, page, vma, writeProtected: writeProtected)
    case .uffdMove(let mm, let source, let destination): return uffdMove(mm, from: source, to: destination)
    case .uffdWriteProtect(let mm, let range, let vma):
      uffdWriteProtect(mm, range, vma)
      return .done
    case .uffdResolve(let mm, let range, let vma):
      uffdResolve(mm, range, vma)
      return .done
    case .clearSoftDirty(let mm, let range):
      clearSoftDirty(mm, range)
      return .done
    case .numaScan(let mm, let range):
      numaScan(mm, range)
      return .done
    case .numaFault(let mm, let page, let vma, let migrates): return numaFault(mm, page, vma, migrates: migrates)
    case .moveToDevice(let mm, let page): return moveToDevice(mm, page)
    case .returnFromDevice(let mm, let page): return returnFromDevice(mm, page)
    case .deviceInsert(let mm, let page, let vma): return deviceInsert(mm, page, vma)
    case .makeDeviceExclusive(let mm, let page): return makeDeviceExclusive(mm, page)
    case .restoreDeviceExclusive(let mm, let page, let vma):
      guard let ref = memory.find(mm, page) else { return .nothing }
      restoreDeviceExclusive(ref, vma)
      return .done
    case .poison(let mm, let page): return poison(mm, page)
    case .createMM, .readFault, .anonymousFault, .hugeFault, .writeFault, .filePageCopy, .filePageMapped, .forkBegin,
      .forkCopy, .forkEnd, .forkAbort, .zap, .discard, .freeTables, .populateTables, .exitBegin, .exitEnd, .move,
      .protect,
      .lazilyFree, .learn, .resolve, .forget:
      preconditionFailure("an operation of traces, which `apply` does itself")
    }
  }
}
