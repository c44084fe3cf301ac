// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Page tables that the model has for a fault which was told at its entry, or at its allocation: the kernel makes them
/// when the fault gets there. The last one of each task.
struct EarlyTables {
  private var tables: [MMID: [TaskID: UInt64]] = [:]

  /// `base`: vpn / 512.
  mutating func made(_ mm: MMID, base: UInt64, by task: TaskID) { tables[mm, default: [:]][task] = base }

  func contains(_ mm: MMID, base: UInt64) -> Bool { tables[mm]?.values.contains(base) ?? false }

  mutating func forget(_ mm: MMID) { if !tables.isEmpty { tables[mm] = nil } }
}

/// What a snapshot may have caught half done: a fault, a call, a collapse, an `execve`. What such a thing may have changed
/// is compared with nothing.
extension ReplayDriver {
  mutating func underWay(_ mm: MMID, _ what: UnderWay) {
    guard !snapshots.isEmpty else { return }
    switch what {
    case .fault(let page, let access):
      // Where something is mapped, nothing around it is.
      let fills = !access.contains(.present) || access.contains(.remote)
      let around = fills && mayMapAnonymous(mm, page) ? PageRange(around: page, FolioOrder(9)) : nil
      let (entry, movesTables) = (entryRange(mm, page), mayMakeTable(mm, page))
      updateSnapshots(of: mm) {
        $0.unsettled.append(entry)
        if let around { $0.inMotion.append(around) }
        if movesTables { $0.movesTables = true }
      }
    case .call(let range):
      let movesTables = mayMakeTables(mm, range)
      updateSnapshots(of: mm) {
        $0.inMotion.append(range)
        if movesTables { $0.movesTables = true }
      }
    }
  }

  /// Mapped by a PMD, a page has the flag of the folio's first one.
  mutating func noteTouchedEntry(_ mm: MMID, _ page: VirtualPage) {
    guard !snapshots.isEmpty else { return }
    noteTouched(mm, page)
    noteTouched(mm, entryRange(mm, page).start)
  }

  /// Before the fault takes effect in the model.
  mutating func noteEarlyTable(_ mm: MMID, _ page: VirtualPage, _ access: FaultAccess, _ outcome: FaultOutcome) {
    guard outcome == .quiet || kernel.batchesCounters, !access.contains(.present) else { return }
    let base = page.rawValue &>> 9
    if !lockstep.baseline.memory.hasTable(mm, base: base) { earlyTables.made(mm, base: base, by: current.task) }
  }

  private func mayMakeTable(_ mm: MMID, _ page: VirtualPage) -> Bool {
    let base = page.rawValue &>> 9
    return !lockstep.baseline.memory.hasTable(mm, base: base) || earlyTables.contains(mm, base: base)
  }

  private static let mostLookedAt: UInt64 = 512

  private func mayMakeTables(_ mm: MMID, _ range: PageRange) -> Bool {
    guard !range.isEmpty else { return false }
    let (first, last) = (range.start.rawValue &>> 9, range.end.advanced(by: -1).rawValue &>> 9)
    guard last - first < Self.mostLookedAt else { return true }
    return (first...last).contains { !lockstep.baseline.memory.hasTable(mm, base: $0) }
  }

  /// What a fault maps around its page may be a large folio's pages, or a file's, which no snapshot compares.
  private func mayMapAnonymous(_ mm: MMID, _ page: VirtualPage) -> Bool {
    switch facts(mm, page).backing {
    case .anonymous, .loader, .hugetlb, .hugetlbFile, .gigantic, .unknown: true
    case .privateFile, .shared: false
    }
  }

  /// `collapse_huge_page` tells when it has given mmap_lock back, which reading pagemap waits for.
  mutating func noteCollapsing(_ mappers: [(mm: MMID, page: VirtualPage)]) {
    for mapper in mappers {
      updateSnapshots(of: mapper.mm) { $0.unsettled.append(PageRange(around: mapper.page, FolioOrder(9))) }
    }
  }

  /// The stack of a new program is filled before it has its place (`setup_arg_pages`).
  func hasUnplacedArguments(_ mm: MMID) -> Bool { programs[mm]?.arguments.isEmpty == false }

  /// The kernel's page proves nothing where the model has none: it came, or is going, with something under way.
  func isInMotion(_ shown: ProcessSnapshot.Page, _ open: OpenSnapshot) -> Bool {
    if let program = programs[open.mm], program.arguments.contains(shown.pfn) { return true }
    return open.isInMotion(shown.page) && lockstep.baseline.memory.entry(open.mm, shown.page).kind != .present
  }
}
