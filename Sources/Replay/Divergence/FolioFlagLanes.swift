// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The variants of A. They differ in large folios, swap and migration only: until there is any of that, one of them
/// stands for all.
struct FolioFlagLanes: Sendable {
  static let ids: [EncodingID] = [.aAndLazy, .aAndEager, .aOr]

  private(set) var lazy: Lane<FolioFlag<AndLazy>>?
  private var ownEager: Lane<FolioFlag<AndEager>>?
  private var ownOr: Lane<FolioFlag<Or>>?
  /// The variants that `lazy` stands for.
  private var represented: Set<EncodingID> = []

  init(_ ids: [EncodingID], _ facts: KernelFacts, _ switches: SwitchSet, _ options: WorldOptions) {
    let ids = Set(ids)
    if ids.contains(.aAndLazy) {
      lazy = Lane(facts, switches, options)
      represented = ids.intersection([.aAndEager, .aOr])
    } else {
      if ids.contains(.aAndEager) { ownEager = Lane(facts, switches, options) }
      if ids.contains(.aOr) { ownOr = Lane(facts, switches, options) }
    }
  }

  var eager: Lane<FolioFlag<AndEager>>? {
    represented.contains(.aAndEager) ? lazy.map(Lane.init(continuing:)) : ownEager
  }

  var or: Lane<FolioFlag<Or>>? {
    represented.contains(.aOr) ? lazy.map(Lane.init(continuing:)) : ownOr
  }

  var findings: [(log: DivergenceLog, costs: CostTable)] {
    var all: [(log: DivergenceLog, costs: CostTable)] = []
    if let lazy { all.append((lazy.log, lazy.costs)) }
    if let eager { all.append((eager.log, eager.costs)) }
    if let or { all.append((or.log, or.costs)) }
    return all
  }

  /// Asked thousands of times. (No closure and no `findings`: either copies whole lanes.)
  @inline(__always)
  var divergenceTotals: [(encoding: EncodingID, totals: CertaintyCounts)] {
    var all: [(encoding: EncodingID, totals: CertaintyCounts)] = []
    if let totals = lazy?.log.totals {
      all.append((.aAndLazy, totals))
      for id in [EncodingID.aAndEager, .aOr] where represented.contains(id) { all.append((id, totals)) }
    }
    if let totals = ownEager?.log.totals { all.append((.aAndEager, totals)) }
    if let totals = ownOr?.log.totals { all.append((.aOr, totals)) }
    return all
  }

  /// `nil` where the variant is not replayed.
  func standing(_ mm: MMID, _ page: VirtualPage, in encoding: EncodingID) -> EntryStanding? {
    switch represented.contains(encoding) ? .aAndLazy : encoding {
    case .aAndLazy: lazy?.standing(mm, page)
    case .aAndEager: ownEager?.standing(mm, page)
    case .aOr: ownOr?.standing(mm, page)
    default: nil
    }
  }

  mutating func leaveOut(_ encoding: EncodingID) {
    if represented.remove(encoding) != nil { return }
    switch encoding {
    case .aAndLazy: if represented.isEmpty { lazy = nil }
    case .aAndEager: ownEager = nil
    case .aOr: ownOr = nil
    default: break
    }
  }

  mutating func step(_ operation: Operation, follows: Bool, _ expected: Outcome, after baseline: World<Baseline>) {
    separate(before: operation)
    lazy?.step(operation, follows: follows, expected, after: baseline)
    ownEager?.step(operation, follows: follows, expected, after: baseline)
    ownOr?.step(operation, follows: follows, expected, after: baseline)
  }

  mutating func stepAndJudge(
    _ operation: Operation, follows: Bool, _ expected: Outcome, after baseline: World<Baseline>, _ doubts: Doubts,
    _ context: JudgingContext
  ) {
    separate(before: operation)
    lazy?.stepAndJudge(operation, follows: follows, expected, after: baseline, doubts, context)
    ownEager?.stepAndJudge(operation, follows: follows, expected, after: baseline, doubts, context)
    ownOr?.stepAndJudge(operation, follows: follows, expected, after: baseline, doubts, context)
  }

  /// Unless all do the same.
  @inline(__always)
  private mutating func separate(before operation: Operation) {
    guard !represented.isEmpty, !operation.isAlikeForFolioFlags else { return }
    (ownEager, ownOr) = (eager, or)
    represented = []
  }

  mutating func judgeTouched(_ baseline: World<Baseline>, _ doubts: Doubts, _ context: JudgingContext) {
    lazy?.judgeTouched(baseline, doubts, context)
    ownEager?.judgeTouched(baseline, doubts, context)
    ownOr?.judgeTouched(baseline, doubts, context)
  }

  mutating func forgetTouched() {
    lazy?.forgetTouched()
    ownEager?.forgetTouched()
    ownOr?.forgetTouched()
  }

  mutating func checkState(_ baseline: World<Baseline>, _ doubts: Doubts) {
    lazy?.checkState(baseline, doubts)
    ownEager?.checkState(baseline, doubts)
    ownOr?.checkState(baseline, doubts)
  }

  mutating func ownBytes() -> Int { (lazy?.ownBytes() ?? 0) + (ownEager?.ownBytes() ?? 0) + (ownOr?.ownBytes() ?? 0) }

  /// With the baseline, and with each other.
  mutating func shareEqualState(with baseline: inout World<Baseline>) {
    lazy?.shareEqualState(with: &baseline)
    ownEager?.shareEqualState(with: &baseline)
    ownOr?.shareEqualState(with: &baseline)
    guard var first = lazy.take() else { return }
    ownEager?.world.memory.shareEqual(with: &first.world.memory)
    ownOr?.world.memory.shareEqual(with: &first.world.memory)
    lazy = first
  }
}

extension Operation {
  /// Every `FolioFlagPolicy` does the same here, as long as it was so from the beginning: the operation neither makes
  /// nor unmaps for a while (`temporarilyUnmapped`), so all folios are small and nothing is restored.
  fileprivate var isAlikeForFolioFlags: Bool {
    switch self {
    case .anonymousFault(_, _, let order, _): order == .base
    case .createMM, .readFault, .writeFault, .filePageCopy, .filePageMapped, .forkBegin, .forkCopy, .forkEnd,
      .forkAbort, .zap, .discard, .freeTables, .populateTables, .exitBegin, .exitEnd, .move, .protect, .lazilyFree,
      .learn,
      .resolve, .forget, .installGuards, .removeGuards:
      true
    case .hugeFault, .store, .load, .forcedStore, .unshare, .pin, .unpin, .storeThroughPin, .takeReference,
      .dropReference, .swapOut, .drop, .settleDirty, .endWriteback, .swapIn, .swapOff, .migrationBegin, .migrationEnd,
      .migrationSet,
      .migrationRestore, .ksmWriteProtect, .ksmStable, .ksmReplace, .ksmReplaceByZero, .ksmGiveUp, .ksmMerge,
      .ksmUnmerge, .splitPMD, .splitFolio, .collapse, .cool, .age, .uffdCopy,
      .uffdMove, .uffdWriteProtect, .uffdResolve, .clearSoftDirty, .numaScan, .numaFault, .moveToDevice,
      .returnFromDevice, .deviceInsert, .makeDeviceExclusive, .restoreDeviceExclusive, .poison:
      false
    }
  }
}
