// SPDX-License-Identifier: GPL-2.0-only

extension Verdict {
  /// The rule a divergence is reported under: the definition of the encoding for what it claims, the kernel's own
  /// invariant for what that breaks.
  package func brokenRule(_ encoding: EncodingID, at transition: Transition) -> String {
    switch self {
    case .unsafe, .unsafeIO:
      switch encoding {
      case .aAndLazy, .aAndEager, .aOr: "A1"
      case .b: "B1"
      case .cRaw, .cStrict: "C1"
      default: "I2"
      }
    case .dataLoss: "C3"
    case .conservativePin: "I5"
    case .livelock: "I6"
    case .invariantBreak: encoding == .b ? "B3" : "I1"
    case .conservativeCopy, .conservativeFault, .lost:
      switch transition {
      case .mprotect, .numa, .softDirty, .userfault: "I16"
      case .zap, .dontNeed, .exit: "I15"
      case .create, .anonymousFault, .fileCopy, .writeFault, .unshare, .swapOut, .swapIn, .swapOff, .fork, .forkAbort,
        .mremap, .madvFree, .lazyfree, .guards, .migrationSet, .migrationRestore, .ksm, .thpFault, .pmdSplit,
        .folioSplit, .collapse, .pin, .deviceMemory, .hugetlb, .hwpoison, .reclaim, .store, .snapshot:
        switch encoding {
        case .cRaw, .cStrict: "C2"
        default: "I7"
        }
      }
    case .better: "I8"
    case .ok: "-"
    }
  }
}
