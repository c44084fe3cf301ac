// SPDX-License-Identifier: GPL-2.0-only

import MMEvents

/// All folios, and who maps them.
///
/// A small folio mapped once keeps its one `EntryRef` inline. Mapped by several tables of one family, all at the same
/// slot, as fork leaves it, it keeps that slot, and a count: nothing has to be linked or found when a sharer comes or
/// goes. Only what is mapped at different places (KSM, mremap of a shared page) and large folios have a list, newest
/// first.
struct FolioPool: ~Copyable, Sendable {
  private var records = LeafArray<PackedFolio>(blank: .free)
  /// The low bits of the flags.
  private var marks = LeafArray<UInt8>(blank: 0)
  private var numbers = Numbering()
  private var sides = ContiguousArray<FolioSide>()
  private var sideNumbers = Numbering()
  private var largeCount = 0
  private var lists = MappingLists()
  /// Content version of small folios (oracle mode only).
  private var contents = ContiguousArray<UInt32>()
  /// Kept where `takesCensus`: in the world that follows the kernel.
  var census = PageCensus()
  var takesCensus = false

  var liveCount: Int { numbers.liveCount }

  mutating func allocate(order: FolioOrder, flags: FolioFlags) -> FolioID {
    var flags = flags.union(.live)
    if order > .base { flags.insert(.large) }
    let index = numbers.take { Int($0) &>> 9 >= records.leafCount || records[Int($0)].bits == 0 }
    precondition(index < 1 << 28, "folio pool is full")
    records.grow(toInclude: Int(index))
    marks.grow(toInclude: Int(index))
    let side = order > .base ? newSide(order: order) : noIndex
    if order > .base { largeCount += 1 }
    set(FolioID(index), FolioRecord(flags: flags, attached: 0, head: noIndex, side: side))
    return FolioID(index)
  }

  mutating func free(_ folio: FolioID) {
    let record = self[folio]
    precondition(record.attached == 0 && record.flags.contains(.live), "freeing a mapped or free folio")
    if record.side != noIndex { releaseSide(record.side) }
    if record.flags.contains(.large) { largeCount -= 1 }
    if Int(folio.raw) < contents.count { contents[Int(folio.raw)] = 0 }
    set(folio, FolioRecord(flags: [], attached: 0, head: noIndex, side: noIndex))
    numbers.giveBack(folio.raw)
  }

  subscript(folio: FolioID) -> FolioRecord {
    @inline(__always) get {
      let packed = records[Int(folio.raw)]
      let flags = packed.flags(marks[Int(folio.raw)])
      guard packed.hasSide else {
        return FolioRecord(flags: flags, attached: packed.attached, head: packed.head, side: noIndex)
      }
      return FolioRecord(
        flags: flags, attached: sides[Int(packed.head)].attached, head: sides[Int(packed.head)].head,
        side: packed.head)
    }
    @inline(__always) _modify {
      var record = self[folio]
      yield &record
      set(folio, record)
    }
  }

  @inline(__always)
  func flags(_ folio: FolioID) -> FolioFlags { records[Int(folio.raw)].flags(marks[Int(folio.raw)]) }

  /// Entries that refer to the folio.
  @inline(__always)
  func attached(_ folio: FolioID) -> UInt32 {
    let packed = records[Int(folio.raw)]
    return packed.hasSide ? sides[Int(packed.head)].attached : packed.attached
  }

  @inline(__always)
  func isPlain(_ folio: FolioID) -> Bool { !records[Int(folio.raw)].hasSide }

  @inline(__always)
  mutating func insert(_ flags: FolioFlags, _ folio: FolioID) { setFlags(self.flags(folio).union(flags), folio) }

  @inline(__always)
  mutating func remove(_ flags: FolioFlags, _ folio: FolioID) { setFlags(self.flags(folio).subtracting(flags), folio) }

