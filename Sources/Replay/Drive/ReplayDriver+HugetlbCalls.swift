// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// What calls do to memory of hugetlb: GUP fills and copies it unseen, fork copies what is pinned unseen.
extension ReplayDriver {
  /// What the model follows of hugetlb in the range, huge page by huge page.
  private func hugePages(_ mm: MMID, _ range: PageRange) -> [PageRange] {
    var places: [PageRange] = []
    for piece in layouts[mm]?.pieces(of: range) ?? [] {
      guard piece.facts.backing == .hugetlb || piece.facts.backing == .hugetlbFile else { continue }
      var place = PageRange(around: piece.range.start, FolioOrder(9))
      while place.start < piece.range.end {
        places.append(place)
        place = PageRange(around: place.end, FolioOrder(9))
      }
    }
    return places
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
    guard lockstep.baseline.isLive(call.mm), !lockstep.baseline.isDying(call.mm) else { return }
    for place in hugePages(call.mm, call.range) where takeByGUP(call.mm, place, writes: call.write, pins: true) {
      lockstep.doubts.add(call.mm, place, .hugetlbPinned)
    }
  }

  /// A page is mapped; for a write, or a pin, an exclusive one. `false`: there was one.
  @discardableResult
  private mutating func takeByGUP(_ mm: MMID, _ place: PageRange, writes: Bool, pins: Bool = false) -> Bool {
    let vma = facts(mm, place.start)
    noteTouched(mm, place)
    hugetlb.note()
    guard lockstep.baseline.entry(mm, place.start).kind.refersToFolio else {
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
    for (_, call) in directIO.all(in: parent) where call.range.overlaps(range) {
      for place in hugePages(parent, call.range) {
        lockstep.doubts.add(parent, place, .hugetlbPinned)
        lockstep.doubts.add(child, place, .hugetlbPinned)
      }
    }
  }
}

extension VMAMap.VMA {
  /// What `MADV_DONTNEED` takes of it: of hugetlb, whole huge pages (`madvise_dontneed_free_valid_vma`).
  var discarded: PageRange {
    guard facts.backing.isHugetlb else { return range }
    return PageRange(start: range.start, end: PageRange(around: range.end, FolioOrder(9)).start)
  }
}
