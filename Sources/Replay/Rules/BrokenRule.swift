// SPDX-License-Identifier: GPL-2.0-only

extension Verdict {
  /// The rule a divergence is reported under: the definition of the encoding for what it claims, the kernel's own
  /// invariant for what that breaks. `nil`: nothing is broken.
  package func brokenRule(_ encoding: EncodingID, at transition: Transition) -> RuleID? {
    switch self {
    case .unsafe, .unsafeIO:
      switch encoding {
      case .aAndLazy, .aAndEager, .aOr: .a1
      case .b: .b1
      case .cRaw, .cStrict: .c1
      default: .i2
      }
    case .dataLoss: .c3
    case .conservativePin: .i5
    case .livelock: .i6
    case .invariantBreak: encoding == .b ? .b3 : .i1
    case .conservativeCopy, .conservativeFault, .lost:
      switch transition {
      case .mprotect, .numa, .softDirty, .userfault: .i16
      case .zap, .dontNeed, .exit: .i15
      case .create, .anonymousFault, .fileCopy, .writeFault, .unshare, .swapOut, .swapIn, .swapOff, .fork, .forkAbort,
        .mremap, .madvFree, .lazyfree, .guards, .migrationSet, .migrationRestore, .ksm, .thpFault, .pmdSplit,
        .folioSplit, .collapse, .pin, .deviceMemory, .hugetlb, .hwpoison, .reclaim, .store, .snapshot:
        switch encoding {
        case .cRaw, .cStrict: .c2
        default: .i7
        }
      }
    case .better: .i8
    case .ok: nil
    }
  }
}