  @inline(__always)
  private mutating func setFlags(_ flags: FolioFlags, _ folio: FolioID) {
    var packed = records[Int(folio.raw)]
    let old = self.flags(folio)
    packed.setFlags(flags)
    store(packed, UInt8(truncatingIfNeeded: flags.rawValue), at: folio)
    if takesCensus, !old.symmetricDifference(flags).isDisjoint(with: .counted) { recount(folio, old, flags) }
  }

  /// Only what changes is written: the rest may be shared.
  @inline(__always)
  private mutating func store(_ packed: PackedFolio, _ low: UInt8, at folio: FolioID) {
    if records[Int(folio.raw)] != packed { records[Int(folio.raw)] = packed }
    if marks[Int(folio.raw)] != low { marks[Int(folio.raw)] = low }
  }

  private mutating func set(_ folio: FolioID, _ record: FolioRecord) {
    var record = record
    if record.side == noIndex, record.attached > PackedFolio.mostMappings { record.side = newSide(order: .base) }
    if record.side != noIndex {
      sides[Int(record.side)].attached = record.attached
      sides[Int(record.side)].head = record.head
    }
    store(PackedFolio(record), UInt8(truncatingIfNeeded: record.flags.rawValue), at: folio)
  }

  // — side records

  private mutating func newSide(order: FolioOrder) -> UInt32 {
    let side = sideNumbers.take { $0 >= sides.count || !sides[Int($0)].isUsed }
    while sides.count <= Int(side) { sides.append(.unused) }
    sides[Int(side)] = FolioSide(order: order)
    return side
  }

  private mutating func releaseSide(_ side: UInt32) {
    sides[Int(side)] = .unused
    sideNumbers.giveBack(side)
  }

  /// Of the entries that refer to the folio, how many are migration entries.
  @inline(__always)
  func migrations(_ folio: FolioID) -> UInt32 { look(at: folio) { $0.migrations } ?? 0 }

  /// FOLL_PINs of any page.
  @inline(__always)
  func pins(_ folio: FolioID) -> UInt32 { look(at: folio) { $0.pins } ?? 0 }

  /// Somebody has a reference that is neither a mapping nor the swapcache's.
  @inline(__always)
  func isHeld(_ folio: FolioID) -> Bool { look(at: folio) { $0.extraReferences > 0 || $0.pins > 0 } ?? false }

  /// A large folio's own bit per page.
  @inline(__always)
  func isExclusive(_ folio: FolioID, page: Int) -> Bool {
    sides[Int(records[Int(folio.raw)].head)].isExclusive(page)
  }

  /// The side record, `nil` for a plain small folio. It is long: where one of its values is enough, ask for that.
  @inline(__always)
  func side(_ folio: FolioID) -> FolioSide? {
    let packed = records[Int(folio.raw)]
    return packed.hasSide ? sides[Int(packed.head)] : nil
  }

  /// Looks at the side record where it lies; `nil` for a plain small folio.
  @inline(__always)
  func look<Value>(at folio: FolioID, _ body: (borrowing FolioSide) -> Value) -> Value? {
    let packed = records[Int(folio.raw)]
    return packed.hasSide ? body(sides[Int(packed.head)]) : nil
  }

  /// Changes the side record, made if there was none.
  mutating func withSide<R>(_ folio: FolioID, _ body: (inout FolioSide) -> R) -> R {
    if !records[Int(folio.raw)].hasSide {
      let side = newSide(order: .base)
      self[folio].side = side
    }
    return body(&sides[Int(records[Int(folio.raw)].head)])
  }

  @inline(__always)
  func order(_ folio: FolioID) -> FolioOrder {
    // Not through `side`, which copies the record with its arrays.
    let packed = records[Int(folio.raw)]
    return packed.hasSide ? sides[Int(packed.head)].order : .base
  }

  // — mappings

