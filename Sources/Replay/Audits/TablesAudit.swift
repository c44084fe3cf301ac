// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Page tables that are held empty: how many, what emptied them, how soon they are wanted again, and what freeing them
/// would have caught.
package struct TablesAudit: Audit {
  package static let description = AuditDescription(
    "tables", question: "How many page tables are held empty, and what would freeing them have caught?",
    text: """
      A page table is there from the first fault, fork, move or population that needs it, a file's too, until \
      free_pgtables finds no VMA left for it, MADV_DONTNEED reclaims it (CONFIG_PT_RECLAIM), its PMD is zapped (THP), or \
      the mm exits. It is empty when all 512 entries are none: markers, swap entries and zero pages fill it, and a table \
      below a huge page counts as filled. Counted are those of the mms that are followed, at the end of each event: what \
      one call empties and frees is told as one.

      A table with pages of a file, of an mm that was there before the recording, or of one that is filled unseen \
      (userfaultfd, hugetlb), is never counted as empty: what else it maps is not known. uncounted_peak says how many.

      The kernel referees tables and bytes: VmPTE in each snapshot, of mms whose tables are all known (verify, "tables").
      """,
    figures: [
      Figure("tables_peak", "page tables at most", "PTE tables at one time, of all mms.", needs: seen),
      Figure(
        "bytes_peak", "bytes of page tables at most", "At one time, of all mms: PTE, PMD and PUD tables, a page each.",
        needs: seen),
      Figure("empty_peak", "empty ones at most", "PTE tables with nothing in them, at one time.", needs: seen),
      Figure(
        "uncounted_peak", "not known to be empty or not, at most", "PTE tables that are there, without a known entry.",
        needs: seen),
      Figure(
        "emptied", "tables emptied",
        "The last entry went, not with the VMA (munmap of all the table spans) or the mm: by MADV_DONTNEED, munmap of a "
          + "part, reclaim after MADV_FREE, mremap or UFFDIO_MOVE of what was there, or guard removal.", needs: seen),
      Figure("emptied_dontneed", "by MADV_DONTNEED", "Of them.", needs: seen),
      Figure("emptied_munmap", "by munmap of a part", "Of them.", needs: seen),
      Figure("emptied_moved", "by a move", "Of them: mremap, UFFDIO_MOVE.", needs: seen),
      Figure(
        "emptied_otherwise", "otherwise", "Of them: reclaim, guard removal, and what the trace does not tell.",
        needs: seen),
      Figure("refilled_100ms", "filled again within 0.1 s", "Of them, kept or freed.", needs: seen),
      Figure("refilled_1s", "filled again within 1 s", "Of them, kept or freed.", needs: seen),
      Figure("refilled_10s", "filled again within 10 s", "Of them, kept or freed.", needs: seen),
      Figure("refilled", "filled again", "Of them, whenever.", needs: seen),
      Figure(
        "freed_upstream", "freed by MADV_DONTNEED",
        "What this kernel freed: empty at the end of a single call that covers the table whole.", needs: seen),
      Figure(
        "freed_any_range", "freed if the range did not matter",
        "Of those emptied, by MADV_DONTNEED or munmap of any range: what freeing in these calls would have caught.",
        needs: seen),
      Figure(
        "empty_100ms", "empty for less than 0.1 s",
        "Times that a table was there with nothing in it, until it had an entry, was freed, or the capture ended.",
        needs: seen),
      Figure("empty_1s", "for less than 1 s", "Likewise, from 0.1 s on.", needs: seen),
      Figure("empty_10s", "for less than 10 s", "Likewise, from 1 s on.", needs: seen),
      Figure("empty_longer", "for longer", "Likewise.", needs: seen),
      Figure(
        "scan_1s_freed", "freed by a scan every second",
        "Empty tables that something which looks each full second of the trace clock would have found.", needs: seen),
      Figure("scan_1s_rebuilt", "of them made again", "Filled later.", needs: seen),
      Figure("scan_10s_freed", "freed by a scan every 10 s", "Likewise.", needs: seen),
      Figure("scan_10s_rebuilt", "of them made again", "Filled later.", needs: seen),
    ])
  package var interests: AuditInterests { .tables }

  private typealias Figure = AuditDescription.Figure
  private static let seen: [Capability] = [.pageFaults, .calls, .layouts]

  /// Where a table is: its number goes to another when it is freed.
  private struct Place: Equatable {
    let mm: MMID
    let base: UInt64

    init(mm: MMID, base: UInt64) { (self.mm, self.base) = (mm, base) }

    init(_ owner: (mm: MMID, page: VirtualPage)) { self.init(mm: owner.mm, base: owner.page.rawValue &>> 9) }

    var page: VirtualPage { VirtualPage(base &<< 9) }
  }

  /// By the number of the table.
  private var tables: [(state: PageTableState, place: Place)] = []
  /// How many there are now, by state.
  private var now = [UInt64](repeating: 0, count: PageTableState.allCases.count)
  private var tablesPeak: UInt64 = 0
  /// In tables of any level.
  private var bytesPeak: UInt64 = 0
  private var emptyPeak: UInt64 = 0
  private var uncountedPeak: UInt64 = 0
  /// When tables were emptied that were not filled since, kept or freed, by mm and base.
  private var emptied: [MMID: [UInt64: Emptied]] = [:]
  private var emptiedCount: UInt64 = 0
  /// By MADV_DONTNEED, munmap, moves, and otherwise.
  private var emptiedBy: [UInt64] = [0, 0, 0, 0]
  private var emptyTime = EmptyTime()
  /// Within 0.1 s, 1 s, 10 s, and whenever.
  private var refilled: [UInt64] = [0, 0, 0, 0]
  /// How many tables each mm has, and what it came to.
  private var perMM: [MMID: PerMM] = [:]
  private var last = Timestamp(nanoseconds: 0)
  private var freedUpstream: UInt64 = 0
  private var freedAnyRange: UInt64 = 0
  private var firstEmptied: AuditExample?
  private var firstFreed: AuditExample?
  private var mostEmpty: AuditExample?

  private struct Emptied {
    let since: Timestamp
    /// The kernel freed it: nothing is held any more.
    var isFreed = false
  }

  private struct PerMM {
    /// Who made its first, and when.
    let task: TaskID
    let sequence: Sequence
    var tables = 0
    var empty = 0
    var tablesPeak = 0
    var emptyPeak = 0
  }

  private static let mmsTold = 10

  package init(_ facts: KernelFacts) {}

  package mutating func tablesChanged(
    _ tables: ContiguousArray<TableID>, _ world: borrowing World<Baseline>, _ record: MMEventRecord
  ) {
    last = record.time
    for table in tables {
      let state = world.memory.tableState(table)
      changed(table, state, state == .absent ? nil : Place(world.memory.owner(EntryRef(table: table, slot: 0))), record)
    }
    if case .mmExited = record.event, let mm = record.mm { forgetAll(mm) }
    let (count, empty) = counts
    tablesPeak = max(tablesPeak, count)
    bytesPeak = max(bytesPeak, count + UInt64(world.memory.upperTableCount))
    uncountedPeak = max(uncountedPeak, now[PageTableState.uncounted.rawValue])
    guard empty > emptyPeak, let mm = record.mm else { return }
    emptyPeak = empty
    mostEmpty = AuditExample(
      "\(empty) of \(count) empty, the last in mm\(mm.rawValue)", mm: mm, sequence: record.sequence)
  }

  /// Page tables that there are now, of the lowest level, and how many of them are known to be empty.
  var counts: (tables: UInt64, empty: UInt64) {
    (now[PageTableState.empty.rawValue...].reduce(0, +), now[PageTableState.empty.rawValue])
  }

  private mutating func changed(
    _ table: TableID, _ state: PageTableState, _ place: Place?, _ record: MMEventRecord
  ) {
    while tables.count <= table.index { tables.append((.absent, Place(mm: MMID(0), base: 0))) }
    var before = tables[table.index]
    now[before.state.rawValue] -= before.state == .absent ? 0 : 1
    now[state.rawValue] += state == .absent ? 0 : 1
    tables[table.index] = (state, place ?? before.place)
    count(before.place.mm, before.state, -1, record)
    count((place ?? before.place).mm, state, 1, record)
    // It moved, or the number is another table's.
    if let place, place != before.place { before = (.absent, place) }
    switch (before.state, state) {
    case (.filled, .empty), (.uncounted, .empty): wasEmptied(before.place, record)
    case (.filled, .absent), (.uncounted, .absent):
      guard record.event.isDiscard else { return }
      wasEmptied(before.place, record)
      wasFreed(before.place, record)
    case (.empty, .absent):
      if record.event.isDiscard { wasFreed(before.place, record) } else { forget(before.place) }
    case (.absent, .filled), (.absent, .deposited), (.absent, .uncounted), (.empty, .filled), (.empty, .deposited),
      (.empty, .uncounted):
      wasFilled(before.place, record)
    case (.absent, _), (.empty, .empty), (.filled, _), (.deposited, _), (.uncounted, _): break
    }
  }

  private mutating func wasEmptied(_ place: Place, _ record: MMEventRecord) {
    emptied[place.mm, default: [:]][place.base] = Emptied(since: record.time)
    emptiedCount += 1
    emptiedBy[Self.emptier(record.event)] += 1
    if record.event.isDiscard || record.event.isUnmap { freedAnyRange += 1 }
    guard firstEmptied == nil else { return }
    firstEmptied = AuditExample(
      "emptied: mm\(place.mm.rawValue)", mm: place.mm, page: place.page, sequence: record.sequence)
  }

  private mutating func wasFreed(_ place: Place, _ record: MMEventRecord) {
    freedUpstream += 1
    if let empty = emptied[place.mm]?[place.base], !empty.isFreed {
      emptied[place.mm]?[place.base]?.isFreed = true
      // What was emptied and freed by one call was never held.
      if empty.since != record.time { emptyTime.ended(since: empty.since, at: record.time, refilled: false) }
    }
    guard firstFreed == nil else { return }
    firstFreed = AuditExample(
      "freed by MADV_DONTNEED: mm\(place.mm.rawValue)", mm: place.mm, page: place.page, sequence: record.sequence)
  }

  private mutating func wasFilled(_ place: Place, _ record: MMEventRecord) {
    guard let empty = emptied[place.mm]?.removeValue(forKey: place.base) else { return }
    if !empty.isFreed { emptyTime.ended(since: empty.since, at: record.time, refilled: true) }
    refilled[3] += 1
    for (index, limit) in EmptyTime.limits.enumerated()
    where record.time.nanoseconds < empty.since.nanoseconds &+ limit {
      refilled[index] += 1
    }
  }

  /// It went with its VMA: what comes to that place is something else.
  private mutating func forget(_ place: Place) {
    guard let empty = emptied[place.mm]?.removeValue(forKey: place.base), !empty.isFreed else { return }
    emptyTime.ended(since: empty.since, at: last, refilled: false)
  }

  private mutating func forgetAll(_ mm: MMID) {
    for (_, empty) in emptied.removeValue(forKey: mm) ?? [:] where !empty.isFreed {
      emptyTime.ended(since: empty.since, at: last, refilled: false)
    }
    if perMM[mm]?.emptyPeak == 0 { perMM[mm] = nil }
  }

  private mutating func count(_ mm: MMID, _ state: PageTableState, _ change: Int, _ record: MMEventRecord) {
    guard state != .absent else { return }
    var account = perMM[mm] ?? PerMM(task: record.task, sequence: record.sequence)
    account.tables += change
    if state == .empty { account.empty += change }
    account.tablesPeak = max(account.tablesPeak, account.tables)
    account.emptyPeak = max(account.emptyPeak, account.empty)
    perMM[mm] = account
  }

  /// Index in `emptiedBy`.
  private static func emptier(_ event: MMEvent) -> Int {
    switch event {
    case .advised(_, .dontNeed): 0
    case .unmapped: 1
    case .moved: 2
    default: 3
    }
  }

  package func figures(pageShift: UInt8) -> [String: UInt64] {
    // Those that are empty yet.
    var emptyTime = emptyTime
    for empty in emptied.values.flatMap(\.values) where !empty.isFreed {
      emptyTime.ended(since: empty.since, at: last, refilled: false)
    }
    let (lasted, scans) = (emptyTime.lasted, emptyTime.scans)
    return [
      "tables_peak": tablesPeak, "bytes_peak": bytesPeak &<< UInt64(pageShift), "empty_peak": emptyPeak,
      "uncounted_peak": uncountedPeak, "emptied": emptiedCount, "emptied_dontneed": emptiedBy[0],
      "emptied_munmap": emptiedBy[1], "emptied_moved": emptiedBy[2], "emptied_otherwise": emptiedBy[3],
      "refilled_100ms": refilled[0], "refilled_1s": refilled[1], "refilled_10s": refilled[2], "refilled": refilled[3],
      "freed_upstream": freedUpstream, "freed_any_range": freedAnyRange, "empty_100ms": lasted[0],
      "empty_1s": lasted[1], "empty_10s": lasted[2], "empty_longer": lasted[3], "scan_1s_freed": scans[0].freed,
      "scan_1s_rebuilt": scans[0].rebuilt, "scan_10s_freed": scans[1].freed, "scan_10s_rebuilt": scans[1].rebuilt,
    ]
  }

  /// The mms that came to most tables follow the first instances.
  package func examples(pageShift: UInt8) -> [AuditExample] {
    let most = perMM.sorted { ($1.value.tablesPeak, $0.key) < ($0.value.tablesPeak, $1.key) }.prefix(Self.mmsTold)
    return [mostEmpty, firstEmptied, firstFreed].compactMap(\.self)
      + most.filter { $0.value.emptyPeak > 0 }.map { mm, account in
        AuditExample(
          "mm\(mm.rawValue) (pid \(account.task.rawValue)): \(account.tablesPeak) tables at most, "
            + "\(account.emptyPeak) empty at most", mm: mm, sequence: account.sequence)
      }
  }
}

extension MMEvent {
  fileprivate var isUnmap: Bool { if case .unmapped = self { true } else { false } }
}
