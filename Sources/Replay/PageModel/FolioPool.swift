// SPDX-License-Identifier: GPL-2.0-only

package import MMEvents

/// Where the entries are that refer to a page.
enum Mappings: Sendable {
  case none
  case one(EntryRef)
  /// In some of the tables of a family, at this slot.
  case familySlot(FamilySlot)
  /// The first node of a list.
  case list(UInt32)
}

/// All folios, and who maps them.
///
/// A small folio mapped once keeps its one `EntryRef` inline. Mapped by several tables of one family, all at the same
/// slot, as fork leaves it, it keeps that slot, and a count: nothing has to be linked or found when a sharer comes or
/// goes. Only what is mapped at different places (KSM, mremap of a shared page) and large folios have a list, newest
/// first.
struct FolioPool: Sendable {
  private(set) var records = ContiguousArray<FolioRecord>()
  private var freeRecords = ContiguousArray<UInt32>()
  private var sides = ContiguousArray<FolioSide>()
  private var freeSides = ContiguousArray<UInt32>()
  private var nodes = ContiguousArray<MappingNode>()
  private var freeNode = noIndex
  /// Content version of small folios (oracle mode only).
  private var contents = ContiguousArray<UInt32>()

  var liveCount: Int { records.count - freeRecords.count }

  mutating func allocate(order: FolioOrder, flags: FolioFlags) -> FolioID {
    var flags = flags.union(.live)
    if order > .base { flags.insert(.large) }
    let record = FolioRecord(flags: flags, attached: 0, head: noIndex, side: noIndex)
    let index: UInt32
    if let free = freeRecords.popLast() {
      index = free
      records[Int(free)] = record
    } else {
      precondition(records.count < 1 << 28, "folio pool is full")
      index = UInt32(records.count)
      records.append(record)
    }
    if order > .base { records[Int(index)].side = newSide(order: order) }
    return FolioID(index)
  }

  mutating func free(_ folio: FolioID) {
    let record = records[Int(folio.raw)]
    precondition(record.attached == 0 && record.flags.contains(.live), "freeing a mapped or free folio")
    if record.side != noIndex { releaseSide(record.side) }
    if Int(folio.raw) < contents.count { contents[Int(folio.raw)] = 0 }
    records[Int(folio.raw)] = FolioRecord(flags: [], attached: 0, head: noIndex, side: noIndex)
    freeRecords.append(folio.raw)
  }

  subscript(folio: FolioID) -> FolioRecord {
    @inline(__always) get { records[Int(folio.raw)] }
    @inline(__always) _modify { yield &records[Int(folio.raw)] }
  }

  // — side records

  private mutating func newSide(order: FolioOrder) -> UInt32 {
    if let free = freeSides.popLast() {
      sides[Int(free)] = FolioSide(order: order)
      return free
    }
    sides.append(FolioSide(order: order))
    return UInt32(sides.count - 1)
  }

  private mutating func releaseSide(_ side: UInt32) {
    sides[Int(side)] = FolioSide(order: .base)
    freeSides.append(side)
  }

  /// The side record, `nil` for a plain small folio.
  func side(_ folio: FolioID) -> FolioSide? {
    let side = records[Int(folio.raw)].side
    return side == noIndex ? nil : sides[Int(side)]
  }

  /// Changes the side record, made if there was none.
  mutating func withSide<R>(_ folio: FolioID, _ body: (inout FolioSide) -> R) -> R {
    if records[Int(folio.raw)].side == noIndex { records[Int(folio.raw)].side = newSide(order: .base) }
    let index = Int(records[Int(folio.raw)].side)
    return body(&sides[index])
  }

  func order(_ folio: FolioID) -> FolioOrder {
    // Not through `side`, which copies the record with its arrays.
    let side = records[Int(folio.raw)].side
    return side == noIndex ? .base : sides[Int(side)].order
  }

  // — mappings

  /// One more entry refers to the folio, at `place` among the tables of its family. `false`: a small folio is mapped
  /// at another place too, so the caller has to name all its entries to `scatter` first.
  @inline(__always)
  mutating func attach(_ ref: EntryRef, at place: FamilySlot, to folio: FolioID, page: Int, huge: Bool) -> Bool {
    let index = Int(folio.raw)
    let record = records[index]
    if record.flags.isDisjoint(with: [.large, .mappingList]) {
      if record.attached == 0 {
        records[index].head = ref.raw
      } else if record.flags.contains(.familySlot) {
        guard record.head == place.raw else { return false }
      } else {
        return false
      }
      records[index].attached &+= 1
      return true
    }
    attachToList(ref, folio, page, huge)
    return true
  }

  private mutating func attachToList(_ ref: EntryRef, _ folio: FolioID, _ page: Int, _ huge: Bool) {
    let index = Int(folio.raw)
    records[index].attached &+= 1
    guard records[index].flags.contains(.large) else {
      records[index].head = newNode(MappingNode(ref: ref.raw, next: records[index].head))
      return
    }
    let next = withSide(folio) { side in side.heads[page] }
    let node = newNode(MappingNode(ref: ref.raw, next: next))
    withSide(folio) { side in
      side.heads[page] = node
      if huge { side.entire &+= 1 } else { side.attachedPerPage[page] &+= 1 }
    }
  }

