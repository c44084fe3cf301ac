// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What calls do to memory of hugetlb: GUP fills and copies it unseen, fork copies what is pinned unseen.
extension ReplayDriver {
  /// What the model follows of hugetlb in the range, huge page by huge page.
  private func hugePages(_ mm: MMID, _ range: PageRange) -> [PageRange] {
    var places: [PageRange] = []
    for piece in layouts[mm]?.pieces(of: range) ?? [] {
      guard piece.facts.backing.isOfPMDs, piece.facts.isAccessible else { continue }
      var place = PageRange(around: piece.range.start, FolioOrder(9))
      while place.start < piece.range.end {
        places.append(place)
        place = PageRange(around: place.end, FolioOrder(9))
      }
    }
    return places
  }

  /// Where hugetlb lies at an end of the range, that end is the next border of a huge page: `mremap` rounds its lengths
  /// up to whole ones, and what a file of hugetlbfs is mapped over was as long as its VMA (`ksys_mmap_pgoff`). No part of
  /// a huge page is ever unmapped or moved (`hugetlb_vm_op_split`).
  func ofWholeHugePages(_ mm: MMID, _ range: PageRange) -> PageRange {
    guard !range.isEmpty, !range.start.isFirstOfPMD || !range.end.isFirstOfPMD else { return range }
    let (first, last) = (facts(mm, range.start), facts(mm, range.end.advanced(by: -1)))
    let start = first.backing.isOfPMDs ? range.start.nextFirstOfPMD : range.start
    let end = last.backing.isOfPMDs ? range.end.nextFirstOfPMD : range.end
    return PageRange(start: start, end: max(start, end))
  }

  /// No flag of `mmap` tells that a file is of hugetlbfs, the pages of a snapshot do.
  mutating func noteHugetlb(of mm: MMID, _ snapshot: ProcessSnapshot) {
    if snapshot.hugetlbTails > 0 || snapshot.gigantic > 0 { lockstep.baseline.memory.doubtTables(mm, .hugetlb) }
    for vma in snapshot.vmas where vma.facts.backing.isHugetlb && facts(mm, vma.range.start).backing == .privateFile {
      layouts[mm]?.change(vma.range) { $0.backing = vma.facts.backing }
    }
  }

  mutating func noteHugetlbRemoved(_ mm: MMID, _ range: PageRange) {
    guard hugetlb.isSeen, layouts[mm]?.hasHugetlb(in: range) == true else { return }
    hugetlb.removed(mm, range, at: current.time)
  }

  /// `MAP_POPULATE`, `MADV_POPULATE_READ` and `_WRITE`: every page of the range is there now.
  mutating func fillHugetlb(_ mm: MMID, _ range: PageRange, writes: Bool) {
    for place in hugePages(mm, range) { takeByGUP(mm, place, writes: writes) }
  }

  /// The call is over, and faults that filled what it needed would have been told: what is missing yet, or shared, GUP
  /// has seen to, if it pinned anything.
  mutating func filledHugetlb(for call: DirectIO.Call) {
    guard lockstep.baseline.memory.isLive(call.mm), !lockstep.baseline.memory.isDying(call.mm) else { return }
    for place in hugePages(call.mm, call.range) where takeByGUP(call.mm, place, writes: call.write, pins: true) {
      lockstep.doubts.add(call.mm, place, .hugetlbPinned)
    }
  }

  /// GUP for a call whose addresses are not told: what was shared may have been copied, what fork finds pinned is copied
  /// at once.
  mutating func pinnedHugetlb(_ mm: MMID) {
    guard layouts[mm]?.hasHugetlb(in: .everything) == true else { return }
    hugetlb.pins(in: mm)
    for place in hugePages(mm, .everything) where lockstep.baseline.claim(mm, place.start) != .exclusive {
      lockstep.doubts.add(mm, place, .hugetlbPinned)
    }
  }

  /// A page is mapped; for a write, or a pin, an exclusive one. `false`: there was one.
  @discardableResult
  private mutating func takeByGUP(_ mm: MMID, _ place: PageRange, writes: Bool, pins: Bool = false) -> Bool {
    let vma = facts(mm, place.start)
    noteTouched(mm, place)
    hugetlb.note()
    guard lockstep.baseline.memory.entry(mm, place.start).kind.refersToFolio else {
      if hugetlb[mm, place.start] != nil, !writes { return false }
      takeMissing(mm, place, vma, writes: writes && vma.mayWrite)
      return true
    }
    guard writes || pins, lockstep.baseline.claim(mm, place.start) != .exclusive else { return false }
    run(writes ? .writeFault(mm, place.start, vma, .unobserved) : .unshare(mm, place.start, vma))
    return true
  }

  private mutating func takeMissing(_ mm: MMID, _ place: PageRange, _ vma: VMAFacts, writes: Bool) {
    if !writes, vma.backing == .hugetlbFile {
      hugetlb[mm, place.start] = .either
    } else {
      hugetlb[mm, place.start] = nil
      run(.hugeFault(mm, place.start, vma, write: writes, isHugetlb: true))
    }
    noteAnonVMA(mm, place.start)
  }

  /// The VMA was copied. `copy_hugetlb_page_range` copies a page at once that may be pinned; for that it takes one from
  /// the pool, which shows nothing.
  mutating func forkedHugetlb(_ parent: MMID, _ child: MMID, _ range: PageRange) {
    hugetlb.forked(parent, child, range)
    var pinned = directIO.all(in: parent).map(\.call.range).filter { $0.overlaps(range) }
    if hugetlb.pinning.contains(parent) { pinned.append(range) }
    for place in pinned.flatMap({ hugePages(parent, $0) }) {
      lockstep.doubts.add(parent, place, .hugetlbPinned)
      lockstep.doubts.add(child, place, .hugetlbPinned)
    }
  }
}

extension VMABacking {
  /// hugetlb that the model follows: a PMD maps each page.
  fileprivate var isOfPMDs: Bool { self == .hugetlb || self == .hugetlbFile }
}

extension VirtualPage {
  fileprivate var isFirstOfPMD: Bool { rawValue & UInt64(FolioOrder(9).pageCount - 1) == 0 }

  fileprivate var nextFirstOfPMD: VirtualPage {
    isFirstOfPMD ? self : PageRange(around: self, FolioOrder(9)).end
  }
}

extension VMAMap.VMA {
  /// What no call splits off (`hugetlb_vm_op_split`).
  var isPartOfHugePage: Bool {
    facts.backing.isOfPMDs && !(range.start.isFirstOfPMD && range.end.isFirstOfPMD)
  }

  /// What `MADV_DONTNEED` takes of it: of hugetlb, whole huge pages (`madvise_dontneed_free_valid_vma`).
  var discarded: PageRange {
    guard facts.backing.isHugetlb else { return range }
    // It refuses to begin inside of one.
    guard range.start.isFirstOfPMD else { return PageRange(start: range.start, count: 0) }
    return PageRange(start: range.start, end: PageRange(around: range.end, FolioOrder(9)).start)
  }
}
