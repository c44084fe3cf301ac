// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What the model has in a range that a scan looks at, by the kinds that it counts.
struct ScannedRange {
  let mm: MMID
  let range: PageRange
  let missing: Int
  let unmapped: Int
  let present: Int
  /// Nothing, or the zero page, as the isolation counted again, once swap entries were read in.
  let missingLater: UInt16?
}

/// Scans for huge pages (`hpage_collapse_scan_pmd`) count what they find: holes, entries that are not present, young
/// ones. The model has counts of its own.
extension ReplayDriver {
  private enum Kind { case present, missing, unmapped }

  /// Pages are isolated: what the range had is asked before it goes.
  mutating func noteScanned(_ member: PFN, missing: UInt16?) {
    guard scanning[current.task] == nil else { return }
    scanning[current.task] = lockstep.baseline.memory.mappers(of: member).map { owner in
      let range = PageRange(around: owner.page, FolioOrder(9))
      let has = counts(owner.mm, range)
      return ScannedRange(
        mm: owner.mm, range: range, missing: has.missing, unmapped: has.unmapped, present: has.present,
        missingLater: missing)
    }
  }

  private func counts(_ mm: MMID, _ range: PageRange) -> (missing: Int, unmapped: Int, present: Int) {
    var counts = (missing: 0, unmapped: 0, present: 0)
    for index in 0..<range.count {
      switch kind(mm, range.start.advanced(by: index)) {
      case .missing: counts.missing += 1
      case .unmapped: counts.unmapped += 1
      case .present: counts.present += 1
      }
    }
    return counts
  }

  private func kind(_ mm: MMID, _ page: VirtualPage) -> Kind {
    switch lockstep.baseline.memory.entry(mm, page).kind {
    case .none, .zeroPage: .missing
    case .present, .filePage: migrating[page]?.contains { $0.mm == mm } == true ? .unmapped : .present
    case .swap, .migrationRead, .migrationReadExclusive, .migrationWrite, .devicePrivate, .deviceExclusive, .hwpoison,
      .markerUffdWP, .markerGuard, .markerPoison:
      .unmapped
    }
  }

  mutating func scanned(_ mm: MMID, _ scan: CollapseScan) {
    let isolated = scanning.removeValue(forKey: current.task)
    guard let frame = scan.frame else { return verifier.notCompared(.scanWithoutPage) }
    if let isolated {
      guard let range = isolated.first(where: { $0.mm == mm }) else {
        return unknown(.scan, mm, VirtualPage(0), .entryNotSeen)
      }
      let isEqual = range.missing == scan.missing && range.unmapped == scan.unmapped
      settle(scan, mm, range.range, isEqual && isPossible(scan, present: range.present), range)
    } else {
      let ranges = candidates(mm, frame)
      guard let first = ranges.first else { return unknown(.scan, mm, VirtualPage(0), .entryNotSeen) }
      let agreeing = ranges.first { ends(scan, mm, $0, at: frame) }
      settle(scan, mm, agreeing ?? first, agreeing != nil, nil)
    }
  }

  /// MADV_COLLAPSE asks for no young entry; khugepaged counts some of those that are present.
  private func isPossible(_ scan: CollapseScan, present: Int) -> Bool {
    scan.isKhugepaged ? scan.referenced <= present : scan.referenced == 0
  }

  private func candidates(_ mm: MMID, _ frame: PFN) -> [PageRange] {
    guard let folio = lockstep.baseline.memory.folio(at: frame) else { return [] }
    var found: [PageRange] = []
    for index in 0..<lockstep.baseline.memory.pageCount(of: folio) {
      for owner in lockstep.baseline.memory.mappers(of: folio, page: index) where owner.mm == mm {
        let range = PageRange(around: owner.page, FolioOrder(9))
        if !found.contains(range) { found.append(range) }
      }
    }
    return found
  }

  /// The scan may have ended in the range with these counts, at this page: a scan that fails looks at no more.
  private func ends(_ scan: CollapseScan, _ mm: MMID, _ range: PageRange, at frame: PFN) -> Bool {
    var (missing, unmapped, present) = (0, 0, 0)
    var isAtFrame = false
    for index in 0..<range.count {
      let page = range.start.advanced(by: index)
      let kind = kind(mm, page)
      switch kind {
      case .missing: missing += 1
      case .unmapped: unmapped += 1
      case .present:
        present += 1
        isAtFrame = names(frame, mm, page)
      }
      guard isAtFrame, missing == Int(scan.missing), unmapped == Int(scan.unmapped), isPossible(scan, present: present)
      else { continue }
      let mayEnd =
        switch scan.status {
        case .succeeded: index + 1 == range.count
        case .exceededNone: kind == .missing
        case .exceededSwap: kind == .unmapped
        case .exceededShared: kind == .present && lockstep.baseline.memory.mayBeShared(mm, page)
        case .failed: true
        }
      if mayEnd { return true }
    }
    return false
  }

  /// The frame is the page's, or that of its folio's first page.
  private func names(_ frame: PFN, _ mm: MMID, _ page: VirtualPage) -> Bool {
    guard let (folio, index) = lockstep.baseline.memory.mappedPage(mm, page),
      let head = lockstep.baseline.memory.pfn(of: folio)
    else {
      return false
    }
    return head == frame || head.advanced(by: index) == frame
  }

  /// How long before a scan is told it may have looked at an entry.
  private static let longestScan: UInt64 = 1_000_000

  private mutating func settle(
    _ scan: CollapseScan, _ mm: MMID, _ range: PageRange, _ agrees: Bool, _ isolated: ScannedRange?
  ) {
    if let cause = doubt(mm, range) { return unknown(.scan, mm, range.start, cause) }
    if agrees { return verifier.agree(.scan) }
    let isRaced =
      recentFaults.any(mm, in: range, since: current.time.nanoseconds &- Self.longestScan)
      || isolated?.missingLater.map { $0 != scan.missing } ?? false
    if isRaced { return unknown(.scan, mm, range.start, .raced) }
    if unseen.isSwapping(mm) { return unknown(.scan, mm, range.start, .swapNotSeen) }
    let has = isolated.map { ($0.missing, $0.unmapped, $0.present) } ?? counts(mm, range)
    let extent = scan.status == .succeeded || isolated != nil ? "" : " up to where it ended"
    disagree(
      mm, range.start, "\(has.0) missing and \(has.1) not present in the whole range",
      "\(scan.missing) missing, \(scan.unmapped) not present, \(scan.referenced) referenced\(extent)", .scanDiffers,
      evidence: .scan)
  }

  /// Why the model cannot know what is in the range.
  private func doubt(_ mm: MMID, _ range: PageRange) -> UnknownCause? {
    if !lockstep.baseline.memory.isComplete(mm) { return .entryNotSeen }
    if unseen.mayHaveCopied(mm) { return .placeNotSeen }
    if unseen.usesUserfaultfd(mm) { return .userfaultfd }
    if unseen.isAccessedRemotely(mm) { return .remoteAccess }
    let pieces = layouts[mm]?.pieces(of: range) ?? []
    // What is mapped of a file shows where a fault tells of it, and its neighbours come along unseen.
    if pieces.isEmpty || pieces.contains(where: { $0.facts.backing != .anonymous }) { return .entryNotSeen }
    guard !lockstep.doubts.isEmpty else { return nil }
    for index in 0..<range.count {
      if let cause = lockstep.doubts.cause(mm, range.start.advanced(by: index)) { return UnknownCause(cause) }
    }
    return nil
  }
}