  /// The one mapping of a small folio stands at `place`, and so will the next.
  mutating func keepPlace(_ place: FamilySlot, of folio: FolioID) {
    records[Int(folio.raw)].head = place.raw
    records[Int(folio.raw)].flags.insert(.familySlot)
  }

  /// The entries of a small folio, newest first, as a list from here on.
  mutating func scatter(_ folio: FolioID, _ refs: [EntryRef]) {
    let index = Int(folio.raw)
    precondition(refs.count == Int(records[index].attached), "a mapping of the folio is not where it should be")
    var head = noIndex
    for ref in refs.reversed() { head = newNode(MappingNode(ref: ref.raw, next: head)) }
    records[index].head = head
    records[index].flags.remove(.familySlot)
    records[index].flags.insert(.mappingList)
  }

  @inline(__always)
  mutating func detach(_ ref: EntryRef, from folio: FolioID, page: Int, huge: Bool) {
    let index = Int(folio.raw)
    let record = records[index]
    precondition(record.attached > 0, "detaching from an unmapped folio")
    records[index].attached = record.attached &- 1
    guard record.flags.isDisjoint(with: [.large, .mappingList]) else {
      detachFromList(ref, folio, page, huge)
      return
    }
    if record.attached == 1 {
      records[index].head = noIndex
      records[index].flags.remove(.familySlot)
    }
  }

  private mutating func detachFromList(_ ref: EntryRef, _ folio: FolioID, _ page: Int, _ huge: Bool) {
    let index = Int(folio.raw)
    guard records[index].flags.contains(.large) else {
      records[index].head = removeNode(ref, from: records[index].head)
      if records[index].attached == 1 {
        let node = records[index].head
        records[index].head = nodes[Int(node)].ref
        records[index].flags.remove(.mappingList)
        recycle(node)
      }
      return
    }
    let head = withSide(folio) { side in side.heads[page] }
    let newHead = removeNode(ref, from: head)
    withSide(folio) { side in
      side.heads[page] = newHead
      if huge { side.entire &-= 1 } else { side.attachedPerPage[page] &-= 1 }
    }
  }

  /// Where the entries are that refer to a page.
  func mappings(of folio: FolioID, page: Int) -> Mappings {
    let record = records[Int(folio.raw)]
    if record.flags.contains(.large) {
      let head = side(folio)?.heads[page] ?? noIndex
      return head == noIndex ? .none : .list(head)
    }
    if record.attached == 0 { return .none }
    if record.flags.contains(.mappingList) { return .list(record.head) }
    return record.flags.contains(.familySlot)
      ? .familySlot(FamilySlot(raw: record.head)) : .one(EntryRef(raw: record.head))
  }

  func forEachListed(from first: UInt32, _ body: (EntryRef) -> Void) {
    var node = first
    while node != noIndex {
      body(EntryRef(raw: nodes[Int(node)].ref))
      node = nodes[Int(node)].next
    }
  }

  func firstListed(from first: UInt32, where isWanted: (EntryRef) -> Bool) -> EntryRef? {
    var node = first
    while node != noIndex {
      let ref = EntryRef(raw: nodes[Int(node)].ref)
      if isWanted(ref) { return ref }
      node = nodes[Int(node)].next
    }
    return nil
  }

  private mutating func newNode(_ node: MappingNode) -> UInt32 {
    if freeNode != noIndex {
      let index = freeNode
      freeNode = nodes[Int(index)].next
      nodes[Int(index)] = node
      return index
    }
    nodes.append(node)
    return UInt32(nodes.count - 1)
  }

  private mutating func recycle(_ node: UInt32) {
    nodes[Int(node)] = MappingNode(ref: noIndex, next: freeNode)
    freeNode = node
  }

  /// Takes the node of `ref` out and returns the new head.
  private mutating func removeNode(_ ref: EntryRef, from head: UInt32) -> UInt32 {
    var previous = noIndex
    var node = head
    while node != noIndex {
      let next = nodes[Int(node)].next
      if nodes[Int(node)].ref == ref.raw {
        if previous != noIndex { nodes[Int(previous)].next = next }
        recycle(node)
        return previous == noIndex ? next : head
      }
      previous = node
      node = next
    }
    preconditionFailure("entry \(ref.raw) is not a mapping of the folio")
  }

  // — content versions (oracle mode)

  func content(_ folio: FolioID, page: Int) -> UInt32 {
    let side = records[Int(folio.raw)].side
    if side != noIndex, sides[Int(side)].order > .base {
      return page < sides[Int(side)].content.count ? sides[Int(side)].content[page] : 0
    }
    return Int(folio.raw) < contents.count ? contents[Int(folio.raw)] : 0
  }

  mutating func setContent(_ version: UInt32, of folio: FolioID, page: Int) {
    if records[Int(folio.raw)].flags.contains(.large) {
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
