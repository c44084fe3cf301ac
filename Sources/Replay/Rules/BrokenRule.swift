// SPDX-License-Identifier: GPL-2.0-only

extension Verdict {
  /// The rule a divergence is reported under: the definition of the encoding for what it claims, the kernel's own
  /// invariant for what that breaks. `nil`: nothing is broken.
  package func brokenRule(_ encoding: EncodingID, at transition: Transition) -> RuleID? {
    brokenRule(of: encoding.rule(brokenBy: self), at: transition)
  }

  /// All of them, wherever it comes about.
  package func rules(of encoding: EncodingID) -> Set<RuleID> {
    let own = encoding.rule(brokenBy: self)
    return Set(Transition.allCases.compactMap { brokenRule(of: own, at: $0) })
  }

  /// `own`: what the encoding files it under.
  private func brokenRule(of own: RuleID?, at transition: Transition) -> RuleID? {
    switch self {
    case .unsafe, .unsafeIO: own ?? .i2
    // Of the dirty bit the kernel's invariants of exclusivity say nothing.
    case .dataLoss: own ?? .c3
    case .conservativePin: own ?? .i5
    case .livelock: own ?? .i6
    case .invariantBreak: own ?? .i1
    case .conservativeCopy, .conservativeFault, .lost:
      switch transition {
      // Whatever the definition, these paths may not take it away.
      case .mprotect, .numa, .softDirty, .userfault: .i16
      case .zap, .dontNeed, .exit: .i15
      case .create, .anonymousFault, .fileCopy, .writeFault, .unshare, .swapOut, .swapIn, .swapOff, .fork, .forkAbort,
        .mremap, .madvFree, .lazyfree, .guards, .migrationSet, .migrationRestore, .ksm, .thpFault, .pmdSplit,
        .folioSplit, .collapse, .pin, .deviceMemory, .hugetlb, .hwpoison, .reclaim, .store, .snapshot:
        own ?? .i7
      }
    case .better: .i8
    case .ok: nil
    }
  }
}
