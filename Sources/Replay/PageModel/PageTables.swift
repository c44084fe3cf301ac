// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The page tables of all mms: one *region* per 2 MiB of address space that is in use.
///
/// A region is a PMD slot. It stands for a page table of 512 entries or, when `isHuge`, for one PMD entry (also a
/// PMD migration or device entry, and one hugetlb page). A region's entries are one leaf of `words` and one of `marks`,
/// and an `EntryRef` is an index into both; a freed region is reused before they grow.
struct PageTables: ~Copyable, Sendable {
  struct Region: BitwiseCopyable, Sendable {
    /// Slot of the owner in the world's mm array.
    var mm: UInt32
    /// Entries that are not none (0 or 1 when huge).
    var live: UInt16
    var isHuge: Bool
    /// Pages of files may be mapped here, of which `live` has some at most: fault-around maps more than the trace tells.
    fileprivate(set) var isUncounted = false
    /// Virtual page number divided by 512.
    var base: UInt64
    /// The PMD entry when huge.
    var pmd: Entry
    /// The lineage of the table: itself, what it was copied from at fork, and all copies.
    fileprivate(set) var family: UInt32
    /// Neighbours in the list of the family, newest first.
    fileprivate var newer = noIndex
    fileprivate var older = noIndex

    fileprivate static let unused = Region(
      mm: noIndex, live: 0, isHuge: false, base: 0, pmd: .none, family: noIndex)
  }

  static let entriesPerTable = 512

  private var words = LeafArray<UInt64>(blank: 0)
  private var marks = LeafArray<UInt8>(blank: 0)
  private var regions = ContiguousArray<Region>()
  private var regionNumbers = Numbering()
  /// The newest region of each family.
  private var families = ContiguousArray<UInt32>()
  private var familyNumbers = Numbering()
  /// Tables that came or went, or whose first or last entry did, while that is of interest; one may be named twice.
  private(set) var changed = ContiguousArray<UInt32>()
  var notesChanges = false

  /// Regions in use.
  var regionCount: Int { regionNumbers.liveCount }

  /// `relative`: the table that fork copies, whose family the new one joins.
  mutating func allocate(mm: UInt32, base: UInt64, relative: UInt32? = nil) -> UInt32 {
    let family = relative.map { regions[Int($0)].family } ?? newFamily()
    let fresh = Region(mm: mm, live: 0, isHuge: false, base: base, pmd: .none, family: family)
    let region = regionNumbers.take { $0 >= regions.count || regions[Int($0)].mm == noIndex }
    precondition(region < 1 << 23, "page-table pool is full")
    while regions.count <= Int(region) { regions.append(.unused) }
    regions[Int(region)] = fresh
    words.grow(toInclude: Int(region) &<< 9)
    marks.grow(toInclude: Int(region) &<< 9)
    join(region, family)
    noteChange(region)
    return region
  }

  @inline(__always)
  private mutating func noteChange(_ region: UInt32) {
    if notesChanges, changed.last != region { changed.append(region) }
  }

  mutating func forgetChanges() { changed.empty() }

  /// Says whether more may be mapped here than is known.
  mutating func setUncounted(_ isUncounted: Bool, region: UInt32) {
    guard regions[Int(region)].isUncounted != isUncounted else { return }
    regions[Int(region)].isUncounted = isUncounted
    noteChange(region)
  }

  /// All that is left in the table goes with it.
  mutating func empty(_ region: UInt32) {
    guard regions[Int(region)].live > 0 else { return }
    words.dropLeaf(Int(region))
    marks.dropLeaf(Int(region))
    regions[Int(region)].live = 0
    noteChange(region)
  }

  /// Gives the region back. Stale slot bits go with the table.
  mutating func free(_ region: UInt32) {
    precondition(regions[Int(region)].live == 0, "freeing a page table in use")
    words.dropLeaf(Int(region))
    marks.dropLeaf(Int(region))
    regions[Int(region)].mm = noIndex
    leave(region)
    regionNumbers.giveBack(region)
    noteChange(region)
  }

  // — families

  private mutating func newFamily() -> UInt32 {
    let family = familyNumbers.take { $0 >= families.count || families[Int($0)] == noIndex }
    while families.count <= Int(family) { families.append(noIndex) }
    return family
  }

  private mutating func join(_ region: UInt32, _ family: UInt32) {
    let newest = families[Int(family)]
    regions[Int(region)].older = newest
    if newest != noIndex { regions[Int(newest)].newer = region }
    families[Int(family)] = region
  }

  private mutating func leave(_ region: UInt32) {
    let (family, newer, older) = (
      regions[Int(region)].family, regions[Int(region)].newer, regions[Int(region)].older
    )
    if older != noIndex { regions[Int(older)].newer = newer }
    if newer != noIndex {
      regions[Int(newer)].older = older
    } else {
      families[Int(family)] = older
      if older == noIndex { familyNumbers.giveBack(family) }
    }
  }

