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
  case freeEmptyTables(MMID, PageRange)
  case exitBegin(MMID)
  case exitEnd(MMID)
  case move(MMID, PageRange, VirtualPage)
  case protect(MMID, PageRange, VMAFacts)
  case lazilyFree(MMID, PageRange, VMAFacts)

  /// The kernel path, for signatures.
  package var transition: Transition {
    switch self {
    case .createMM: .create
    case .readFault, .anonymousFault, .filePageMapped: .anonymousFault
    case .hugeFault(_, _, _, _, let isHugetlb): isHugetlb ? .hugetlb : .thpFault
    case .writeFault: .writeFault
    case .filePageCopy: .fileCopy
    case .forkBegin, .forkCopy, .forkEnd: .fork
    case .forkAbort: .forkAbort
    case .zap, .freeEmptyTables: .zap
    case .discard: .dontNeed
    case .exitBegin, .exitEnd: .exit
    case .move: .mremap
    case .protect: .mprotect
    case .lazilyFree: .madvFree
    }
  }
}

extension World {
  package mutating func apply(_ operation: Operation, follows: Bool = false) -> Outcome {
    switch operation {
    case .createMM(let mm, let origin):
      createMM(mm, origin)
      return .done
    case .readFault(let mm, let page, let vma): return readFault(mm, page, vma)
    case .anonymousFault(let mm, let page, let order, let vma):
      if let ref = find(mm, page), tables.entry(ref).kind == .zeroPage { drop(ref) }
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
    case .freeEmptyTables(let mm, let range):
      freeEmptyTables(mm, range)
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
    }
  }
}
