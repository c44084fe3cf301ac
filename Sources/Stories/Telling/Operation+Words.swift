// SPDX-License-Identifier: GPL-2.0-only

import MMEvents
import Replay

/// Steps in the words of the stories.
extension Operation {
  /// Of a step at one page; `block` has the pages of its folio.
  func words(_ name: String, _ page: Int, _ block: Range<Int>) -> [String] {
    switch self {
    case .readFault, .filePageMapped, .load, .numaFault, .returnFromDevice, .restoreDeviceExclusive:
      return ["\(name) reads \(page)"]
    case .anonymousFault(_, _, let order, let vma):
      if !vma.mayWrite { return ["\(name) force-faults \(page)"] }
      return ["\(name) writes \(page)" + (order == .base ? "" : " order \(order.rawValue)")]
    case .hugeFault(_, _, _, let write, let isHugetlb):
      return ["\(name) \(write ? "writes" : "reads") \(page)" + (write && !isHugetlb ? " order 9" : "")]
    case .writeFault(_, _, let vma, let hint):
      let writes = "\(name) \(vma.mayWrite ? "writes" : "force-writes") \(page)"
      // Somebody held it whom the trace does not show.
      if case .copied(hiddenReference: true) = hint { return ["get-ref \(name) \(page)", writes] }
      return [writes]
    case .filePageCopy(_, _, let vma), .store(_, _, let vma):
      return ["\(name) \(vma.mayWrite ? "writes" : "force-writes") \(page)"]
    case .forcedStore(_, _, _, let isUprobe): return ["\(name) \(isUprobe ? "uprobe" : "force-writes") \(page)"]
    case .learn: return ["\(name) writes \(page)"]
    case .unshare: return ["\(name) pins \(page) read", "\(name) unpins \(page)"]
    case .pin(_, _, _, let write, let force):
      return ["\(name) pins \(page) \(write ? "write" : "read")\(force ? " force" : "")"]
    case .unpin: return ["\(name) unpins \(page)"]
    case .takeReference: return ["get-ref \(name) \(page)"]
    case .dropReference: return ["put-ref \(name) \(page)"]
    case .swapOut(_, _, let keepsCache, let writeback, _):
      return ["swapout \(name) \(page)" + (writeback ? " under-writeback" : keepsCache ? " in-cache" : "")]
    case .swapIn(_, _, _, let write): return ["\(name) \(write ? "writes" : "reads") \(page)"]
    case .migrationBegin: return ["migration-set \(name) \(page)"]
    case .migrationSet: return ["migration-set \(name) \(page) only"]
    case .migrationRestore, .migrationEnd: return ["restore \(name) \(page)"]
    case .ksmWriteProtect: return ["ksm-wrprotect \(name) \(page)"]
    case .ksmReplaceByZero: return ["ksm-zero \(name) \(page)"]
    case .splitPMD: return ["split-pmd \(name) \(page)"]
    case .splitFolio: return ["split-folio \(name) \(page)"]
    case .collapse(_, _, let order, _, _):
      return ["collapse \(name) \(StoryLines.text(block)) order \(order.rawValue)"]
    case .uffdCopy(_, _, _, let writeProtected): return ["\(name) uffd-copy \(page)\(writeProtected ? " wp" : "")"]
    case .moveToDevice: return ["to-device-private \(name) \(page)"]
    case .deviceInsert: return ["device-insert \(name) \(page)"]
    case .makeDeviceExclusive: return ["make-device-exclusive \(name) \(page)"]
    case .poison: return ["memory-failure \(name) \(page)"]
    default: return []
    }
  }

  /// Of a step over a range; `nil` where no story has it.
  func words(_ name: String, _ pages: Range<Int>) -> String? {
    let range = StoryLines.text(pages)
    switch self {
    case .zap: return "\(name) munmap \(range)"
    case .discard: return "\(name) madvise dontneed \(range)"
    case .protect(_, _, let facts): return "\(name) mprotect \(range) \(facts.protectionWord)"
    case .lazilyFree: return "\(name) madvise free \(range)"
    case .ksmUnmerge: return "\(name) madvise unmergeable \(range)"
    case .cool: return "\(name) madvise cold \(range)"
    case .age: return "mglru-age \(name) \(range)"
    case .installGuards: return "\(name) madvise guard-install \(range)"
    case .removeGuards: return "\(name) madvise guard-remove \(range)"
    case .uffdWriteProtect: return "\(name) uffd-wp \(range)"
    case .uffdResolve: return "\(name) uffd-resolve \(range)"
    case .clearSoftDirty: return "\(name) clear-refs"
    case .numaScan: return "numa-scan \(name) \(range)"
    default: return nil
    }
  }

  /// Whose memory it is about, and for `fork` the parent.
  var mm: MMID? { participants.first }

