// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What a step did beside changing entries.
struct LitmusStepReport: Sendable {
  /// The operation returned an error.
  var failed = false
  /// The operation found nothing that it applies to.
  var isIdle = false
  var labels: Set<LitmusLabel> = []
  /// Pages written to swap.
  var written: UInt64 = 0
  /// A clean folio was found dirty by a walk over entries.
  var dirtied = false

  init(_ outcome: Outcome = .done) {
    if case .failed(let why) = outcome, why != .livelock { failed = true }
    isIdle = outcome == .nothing
  }

  /// What a story has to say of the step in an encoding's world, where today's kernel did what `expected` tells.
  func labels(beside expected: LitmusStepReport) -> Set<LitmusLabel> {
    var labels = labels
    if failed, !expected.failed { labels.insert(.fail) }
    if written > expected.written || (dirtied && !expected.dirtied) { labels.insert(.cost) }
    return labels
  }
}

/// Steps of a story as transitions of the model.
extension LitmusPlayer {
  /// Generic on purpose, like `LitmusRunner.play`.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func perform(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    world.reclaimed.removeAll()
    let writes = world.swapWrites
    let clean = cleanFolio(operation)
    do {
      var report = try dispatch(operation)
      report.labels.formUnion(takeIncidents())
      report.written = world.swapWrites - writes
      if let clean, world.folios.flags(clean).isSuperset(of: [.live, .dirty]) { report.dirtied = true }
      return report
    } catch {
      switch error {
      case .failed:
        var report = LitmusStepReport()
        report.failed = true
        report.labels = takeIncidents()
        return report
      case .unsupported: throw error
      }
    }
  }

  private mutating func takeIncidents() -> Set<LitmusLabel> {
    defer { world.incidents = [] }
    var labels: Set<LitmusLabel> = []
    if world.incidents.contains(.useAfterFree) { labels.insert(.useAfterFree) }
    if world.incidents.contains(.leak) { labels.insert(.leak) }
    return labels
  }

  /// The clean folio an operation that gathers dirty bits is about to look at.
  private func cleanFolio(_ operation: LitmusOperation) -> FolioID? {
    switch operation {
    case .reclaim(let range), .migrationSet(let range, _), .migrate(let range), .ageMGLRU(let range):
      guard let mm = mms[range.process], let target = mapped(mm, range.pages.lowerBound),
        !world.folios.flags(target.folio).contains(.dirty)
      else { return nil }
      return target.folio
    default: return nil
    }
  }

  private mutating func dispatch(_ operation: LitmusOperation) throws(LitmusStop) -> LitmusStepReport {
    switch operation {
    case .process(let process):
      let mm = try introduce(process)
      world.memory.createMM(mm, .exec)
      vmas[mm] = LitmusVMAMap()
      return LitmusStepReport()
    case .vma(let range, let vma):
      let mm = try mm(range.process)
      // MAP_FIXED_NOREPLACE: what is mapped has to be unmapped by a step of its own.
      guard vmas[mm]?.parts(in: range.half).isEmpty ?? true else { throw .failed }
      vmas[mm]?.insert(range.half, vma)
      return LitmusStepReport()
    case .read, .write, .forceFault, .forceWrite, .uprobeWrite, .pin, .unpin, .getReference, .putReference:
      return try access(operation)
    case .fork, .forkBegin, .forkCopy, .forkEnd, .forkAbort, .exit: return try processStep(operation)
    case .munmap, .mprotect, .mremap, .madvise, .mlock: return try layoutStep(operation)
    case .swapOut, .unmapToSwap, .reclaim, .writebackEnd, .swapoff: return try reclaimStep(operation)
    case .migrate, .migrationSet, .migrationRestore, .splitPMD, .splitFolio, .collapse, .ksmMerge, .ksmWriteProtect,
      .ksmReplace, .ksmZero, .ksmPrepare:
      return try folioStep(operation)
    case .userfaultWriteProtect, .userfaultResolve, .userfaultCopy, .userfaultPoison, .userfaultMove, .clearSoftDirty,
      .pagemapScanWriteProtect, .numaScan, .ageMGLRU, .toDevicePrivate, .deviceInsert,
      .makeDeviceExclusive, .memoryFailure:
      return try trackingStep(operation)
    case .contpteFold, .failBitmapAllocation, .tlbFill, .tlbStore, .tlbFlush, .gupFastRead, .gupFastBegin,
      .gupFastEnd, .reuseCheck, .reuseCommit, .rcuGracePeriod:
      return try concurrentStep(operation)
    }
  }

  /// The same for every page of a range; the first failure ends it.
  mutating func forEachPage(
    _ range: LitmusEntryRange, by stride: Int = 1,
    _ body: (inout Self, MMID, Int) throws(LitmusStop) -> Outcome
  ) throws(LitmusStop) -> LitmusStepReport {
    try forEachPage(of: try mm(range.process), range.pages, by: stride, body)
  }

  mutating func forEachPage(
    of mm: MMID, _ pages: ClosedRange<Int>, by stride: Int = 1,
    _ body: (inout Self, MMID, Int) throws(LitmusStop) -> Outcome
  ) throws(LitmusStop) -> LitmusStepReport {
    var whole = LitmusStepReport()
    whole.isIdle = true
    var page = pages.lowerBound
    while page <= pages.upperBound {
      let report = LitmusStepReport(try body(&self, mm, page))
      if report.failed { return report }
      if !report.isIdle { whole.isIdle = false }
      page += stride
    }
    return whole
  }

  /// After a step: names of freed folios stand for nothing.
  @inline(never)
  @_semantics("optimize.sil.specialize.generic.never")
  mutating func settle() {
    names.forget { !world.folios.flags($0).contains(.live) }
    world.touched.removeAll()
    world.relooked.removeAll()
    world.memory.recarried.removeAll()
    world.descriptorLine = 0
  }

  /// Pages whose unshare fault came back without exclusivity.
  mutating func takeLivelocked() -> Set<LitmusPage> {
    defer { livelocked = [] }
    return livelocked
  }
}
