// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents
package import Replay

/// Takes down the steps of a replay that touch a few page tables, in whatever mm, and who forked whom.
package struct StepRecorder: Audit {
  package struct Recorded: Sendable {
    package var step: Operation
    /// What an `mremap` moves is mapped by a PMD.
    package var isHuge = false
  }

  package static let description = AuditDescription(
    "steps", question: "Which steps touched these tables?", text: "For telling a story.", figures: [])

  package var interests: AuditInterests { AuditInterests(Transition.allCases) }

  /// Page number / 512, ascending.
  let tables: Set<UInt64>
  private(set) var recorded: [Recorded] = []
  /// Where pages of the tables came from, or what was merged with them.
  private(set) var others: Set<UInt64> = []

  package init(_ facts: KernelFacts) { tables = [] }

  init(tables: Set<UInt64>) { self.tables = tables }

  package func figures(pageShift: UInt8) -> [String: UInt64] { [:] }

  package mutating func before(
    _ step: Operation, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord
  ) {
    guard concerns(step) else { return }
    var one = Recorded(step: step)
    if case .move(let mm, let source, _) = step { one.isHuge = world.memory.isPMDMapped(mm, source.start) }
    recorded.append(one)
  }

  private mutating func concerns(_ step: Operation) -> Bool {
    switch step.extent {
    case .nothing: return false
    case .processes: return true
    case .pages(let range): return touches(range)
    case .both(let first, let second):
      let (touchesFirst, touchesSecond) = (touches(first), touches(second))
      // A whole address space is nobody's partner.
      if touchesFirst || touchesSecond, first.count <= 1 << 20 {
        for range in [first, second] where !range.isEmpty {
          others.formUnion(range.start.rawValue >> 9...range.end.advanced(by: -1).rawValue >> 9)
        }
      }
      return touchesFirst || touchesSecond
    }
  }

  private func touches(_ range: PageRange) -> Bool {
    guard !range.isEmpty else { return false }
    let (low, high) = (range.start.rawValue >> 9, range.end.advanced(by: -1).rawValue >> 9)
    return high - low < 8 ? (low...high).contains(where: tables.contains) : tables.contains { low <= $0 && $0 <= high }
  }
}

/// What a step is about.
enum StepExtent {
  /// No page and no process: it leaves no trace in a story.
  case nothing
  case processes
  case pages(PageRange)
  case both(PageRange, PageRange)
}

extension Operation {
  var extent: StepExtent {
    func one(_ page: VirtualPage) -> StepExtent { .pages(PageRange(start: page, count: 1)) }
    switch self {
    case .createMM, .forkBegin, .forkEnd, .forkAbort, .exitBegin, .exitEnd, .swapOff: return .processes
    case .freeTables, .populateTables, .settleDirty, .forget, .resolve, .endWriteback, .ksmStable, .ksmGiveUp:
      return .nothing
    case .anonymousFault(_, let page, let order, _), .collapse(_, let page, let order, _, _):
      return .pages(PageRange(around: page, order))
    case .hugeFault(_, let page, _, _, _): return .pages(PageRange(around: page, FolioOrder(9)))
    case .readFault(_, let page, _), .writeFault(_, let page, _, _), .filePageCopy(_, let page, _),
      .filePageMapped(_, let page), .store(_, let page, _), .load(_, let page, _), .forcedStore(_, let page, _, _),
      .unshare(_, let page, _), .pin(_, let page, _, _, _), .unpin(_, let page), .storeThroughPin(_, let page),
      .takeReference(_, let page), .dropReference(_, let page), .swapOut(_, let page, _, _, _), .drop(_, let page),
      .swapIn(_, let page, _, _), .migrationBegin(_, let page), .migrationEnd(_, let page),
      .migrationSet(_, let page), .migrationRestore(_, let page), .ksmWriteProtect(_, let page),
      .ksmReplaceByZero(_, let page), .splitPMD(_, let page), .splitFolio(_, let page),
      .uffdCopy(_, let page, _, _), .numaFault(_, let page, _, _), .moveToDevice(_, let page),
      .returnFromDevice(_, let page), .deviceInsert(_, let page, _), .makeDeviceExclusive(_, let page),
      .restoreDeviceExclusive(_, let page, _), .poison(_, let page), .learn(_, let page, _):
      return one(page)
    case .forkCopy(_, _, let range, _), .zap(_, let range), .discard(_, let range), .protect(_, let range, _),
      .lazilyFree(_, let range, _), .ksmUnmerge(_, let range, _), .cool(_, let range), .age(_, let range),
      .installGuards(_, let range), .removeGuards(_, let range), .uffdWriteProtect(_, let range, _),
      .uffdResolve(_, let range, _), .clearSoftDirty(_, let range), .numaScan(_, let range):
      return .pages(range)
    case .move(_, let source, let destination):
      return .both(source, PageRange(start: destination, count: source.count))
    case .uffdMove(_, let source, let destination):
      return .both(PageRange(start: source, count: 1), PageRange(start: destination, count: 1))
    case .ksmReplace(_, let page, _, let other), .ksmMerge(_, let page, _, let other):
      return .both(PageRange(start: page, count: 1), PageRange(start: other, count: 1))
    }
  }
}