  /// One more entry refers to the folio, at `place` among the tables of its family. `false`: a small folio is mapped
  /// at another place too, so the caller has to name all its entries to `scatter` first.
  @inline(__always)
  mutating func attach(_ ref: EntryRef, at place: FamilySlot, to folio: FolioID, page: Int, huge: Bool) -> Bool {
    var packed = records[Int(folio.raw)]
    guard !packed.hasSide, !packed.has(.mappingList), packed.attached < PackedFolio.mostMappings else {
      return attachSlowly(ref, place, folio, page, huge)
    }
    if packed.attached == 0 {
      packed.head = ref.raw
      if takesCensus { census.change(flags(folio), by: 1) }
    } else {
      guard packed.has(.familySlot), packed.head == place.raw else { return false }
    }
    packed.bits &+= PackedFolio.oneMapping
    records[Int(folio.raw)] = packed
    return true
  }

  private mutating func attachSlowly(
    _ ref: EntryRef, _ place: FamilySlot, _ folio: FolioID, _ page: Int, _ huge: Bool
  ) -> Bool {
    var record = self[folio]
    guard record.flags.isDisjoint(with: [.large, .mappingList]) else {
      attachToList(ref, folio, page, huge)
      return true
    }
    if record.attached == 0 {
      record.head = ref.raw
      if takesCensus { census.change(record.flags, by: 1) }
    } else {
      guard record.flags.contains(.familySlot), record.head == place.raw else { return false }
    }
    record.attached &+= 1
    set(folio, record)
    return true
  }

  private mutating func attachToList(_ ref: EntryRef, _ folio: FolioID, _ page: Int, _ huge: Bool) {
    var record = self[folio]
    record.attached &+= 1
    guard record.flags.contains(.large) else {
      record.head = lists.push(ref, onto: record.head)
      set(folio, record)
      return
    }
    set(folio, record)
    let next = withSide(folio) { side in side.heads[page] }
    let node = lists.push(ref, onto: next)
    withSide(folio) { side in side.heads[page] = node }
    countMapping(folio, page, huge: huge, by: 1)
  }

  /// The one mapping of a small folio stands at `place`, and so will the next.
  mutating func keepPlace(_ place: FamilySlot, of folio: FolioID) {
    var packed = records[Int(folio.raw)]
    guard !packed.hasSide else {
      self[folio].head = place.raw
      insert(.familySlot, folio)
      return
    }
    packed.head = place.raw
    packed.bits |= FolioFlags.familySlot.rawValue &>> 8
    records[Int(folio.raw)] = packed
  }

  /// The entries of a small folio, newest first, as a list from here on.
  mutating func scatter(_ folio: FolioID, _ refs: [EntryRef]) {
    precondition(refs.count == Int(self[folio].attached), "a mapping of the folio is not where it should be")
    var head = noIndex
    for ref in refs.reversed() { head = lists.push(ref, onto: head) }
    var record = self[folio]
    record.head = head
    record.flags.remove(.familySlot)
    record.flags.insert(.mappingList)
    set(folio, record)
  }

  @inline(__always)
  mutating func detach(_ ref: EntryRef, from folio: FolioID, page: Int, huge: Bool) {
    var packed = records[Int(folio.raw)]
    guard !packed.hasSide, !packed.has(.mappingList) else {
      detachSlowly(ref, folio, page, huge)
      return
    }
    precondition(packed.attached > 0, "detaching from an unmapped folio")
    packed.bits &-= PackedFolio.oneMapping
    if packed.attached == 0 {
      packed.head = noIndex
      packed.bits &= ~(FolioFlags.familySlot.rawValue &>> 8)
      if takesCensus { census.change(flags(folio), by: -1) }
    }
    records[Int(folio.raw)] = packed
  }

  private mutating func detachSlowly(_ ref: EntryRef, _ folio: FolioID, _ page: Int, _ huge: Bool) {
    var record = self[folio]
    precondition(record.attached > 0, "detaching from an unmapped folio")
    record.attached &-= 1
    if !record.flags.isDisjoint(with: [.large, .mappingList]) {
      set(folio, record)
      detachFromList(ref, folio, page, huge)
      return
    }
    if record.attached == 0 {
      record.head = noIndex
      record.flags.remove(.familySlot)
      if takesCensus { census.change(record.flags, by: -1) }
    }
    set(folio, record)
  }

