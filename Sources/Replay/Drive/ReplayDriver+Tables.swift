// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// Page tables that no anonymous page tells of: whose entries are a file's, who has none, and those that go.
extension ReplayDriver {
  /// A fault on what is missing makes the table first (`__handle_mm_fault`). Fault-around maps neighbours of a file's
  /// page in the same table (`do_fault_around`).
  mutating func noteTable(_ mm: MMID, _ page: VirtualPage, _ outcome: FaultOutcome, _ vma: VMAFacts) {
    let isUnseen =
      switch outcome {
      case .quiet, .raced, .unexplained: vma.backing == .privateFile || vma.backing == .shared || vma.backing == .loader
      // A private file's is noted with its entry.
      case .file: vma.backing == .shared
      case .anonymous, .copied, .copiedFromFile, .swappedIn, .pooled, .surplus, .refused, .lost: false
      }
    guard isUnseen, !lockstep.baseline.memory.isUncounted(mm, page) else { return }
    run(.populateTables(mm, PageRange(start: page, count: 1)))
  }

  /// What a call may fill for the model to follow it, page by page or table by table: the size of a range is what the
  /// input says it is.
  private static let mostFilled = (pages: 1 << 16, tables: 1 << 14)

  mutating func guarded(_ mm: MMID, _ range: PageRange) {
    if range.count <= Self.mostFilled.pages {
      run(.installGuards(mm, range))
    } else {
      run(.zap(mm, range))
      lockstep.baseline.memory.doubtTables(mm, .placeNotSeen)
    }
  }

  /// `MADV_POPULATE_*` filled the range. Anonymous pages are told, zero pages and those of files are not.
  mutating func populatedTables(_ mm: MMID, _ range: PageRange, writes: Bool) {
    guard range.count <= Self.mostFilled.tables * PageTables.entriesPerTable else {
      return lockstep.baseline.memory.doubtTables(mm, .placeNotSeen)
    }
    for piece in layouts[mm]?.pieces(of: range) ?? [] where piece.facts != VMAMap.unknown {
      let (isToldByPage, vma) = (writes && piece.facts.backing == .anonymous && piece.facts.mayWrite, piece.facts)
      if vma.backing.isHugetlb || isToldByPage || !vma.isAccessible { continue }
      run(.populateTables(mm, piece.range))
    }
  }

  /// `free_pgtables`: tables go where no VMA is left that they could be for.
  mutating func freeTables(_ mm: MMID, around range: PageRange) {
    anonymousVMAs.remove(mm, range)
    guard let hole = layouts[mm]?.hole(around: range) else { return }
    run(.freeTables(mm, hole))
  }

  /// Anonymous pages of the range go, and leave their `anon_vma` to the VMA.
  mutating func noteAnonymous(_ mm: MMID, _ range: PageRange) {
    for piece in layouts[mm]?.pieces(of: range) ?? [] where piece.facts.backing != .shared {
      if let vma = layouts[mm]?.range(around: piece.range.start), lockstep.baseline.memory.hasAnonymous(mm, piece.range)
      {
        anonymousVMAs.insert(mm, vma)
      }
    }
  }

  /// The facts of a part of a VMA that fork copies, and whether it has an `anon_vma`.
  mutating func forkedFacts(
    _ piece: VMAMap.VMA, of range: PageRange, _ parent: MMID, _ child: MMID
  ) -> VMAFacts {
    // Where no event tells of VMAs, the whole address space comes at once.
    let vma = range.isEverything ? piece.range : range
    var facts = piece.facts
    let isRemembered = anonymousVMAs.contains(parent, anyOf: vma)
    if isRemembered { anonymousVMAs.insert(child, vma) }
    if isRemembered || lockstep.baseline.memory.hasAnonymous(parent, vma) { facts.flags.insert(.copiesTables) }
    return facts
  }

  // — the kernel's own count

  /// `VmPTE` against the model's page tables, where those of the whole mm are known.
  mutating func compareTables(_ open: OpenSnapshot, _ snapshot: ProcessSnapshot) {
    guard let shown = snapshot.pageTableBytes else { return }
    let mm = open.mm
    let expected = UInt64(lockstep.baseline.memory.tableCount(mm)) * ProcessSnapshot.tableBytes
    if lockstep.baseline.memory.isDying(mm) || !open.touchedRanges.isEmpty || expected != open.pageTableBytes {
      return verifier.notCompared(.touchedDuringSnapshot)
    }
    // Populated when it was mapped (`MAP_POPULATE`, a device), or locked.
    let unseen = snapshot.populatedTables.filter { !lockstep.baseline.memory.hasTable(mm, base: $0) }.sorted()
    let isMoving = open.movesTables || hasUnplacedArguments(mm)
    if let cause = doubtAboutTables(mm) ?? (isMoving ? .tablesUnderWay : unseen.isEmpty ? nil : .placeNotSeen) {
      unknown(.table, mm, VirtualPage(0), cause)
    } else if shown == expected {
      verifier.agree(.table)
    } else {
      disagree(
        mm, VirtualPage(0), "\(expected) bytes of page tables", "\(shown)", .pageTablesDiffer, evidence: .table)
      lockstep.baseline.memory.doubtTables(mm, .refuted)
    }
    for base in unseen {
      let page = VirtualPage(base &<< 9)
      // What is under way tells, or its table goes.
      if open.isInMotion(PageRange(around: page, FolioOrder(9))) { continue }
      run(.populateTables(mm, PageRange(start: page, count: 1)))
    }
  }

  private func doubtAboutTables(_ mm: MMID) -> UnknownCause? {
    if !lockstep.baseline.memory.isComplete(mm) { return .entryNotSeen }
    switch lockstep.baseline.memory.tablesUnknown(mm) {
    case .placeNotSeen: return .placeNotSeen
    case .hugetlb: return .hugetlbTables
    case .refuted: return .tablesRefuted
    case nil: break
    }
    if unseen.usesUserfaultfd(mm) { return .userfaultfd }
    return unseen.accessCause(mm)
  }
}
