// SPDX-License-Identifier: GPL-2.0-only

/// All rules, in the order of `list rules`.
package enum RuleCatalogue {
  package static let all: [any Rule.Type] = [
    WritableIsExclusive.self,
    ExclusiveIsMappedOnce.self,
    ExclusiveHasNoForeignEntry.self,
    SpecialNeverExclusive.self,
    PinnedStaysExclusive.self,
    PinNeedsExclusive.self,
    ClearedOnlyWhereAllowed.self,
    SetOnlyWhereProved.self,
    SwapExclusiveCountsOne.self,
    FlagClearWhileUnmapped.self,
    PMDUsesHead.self,
    ForkLeavesReadOnly.self,
    FastPinSawUnchangedEntry.self,
    NeverMappedTwiceInOneMM.self,
    ZapNeverPromotes.self,
    ProtectionKeepsExclusivity.self,
    FolioFlagCoversAll.self,
    ClearBitMeansExclusive.self,
    BitmapBelongsToTable.self,
    SetBitIsReadOnly.self,
    BitsMeanExclusive.self,
    ExclusiveHasBits.self,
    DirtyLivesInFolio.self,
  ]
}