  private mutating func detachFromList(_ ref: EntryRef, _ folio: FolioID, _ page: Int, _ huge: Bool) {
    var record = self[folio]
    guard record.flags.contains(.large) else {
      record.head = lists.remove(ref, from: record.head)
      if record.attached == 1 {
        record.head = lists.popOnly(record.head).raw
        record.flags.remove(.mappingList)
      }
      set(folio, record)
      return
    }
    let head = withSide(folio) { side in side.heads[page] }
    let newHead = lists.remove(ref, from: head)
    withSide(folio) { side in side.heads[page] = newHead }
    countMapping(folio, page, huge: huge, by: -1)
  }

  /// Where the entries are that refer to a page.
  @inline(__always)
  func mappings(of folio: FolioID, page: Int) -> Mappings {
    let record = self[folio]
    if record.flags.contains(.large) {
      let head = sides[Int(record.side)].heads[page]
      return head == noIndex ? .none : .list(head)
    }
    if record.attached == 0 { return .none }
    if record.flags.contains(.mappingList) { return .list(record.head) }
    return record.flags.contains(.familySlot)
      ? .familySlot(FamilySlot(raw: record.head)) : .one(EntryRef(raw: record.head))
  }

  @inline(__always)
  func forEachListed(from first: UInt32, _ body: (EntryRef) -> Void) { lists.forEach(from: first, body) }

  @inline(__always)
  func firstListed(from first: UInt32, where isWanted: (EntryRef) -> Bool) -> EntryRef? {
    lists.first(from: first, where: isWanted)
  }

  // — content versions (oracle mode)

  @inline(__always)
  func content(_ folio: FolioID, page: Int) -> UInt32 {
    if let side = side(folio), side.order > .base { return page < side.content.count ? side.content[page] : 0 }
    return Int(folio.raw) < contents.count ? contents[Int(folio.raw)] : 0
  }

  mutating func setContent(_ version: UInt32, of folio: FolioID, page: Int) {
    if flags(folio).contains(.large) {
      withSide(folio) { side in
        if side.content.isEmpty { side.content = Array(repeating: 0, count: side.order.pageCount) }
        side.content[page] = version
      }
      return
    }
    while contents.count <= Int(folio.raw) { contents.append(0) }
    contents[Int(folio.raw)] = version
  }
}

extension FolioPool {
  mutating func becomeFollower() {
    numbers.becomeFollower()
    sideNumbers.becomeFollower()
    lists.becomeFollower()
  }

  @inline(__always)
  mutating func beginOperation() {
    numbers.beginOperation()
    sideNumbers.beginOperation()
    lists.beginOperation()
  }

  @inline(__always)
  mutating func beginOperation(after leader: borrowing FolioPool) {
    numbers.beginOperation(after: leader.numbers)
    sideNumbers.beginOperation(after: leader.sideNumbers)
    lists.beginOperation(after: leader.lists)
  }

  /// Bytes of leaves that no other world uses.
  var ownBytes: Int {
    records.ownLeafCount * 4096 + marks.ownLeafCount * 512 + lists.ownBytes + largeCount * 4096
  }

  mutating func shareEqualLeaves(with other: inout FolioPool) {
    records.shareEqualLeaves(with: &other.records)
    marks.shareEqualLeaves(with: &other.marks)
    lists.shareEqualLeaves(with: &other.lists)
    for index in 0..<min(sides.count, other.sides.count) where sides[index].order > .base {
      sides[index].shareEqual(with: other.sides[index])
    }
  }
}

extension FolioPool {
  borrowing func copy() -> FolioPool {
    var copy = FolioPool()
    copy.records = records.copy()
    copy.marks = marks.copy()
    copy.numbers = numbers
    copy.sides = sides
    copy.sideNumbers = sideNumbers
    copy.largeCount = largeCount
    copy.lists = lists.copy()
    copy.contents = contents
    copy.census = census
    copy.takesCensus = takesCensus
    return copy
  }
}