  /// The place of an entry in all tables of its family.
  @inline(__always)
  func familySlot(_ ref: EntryRef) -> FamilySlot {
    FamilySlot(raw: regions[Int(ref.region)].family &<< 9 | UInt32(truncatingIfNeeded: ref.slot))
  }

  /// The entries at that place, newest table first.
  func forEachEntry(at place: FamilySlot, _ body: (EntryRef, Entry) -> Void) {
    var region = families[Int(place.raw &>> 9)]
    while region != noIndex {
      let ref = EntryRef(raw: region &<< 9 | place.raw & 511)
      body(ref, entry(ref))
      region = regions[Int(region)].older
    }
  }

  subscript(region: UInt32) -> Region {
    get { regions[Int(region)] }
    _modify { yield &regions[Int(region)] }
  }

  @inline(__always)
  func entry(_ ref: EntryRef) -> Entry {
    regions[Int(ref.region)].isHuge ? regions[Int(ref.region)].pmd : tableEntry(ref)
  }

  @inline(__always)
  private func tableEntry(_ ref: EntryRef) -> Entry { Entry(word: words[Int(ref.raw)], marks: marks[Int(ref.raw)]) }

  /// Any of these entries of a table, not a huge one, is an anonymous page or was one that is swapped out. fork asks it of
  /// each VMA, and most of those have none.
  func hasAnonymous(_ region: UInt32, _ slots: Range<Int>) -> Bool {
    let first = Int(region) &<< 9
    return slots.contains { Entry(word: words[first &+ $0], marks: 0).isAnonymousOrSwapped }
  }

  /// Writes the entry; the slot keeps its verdict.
  @inline(__always)
  mutating func write(_ entry: Entry, at ref: EntryRef) {
    let region = Int(ref.region)
    let old = self.entry(ref)
    let kept = entry.marks & ~Entry.slotMarks | old.marks & Entry.slotMarks
    store(Entry(word: entry.word, marks: kept), over: old, at: ref)
    if old.isNone != entry.isNone {
      if old.isNone { regions[region].live &+= 1 } else { regions[region].live &-= 1 }
      if regions[region].live == (old.isNone ? 1 : 0) { noteChange(ref.region) }
    }
  }

  /// Only what changes is written: the rest may be shared.
  @inline(__always)
  private mutating func store(_ entry: Entry, over old: Entry, at ref: EntryRef) {
    if regions[Int(ref.region)].isHuge {
      regions[Int(ref.region)].pmd = entry
      return
    }
    if old.word != entry.word { words[Int(ref.raw)] = entry.word }
    if old.marks != entry.marks { marks[Int(ref.raw)] = entry.marks }
  }

  @inline(__always)
  mutating func setVerdict(_ verdict: Verdict, possible: Bool, at ref: EntryRef) {
    var entry = self.entry(ref)
    let old = entry
    entry.verdict = verdict
    entry.verdictIsPossible = possible
    store(entry, over: old, at: ref)
  }

  /// Makes an empty table a PMD slot, or the other way round.
  mutating func setHuge(_ isHuge: Bool, region: UInt32) {
    precondition(regions[Int(region)].live == 0, "changing the level of a table in use")
    regions[Int(region)].isHuge = isHuge
    noteChange(region)
  }
}

extension PageTables {
  mutating func becomeFollower() {
    regionNumbers.becomeFollower()
    familyNumbers.becomeFollower()
  }

  @inline(__always)
  mutating func beginOperation() {
    regionNumbers.beginOperation()
    familyNumbers.beginOperation()
  }

  @inline(__always)
  mutating func beginOperation(after leader: borrowing PageTables) {
    regionNumbers.beginOperation(after: leader.regionNumbers)
    familyNumbers.beginOperation(after: leader.familyNumbers)
  }

  /// Bytes of leaves that no other world uses.
  var ownBytes: Int { words.ownLeafCount * 4096 + marks.ownLeafCount * 512 }

  mutating func shareEqualLeaves(with other: inout PageTables) {
    words.shareEqualLeaves(with: &other.words)
    marks.shareEqualLeaves(with: &other.marks)
  }
}

/// A slot of all page tables that fork copied from each other: fork maps a page in the child where the parent maps it,
/// so one number says where all sharers of a page are.
struct FamilySlot: BitwiseCopyable, Sendable, Equatable {
  let raw: UInt32
}

extension PageTables {
  borrowing func copy() -> PageTables {
    var copy = PageTables()
    copy.words = words.copy()
    copy.marks = marks.copy()
    copy.regions = regions
    copy.regionNumbers = regionNumbers
    copy.families = families
    copy.familyNumbers = familyNumbers
    copy.changed = changed
    copy.notesChanges = notesChanges
    return copy
  }
}
