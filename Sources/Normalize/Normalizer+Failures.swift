// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The errors that say how far a call came.
private enum CallFailure {
  /// `ENOMEM`: the range has a hole.
  static let hole: Int64 = 12
  /// `EACCES`: a VMA may not have the protection.
  static let access: Int64 = 13
  /// `EINVAL`: a VMA cannot be split where the range begins or ends (hugetlb).
  static let invalid: Int64 = 22
}

/// Calls that go VMA by VMA and fail in the middle keep what they have done.
extension Normalizer {
  /// Unless a removal showed, and was told then.
  mutating func advised(_ window: SyscallWindow, _ mm: MMID, _ advice: Advice) {
    guard !window.isApplied else { return }
    emit(mm, .advised(pages(window.arguments[0], window.arguments[1]), advice))
  }

  mutating func appliedInPart(_ window: SyscallWindow, _ mm: MMID, error: Int64) {
    let arguments = window.arguments
    switch window.call {
    // `madvise_walk_vmas` goes on behind a hole, and tells of it at the end.
    case .madvise where error == CallFailure.hole:
      guard let advice = Advice(madvise: arguments[2]), advice.skipsHoles else { return }
      advised(window, mm, advice)
    // `do_mprotect_pkey` ends at the VMA that it cannot change. Which one that is, is not told.
    case .mprotect, .pkeyMprotect:
      guard [CallFailure.hole, CallFailure.access, CallFailure.invalid].contains(error), isPageAligned(arguments[0])
      else { return }
      emit(mm, .protected(pages(arguments[0], arguments[1]), .unknown))
    default: break
    }
  }

  private func isPageAligned(_ address: UInt64) -> Bool { address & (1 << pageShift - 1) == 0 }
}

extension Advice {
  /// `madvise_walk_vmas` visits it, VMA by VMA; populating and collapsing end at a hole.
  fileprivate var skipsHoles: Bool {
    switch self {
    case .dontNeed, .free, .remove, .dontFork, .doFork, .wipeOnFork, .keepOnFork, .mergeable, .unmergeable, .hugePage,
      .noHugePage, .cold, .pageOut, .willNeed, .guardInstall, .guardRemove:
      true
    case .populateRead, .populateWrite, .populate, .collapse: false
    }
  }
}
