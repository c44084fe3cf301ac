// SPDX-License-Identifier: GPL-2.0-only

extension Transition {
  /// The call site that a patch for C has to change where C-raw, on this path of the unmodified kernel, does not say
  /// what today's flag says; `nil` where the path changes nothing and only shows what another left behind.
  package var callSiteOfC: CallSiteSwitch? {
    switch self {
    case .fork, .forkAbort: .cFork
    case .mprotect: .cMprotect
    case .swapIn, .swapOff: .cSwapin
    case .unshare: .cUnshare
    case .madvFree: .cMadvFree
    case .migrationRestore: .cMig
    case .migrationSet: .cForkMig
    case .softDirty: .cSoftDirty
    case .userfault: .cUffd
    case .numa: .cNUMA
    case .ksm: .cZero
    case .deviceMemory: .cDevPriv
    case .hugetlb: .cHugetlb
    case .anonymousFault, .fileCopy, .thpFault: .cForce
    case .create, .writeFault, .swapOut, .zap, .dontNeed, .exit, .mremap, .lazyfree, .guards, .pmdSplit, .folioSplit,
      .collapse, .pin, .hwpoison, .reclaim, .store, .snapshot:
      nil
    }
  }
}
