// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Did today's kernel itself lose what an mm could read, or let one write what another sees?
package struct KernelAudit: Audit {
  package static let description = AuditDescription(
    "kernel", question: "Did the kernel itself keep its promises?",
    text: """
      What an mm has in a private anonymous page goes by an act of that mm alone. Reclaim may drop a page unwritten when \
      MADV_FREE gave it up (ttu_anon_lazyfree_folio), but whoever else maps it gave up nothing: where it is dropped for \
      them too, the kernel lost their data (KERNEL-LOSS). On kernels 6.1 to 7.2 that happens to a page that a \
      read-only pin unshared: it is clean, fork shares it, and of a clean page madvise_free_pte_range does not ask who \
      else maps it. A copy that an mm made by fork after the call is given up with it.

      A loss is counted when two witnesses agree that it is one: the frame of a page that MADV_FREE gave up is freed \
      while the model maps it in another mm, or a fault finds nothing where the model has a page that a relative gave up; \
      and the mm's counter of anonymous pages fell in reclaim with no swap entry for it, or the mm faults there later and \
      finds nothing. What is in doubt, and what a fault then finds present, is in loss_in_doubt.

      A page that two entries map is shared, and neither may be writable or exclusive: where set_migration_pte shows two \
      entries of one frame, one of another type than read, the next write reaches both (KERNEL-UNSAFE). A run that \
      MADV_FREE gave up and that reclaim then puts back is how kernels with CVE-2026-31398 come to that; what would come of \
      each such run is counted on every kernel (lazyfree_unsafe). \
      Both findings are the kernel's own words, and no encoding is blamed for them.
      """,
    figures: [
      Figure(
        "dropped", "pages dropped after MADV_FREE", "Entries whose page reclaim discarded unwritten, lost ones too.",
        needs: seen),
      Figure(
        "loss_pages", "pages lost (KERNEL-LOSS)", "Of them, those whose mm never gave them up. Any is a defect.",
        needs: seen, isDefect: true),
      Figure(
        "zeros_read", "of them found empty since", "By a fault of the mm, which read zeros or wrote to a new page.",
        needs: seen),
      Figure(
        "loss_in_doubt", "pages that may be lost",
        "What the model has there is in doubt, the mm was there before the recording, or only one witness tells of it.",
        needs: seen),
      Figure(
        "unsafe_pages", "shared pages with a writable or exclusive entry (KERNEL-UNSAFE)",
        "Frames whose migration entries are two, and one says so. Any is a defect.",
        needs: [.migrationEntries, .pageFaults], isDefect: true),
      Figure(
        "lazyfree_mixed", "runs of MADV_FREE with mixed write bits",
        "Entries of one large folio, a part of them shared, that reclaim takes at once on kernels with CVE-2026-31398; "
          + "on others a run ends where write changes.", needs: [.pageFaults, .calls]),
      Figure(
        "lazyfree_unsafe", "entries of them that putting back would make UNSAFE",
        "Should such a kernel fail to drop the run, which no event shows: shared, and writable like the first.",
        needs: [.pageFaults, .calls]),
      Figure(
        "lazyfree_cons_fault", "CONS-fault", "Likewise: writable before, read-only like the first then.",
        needs: [.pageFaults, .calls]),
    ])

  private typealias Figure = AuditDescription.Figure
  private static let seen: [Capability] = [.pageFaults, .calls, .frees, .counters]
  private static let idle: AuditInterests = [
    AuditInterests([.swapOut, .lazyfree, .madvFree, .fork, .exit]), .reclaimEvents, .migrationEvents,
  ]
  /// While a page is lost that nobody looked for yet.
  private static let watching = idle.union(AuditInterests([.anonymousFault, .writeFault]))
  package var interests: AuditInterests { missing.isEmpty ? Self.idle : Self.watching }

  /// Where pages go; that all were looked for shows late, which costs little.
  package static let turningPoints = AuditInterests([.swapOut, .lazyfree])

  private var families = Families()
  /// What reclaim took and did not swap, by the counters.
  private var counted: [MMID: Counted] = [:]
  /// Pages that are gone, until their mm looks for them.
  private var missing: [MMID: [VirtualPage: Gone]] = [:]
  private var losses: [Loss] = []
  private var migrations = MigrationsOfShared()
  private var runs = MixedRuns()
  private var dropped: UInt64 = 0
  private var lost: UInt64 = 0
  private var zerosRead: UInt64 = 0
  private var inDoubt: UInt64 = 0

  private struct Counted {
    var pages: UInt64
    /// Who reclaimed, and since when.
    let task: TaskID
    let sequence: Sequence
  }

  private struct Gone {
    /// Index in `losses`.
    let loss: Int
    /// Two witnesses told of it.
    var isCounted: Bool
  }

  /// Pages that one mm lost to another's call.
  private struct Loss {
    let mm: MMID
    let page: VirtualPage
    let call: Families.LazyFree?
    var reclaimed: Counted?
    var pages: UInt64 = 0
    /// The event at which the first of them was gone, then the one at which it was found to be.
    var sequence: Sequence
  }

  private static let exampleCount = 5

  package init(_ facts: KernelFacts) {}

  package mutating func saw(_ record: MMEventRecord, _ world: borrowing World<Baseline>) {
    switch record.event {
    case .reclaimed(let pages): if let mm = record.mm { reclaimed(mm, pages, record) }
    case .swappedOut(let pages): if let mm = record.mm { take(mm, pages) }
    case .migrationSet(_, let pfn, let type, _, _, _): migrations.set(pfn, type, record, world)
    case .migrationRemoved: migrations.removed(by: record.task)
    default: break
    }
  }

  private mutating func reclaimed(_ mm: MMID, _ pages: UInt64, _ record: MMEventRecord) {
    if counted[mm] == nil { counted[mm] = Counted(pages: 0, task: record.task, sequence: record.sequence) }
    counted[mm]?.pages &+= pages
  }

  /// The counter's move is explained; `nil` where it did not move.
  @discardableResult
  private mutating func take(_ mm: MMID, _ pages: UInt64) -> Counted? {
    guard let count = counted[mm] else { return nil }
    if count.pages > pages { counted[mm]?.pages -= pages } else { counted[mm] = nil }
    return count
  }

  package mutating func before(
    _ step: Operation, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord
  ) {
    switch step {
    case .swapOut(let mm, let page, _, _, _):
      guard case .freed = record.event, let (folio, _) = world.memory.mappedPage(mm, page),
        world.memory.isLazyfree(folio)
      else {
        return
      }
      for index in 0..<world.memory.pageCount(of: folio) {
        for owner in world.memory.mappers(of: folio, page: index) { drops(owner.mm, owner.page, world, doubts, record) }
      }
    case .drop(let mm, let page): vanished(mm, page, world, doubts, record)
    case .lazilyFree(let mm, let range, _): families.gaveUp(mm, range, record)
    case .forkBegin(let parent, let child): families.forked(parent, child, record.sequence)
    case .exitEnd(let mm):
      families.exited(mm)
      (counted[mm], missing[mm]) = (nil, nil)
    case .readFault(let mm, let page, _), .anonymousFault(let mm, let page, _, _), .writeFault(let mm, let page, _, _):
      if missing[mm]?[page] != nil { looked(mm, page, record) }
    default: break
    }
  }

  package mutating func after(
    _ step: Operation, _ outcome: Outcome, _ world: borrowing World<Baseline>, _ record: MMEventRecord
  ) {
    if case .lazilyFree(let mm, let range, _) = step { runs.gaveUp(mm, range, world, record) }
  }

  // — loss

  /// Reclaim frees a page that MADV_FREE gave up, and this entry maps it.
  private mutating func drops(
    _ mm: MMID, _ page: VirtualPage, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord
  ) {
    dropped += 1
    let counted = take(mm, 1)
    guard !world.memory.entry(mm, page).givenUp else { return }
    guard isKnown(mm, page, world, doubts, record) else {
      inDoubt += 1
      return
    }
    isGone(mm, page, families.call(over: page, notOf: mm), counted, record)
  }

  /// The counters told that a page went, and a fault now finds which: the frame was not known.
  private mutating func vanished(
    _ mm: MMID, _ page: VirtualPage, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord
  ) {
    dropped += 1
    let counted = take(mm, 1)
    guard !world.memory.entry(mm, page).givenUp else { return }
    let isKnown = isKnown(mm, page, world, doubts, record)
    guard isKnown, let call = families.call(over: page, notOf: mm) else {
      inDoubt += 1
      return
    }
    isGone(mm, page, call, counted, record)
  }

  private func isKnown(
    _ mm: MMID, _ page: VirtualPage, _ world: borrowing World<Baseline>, _ doubts: Doubts, _ record: MMEventRecord
  ) -> Bool {
    if !world.memory.isComplete(mm) { return false }
    if world.memory.isDying(mm) { return false }
    // What MADV_PAGEOUT takes, its own task reclaims.
    return doubts.cause(mm, page, besides: record.task) == nil
  }

  private mutating func isGone(
    _ mm: MMID, _ page: VirtualPage, _ call: Families.LazyFree?, _ counted: Counted?, _ record: MMEventRecord
  ) {
    let index =
      losses.firstIndex { $0.mm == mm && $0.call?.mm == call?.mm }
      ?? {
        losses.append(Loss(mm: mm, page: page, call: call, reclaimed: counted, sequence: record.sequence))
        return losses.count - 1
      }()
    if counted == nil { inDoubt += 1 } else { lost += 1 }
    losses[index].pages += counted == nil ? 0 : 1
    missing[mm, default: [:]][page] = Gone(loss: index, isCounted: counted != nil)
  }

  /// The mm faults at a page that is gone: it finds nothing there, or it was there all along.
  private mutating func looked(_ mm: MMID, _ page: VirtualPage, _ record: MMEventRecord) {
    guard let access = record.event.access(at: page), let gone = missing[mm]?.removeValue(forKey: page) else {
      return
    }
    if missing[mm]?.isEmpty == true { missing[mm] = nil }
    let isEmpty = !access.contains(.present)
    if isEmpty { zerosRead += 1 }
    if isEmpty, losses[gone.loss].page == page { losses[gone.loss].sequence = record.sequence }
    guard isEmpty != gone.isCounted else { return }
    lost = isEmpty ? lost + 1 : lost - 1
    inDoubt = isEmpty ? inDoubt - 1 : inDoubt + 1
    losses[gone.loss].pages = isEmpty ? losses[gone.loss].pages + 1 : losses[gone.loss].pages - 1
  }

  // — results

  package func figures(pageShift: UInt8) -> [String: UInt64] {
    [
      "dropped": dropped, "loss_pages": lost, "zeros_read": zerosRead, "loss_in_doubt": inDoubt,
      "unsafe_pages": migrations.unsafe, "lazyfree_mixed": runs.mixed, "lazyfree_unsafe": runs.unsafe,
      "lazyfree_cons_fault": runs.conservativeFault,
    ]
  }

  package func examples(pageShift: UInt8) -> [AuditExample] {
    (losses.filter { $0.pages > 0 }.map(Self.example) + migrations.examples).prefix(Self.exampleCount).map { example in
      var example = example
      example.isFinding = true
      return example
    } + [runs.example].compactMap(\.self)
  }

  private static func example(_ loss: Loss) -> AuditExample {
    let pages = loss.pages == 1 ? "1 page" : "\(loss.pages) pages"
    let giver =
      loss.call.map {
        "mm\($0.mm.rawValue) (pid \($0.task.rawValue)) did, with MADV_FREE at seq \($0.sequence.rawValue)"
      } ?? "another mm did, with MADV_FREE"
    let reclaim =
      loss.reclaimed.map { ", and reclaim by pid \($0.task.rawValue) dropped them from seq \($0.sequence.rawValue) on" }
      ?? ""
    return AuditExample(
      "mm\(loss.mm.rawValue) lost \(pages) that it never gave up: \(giver)" + reclaim, mm: loss.mm, page: loss.page,
      sequence: loss.sequence)
  }
}