  /// The mms that it names.
  var participants: [MMID] {
    switch self {
    case .createMM(let mm, _), .readFault(let mm, _, _), .anonymousFault(let mm, _, _, _),
      .hugeFault(let mm, _, _, _, _), .writeFault(let mm, _, _, _), .filePageCopy(let mm, _, _),
      .filePageMapped(let mm, _), .zap(let mm, _), .discard(let mm, _), .freeTables(let mm, _),
      .populateTables(let mm, _), .exitBegin(let mm), .exitEnd(let mm), .move(let mm, _, _), .protect(let mm, _, _),
      .lazilyFree(let mm, _, _), .store(let mm, _, _), .load(let mm, _, _), .forcedStore(let mm, _, _, _),
      .unshare(let mm, _, _), .pin(let mm, _, _, _, _), .unpin(let mm, _), .storeThroughPin(let mm, _),
      .takeReference(let mm, _), .dropReference(let mm, _), .swapOut(let mm, _, _, _, _), .drop(let mm, _),
      .settleDirty(let mm, _, _),
      .endWriteback(let mm, _, _), .swapIn(let mm, _, _, _), .migrationBegin(let mm, _), .migrationEnd(let mm, _),
      .migrationSet(let mm, _), .migrationRestore(let mm, _), .ksmWriteProtect(let mm, _), .ksmStable(let mm, _),
      .ksmReplaceByZero(let mm, _), .ksmGiveUp(let mm, _), .ksmUnmerge(let mm, _, _), .splitPMD(let mm, _),
      .splitFolio(let mm, _), .collapse(let mm, _, _, _, _), .cool(let mm, _), .age(let mm, _),
      .installGuards(let mm, _), .removeGuards(let mm, _), .uffdCopy(let mm, _, _, _), .uffdMove(let mm, _, _),
      .uffdWriteProtect(let mm, _, _), .uffdResolve(let mm, _, _), .clearSoftDirty(let mm, _), .numaScan(let mm, _),
      .numaFault(let mm, _, _, _), .moveToDevice(let mm, _), .returnFromDevice(let mm, _),
      .deviceInsert(let mm, _, _), .makeDeviceExclusive(let mm, _), .restoreDeviceExclusive(let mm, _, _),
      .poison(let mm, _), .learn(let mm, _, _), .resolve(let mm, _, _, _), .forget(let mm):
      return [mm]
    case .forkBegin(let parent, let child), .forkCopy(let parent, let child, _, _), .forkEnd(let parent, let child),
      .forkAbort(let parent, let child):
      return [parent, child]
    case .ksmReplace(let mm, _, let other, _), .ksmMerge(let mm, _, let other, _): return [mm, other]
    case .swapOff: return []
    }
  }

  /// The page where a step at one page takes place.
  var page: VirtualPage? {
    switch self {
    case .readFault(_, let page, _), .anonymousFault(_, let page, _, _), .hugeFault(_, let page, _, _, _),
      .writeFault(_, let page, _, _), .filePageCopy(_, let page, _), .filePageMapped(_, let page),
      .store(_, let page, _), .load(_, let page, _), .forcedStore(_, let page, _, _), .unshare(_, let page, _),
      .pin(_, let page, _, _, _), .unpin(_, let page), .takeReference(_, let page), .dropReference(_, let page),
      .swapOut(_, let page, _, _, _), .drop(_, let page), .swapIn(_, let page, _, _), .migrationBegin(_, let page),
      .migrationEnd(_, let page), .migrationSet(_, let page), .migrationRestore(_, let page),
      .ksmWriteProtect(_, let page), .ksmReplaceByZero(_, let page), .splitPMD(_, let page),
      .splitFolio(_, let page), .collapse(_, let page, _, _, _), .uffdCopy(_, let page, _, _),
      .numaFault(_, let page, _, _), .moveToDevice(_, let page), .returnFromDevice(_, let page),
      .deviceInsert(_, let page, _), .makeDeviceExclusive(_, let page), .restoreDeviceExclusive(_, let page, _),
      .poison(_, let page), .learn(_, let page, _):
      page
    default: nil
    }
  }

  /// The VMA of a step at one page or of `forkCopy`, as the trace told it.
  var facts: VMAFacts? {
    switch self {
    case .readFault(_, _, let facts), .anonymousFault(_, _, _, let facts), .hugeFault(_, _, let facts, _, _),
      .writeFault(_, _, let facts, _), .filePageCopy(_, _, let facts), .store(_, _, let facts),
      .load(_, _, let facts), .forcedStore(_, _, let facts, _), .unshare(_, _, let facts),
      .pin(_, _, let facts, _, _), .swapIn(_, _, let facts, _), .collapse(_, _, _, let facts, _),
      .uffdCopy(_, _, let facts, _), .numaFault(_, _, let facts, _), .deviceInsert(_, _, let facts),
      .restoreDeviceExclusive(_, _, let facts), .forkCopy(_, _, _, let facts):
      facts
    default: nil
    }
  }
}
