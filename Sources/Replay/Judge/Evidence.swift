// SPDX-License-Identifier: GPL-2.0-only

/// Everything a verdict rests on, for one entry of an encoding's world.
package struct Evidence: Sendable, Equatable {
  /// b: the baseline's claim at the same mm and page.
  package var baseline: Claim
  /// t0: nobody else can observe the page in the baseline's world.
  package var baselineTruth: Claim
  /// There is an entry in the baseline's world whose bit could be bettered.
  package var baselineHasEntry: Bool
  /// e: the encoding's claim.
  package var encoding: Claim
  /// t: nobody else can observe the page in the encoding's own world.
  package var truth: Claim
  package var isWritable: Bool
  /// The page, or the pin taken through this entry, would be hit by a copy.
  package var isPinned: Bool
  /// What a reuse check would say at this instant; `nil`: not known.
  package var reusePasses: Bool?
  package var isUnderStableWriteback: Bool
  package var isLivelocked: Bool
  /// The content is older than the baseline's.
  package var isStale: Bool

  package init(
    baseline: Claim, baselineTruth: Claim = .exclusive, baselineHasEntry: Bool = true, encoding: Claim,
    truth: Claim = .exclusive, isWritable: Bool = false, isPinned: Bool = false, reusePasses: Bool? = true,
    isUnderStableWriteback: Bool = false, isLivelocked: Bool = false, isStale: Bool = false
  ) {
    self.baseline = baseline
    self.baselineTruth = baselineTruth
    self.baselineHasEntry = baselineHasEntry
    self.encoding = encoding
    self.truth = truth
    self.isWritable = isWritable
    self.isPinned = isPinned
    self.reusePasses = reusePasses
    self.isUnderStableWriteback = isUnderStableWriteback
    self.isLivelocked = isLivelocked
    self.isStale = isStale
  }

  /// The kernel's bit is the kernel's proof that nobody else maps the page: where the model holds both, its list of
  /// mappers is wrong, and not an encoding.
  package var isContradictory: Bool { baseline == .exclusive && baselineTruth == .shared }
}
