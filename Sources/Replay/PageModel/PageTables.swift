// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// The page tables of all mms: one per 2 MiB of address space that is in use.
///
/// A table has 512 entries or, when `isHuge`, stands for the one PMD entry in its place (also a PMD migration or device
/// entry, and one hugetlb page). A table's entries are one leaf of `words` and one of `marks`, and an `EntryRef` is an
/// index into both; a freed table is reused before they grow.
struct PageTables: ~Copyable, Sendable {
  struct PageTable: BitwiseCopyable, Sendable {
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
    fileprivate var newer: TableID?
    fileprivate var older: TableID?

    fileprivate static let unused = PageTable(
      mm: noIndex, live: 0, isHuge: false, base: 0, pmd: .none, family: noIndex)
  }

  static let entriesPerTable = 512

  private var words = LeafArray<UInt64>(blank: 0)
  private var marks = LeafArray<UInt8>(blank: 0)
  private var all = ContiguousArray<PageTable>()
  private var numbers = Numbering()
  /// The newest table of each family.
  private var families = ContiguousArray<TableID?>()
  private var familyNumbers = Numbering()
  /// Tables that came or went, or whose first or last entry did, while that is of interest; one may be named twice.
  private(set) var changed = ContiguousArray<TableID>()
  var notesChanges = false

  /// Regions in use.
  var count: Int { numbers.liveCount }

  /// `relative`: the table that fork copies, whose family the new one joins.
  mutating func allocate(mm: UInt32, base: UInt64, relative: TableID? = nil) -> TableID {
    let family = relative.map { all[$0.index].family } ?? newFamily()
    let fresh = PageTable(mm: mm, live: 0, isHuge: false, base: base, pmd: .none, family: family)
    let table = TableID(numbers.take { $0 >= all.count || all[Int($0)].mm == noIndex })
    precondition(table.rawValue < 1 << 23, "page-table pool is full")
    while all.count <= table.index { all.append(.unused) }
    all[table.index] = fresh
    words.grow(toInclude: table.index &<< 9)
    marks.grow(toInclude: table.index &<< 9)
    join(table, family)
    noteChange(table)
    return table
  }

  @inline(__always)
  private mutating func noteChange(_ table: TableID) {
    if notesChanges, changed.last != table { changed.append(table) }
  }

  mutating func forgetChanges() { changed.empty() }

  /// Says whether more may be mapped here than is known.
  mutating func setUncounted(_ isUncounted: Bool, table: TableID) {
    guard all[table.index].isUncounted != isUncounted else { return }
    all[table.index].isUncounted = isUncounted
    noteChange(table)
  }

  /// All that is left in the table goes with it.
  mutating func empty(_ table: TableID) {
    guard all[table.index].live > 0 else { return }
    words.dropLeaf(table.index)
    marks.dropLeaf(table.index)
    all[table.index].live = 0
    noteChange(table)
  }

  /// Gives the number back. Verdicts go with the table.
  mutating func free(_ table: TableID) {
    precondition(all[table.index].live == 0, "freeing a page table in use")
    words.dropLeaf(table.index)
    marks.dropLeaf(table.index)
    all[table.index].mm = noIndex
    leave(table)
    numbers.giveBack(table.rawValue)
    noteChange(table)
  }

  // — families

  private mutating func newFamily() -> UInt32 {
    let family = familyNumbers.take { $0 >= families.count || families[Int($0)] == nil }
    while families.count <= Int(family) { families.append(nil) }
    return family
  }

  private mutating func join(_ table: TableID, _ family: UInt32) {
    let newest = families[Int(family)]
    all[table.index].older = newest
    if let newest { all[newest.index].newer = table }
    families[Int(family)] = table
  }

  private mutating func leave(_ table: TableID) {
    let (family, newer, older) = (
      all[table.index].family, all[table.index].newer, all[table.index].older
    )
    if let older { all[older.index].newer = newer }
    if let newer {
      all[newer.index].older = older
    } else {
      families[Int(family)] = older
      if older == nil { familyNumbers.giveBack(family) }
    }
  }

  /// The place of an entry in all tables of its family.
  @inline(__always)
  func familySlot(_ ref: EntryRef) -> FamilySlot {
    FamilySlot(raw: all[ref.table.index].family &<< 9 | UInt32(truncatingIfNeeded: ref.slot))
  }

  /// The entries at that place, newest table first.
  func forEachEntry(at place: FamilySlot, _ body: (EntryRef, Entry) -> Void) {
    var next = families[Int(place.raw &>> 9)]
    while let table = next {
      let ref = EntryRef(raw: table.rawValue &<< 9 | place.raw & 511)
      body(ref, entry(ref))
      next = all[table.index].older
    }
  }

  subscript(table: TableID) -> PageTable {
    get { all[table.index] }
    _modify { yield &all[table.index] }
  }

  @inline(__always)
  func entry(_ ref: EntryRef) -> Entry {
    all[ref.table.index].isHuge ? all[ref.table.index].pmd : tableEntry(ref)
  }

  @inline(__always)
  private func tableEntry(_ ref: EntryRef) -> Entry { Entry(word: words[Int(ref.raw)], marks: marks[Int(ref.raw)]) }

  /// Any of these entries of a table, not a huge one, is an anonymous page or was one that is swapped out. fork asks it of
  /// each VMA, and most of those have none.
  func hasAnonymous(_ table: TableID, _ slots: Range<Int>) -> Bool {
    let first = table.index &<< 9
    return slots.contains { Entry(word: words[first &+ $0], marks: 0).isAnonymousOrSwapped }
  }

  /// Writes the entry; the slot keeps its verdict.
  @inline(__always)
  mutating func write(_ entry: Entry, at ref: EntryRef) {
    let table = ref.table.index
    let old = self.entry(ref)
    let kept = entry.marks & ~Entry.slotMarks | old.marks & Entry.slotMarks
    store(Entry(word: entry.word, marks: kept), over: old, at: ref)
    if old.isNone != entry.isNone {
      if old.isNone { all[table].live &+= 1 } else { all[table].live &-= 1 }
      if all[table].live == (old.isNone ? 1 : 0) { noteChange(ref.table) }
    }
  }

  /// Only what changes is written: the rest may be shared.
  @inline(__always)
  private mutating func store(_ entry: Entry, over old: Entry, at ref: EntryRef) {
    if all[ref.table.index].isHuge {
      all[ref.table.index].pmd = entry
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
  mutating func setHuge(_ isHuge: Bool, table: TableID) {
    precondition(all[table.index].live == 0, "changing the level of a table in use")
    all[table.index].isHuge = isHuge
    noteChange(table)
  }
}

extension PageTables {
  mutating func becomeFollower() {
    numbers.becomeFollower()
    familyNumbers.becomeFollower()
  }

  @inline(__always)
  mutating func beginOperation() {
    numbers.beginOperation()
    familyNumbers.beginOperation()
  }

  @inline(__always)
  mutating func beginOperation(after leader: borrowing PageTables) {
    numbers.beginOperation(after: leader.numbers)
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
    copy.all = all
    copy.numbers = numbers
    copy.families = families
    copy.familyNumbers = familyNumbers
    copy.changed = changed
    copy.notesChanges = notesChanges
    return copy
  }
}
