// SPDX-License-Identifier: GPL-2.0-only

/// Where the entries are that refer to a page.
enum Mappings: Sendable {
  case none
  case one(EntryRef)
  /// In some of the tables of a family, at this slot.
  case familySlot(FamilySlot)
  /// The first node of a list.
  case list(UInt32)
}

/// The entries of pages that are mapped at different places: one list per page, newest first.
struct MappingLists: ~Copyable, Sendable {
  private var nodes = LeafArray<MappingNode>(blank: .free)
  private var numbers = Numbering()

  /// The new first node.
  mutating func push(_ ref: EntryRef, onto first: UInt32) -> UInt32 {
    let node = numbers.take { Int($0) &>> 9 >= nodes.leafCount || nodes[Int($0)].ref == noIndex }
    nodes.grow(toInclude: Int(node))
    nodes[Int(node)] = MappingNode(ref: ref.raw, next: first)
    return node
  }

  /// Takes the node of `ref` out and returns the first of the rest.
  mutating func remove(_ ref: EntryRef, from first: UInt32) -> UInt32 {
    var previous = noIndex
    var node = first
    while node != noIndex {
      let next = nodes[Int(node)].next
      if nodes[Int(node)].ref == ref.raw {
        if previous != noIndex { nodes[Int(previous)] = MappingNode(ref: nodes[Int(previous)].ref, next: next) }
        recycle(node)
        return previous == noIndex ? next : first
      }
      previous = node
      node = next
    }
    preconditionFailure("entry \(ref.raw) is not a mapping of the folio")
  }

  /// The entry of a list of one, which is gone then.
  mutating func popOnly(_ node: UInt32) -> EntryRef {
    let ref = EntryRef(raw: nodes[Int(node)].ref)
    recycle(node)
    return ref
  }

  func forEach(from first: UInt32, _ body: (EntryRef) -> Void) {
    var node = first
    while node != noIndex {
      body(EntryRef(raw: nodes[Int(node)].ref))
      node = nodes[Int(node)].next
    }
  }

  func first(from first: UInt32, where isWanted: (EntryRef) -> Bool) -> EntryRef? {
    var node = first
    while node != noIndex {
      let ref = EntryRef(raw: nodes[Int(node)].ref)
      if isWanted(ref) { return ref }
      node = nodes[Int(node)].next
    }
    return nil
  }

  private mutating func recycle(_ node: UInt32) {
    nodes[Int(node)] = .free
    numbers.giveBack(node)
  }
}

/// One further mapping of a folio.
private struct MappingNode: BitwiseCopyable, Sendable {
  var ref: UInt32
  var next: UInt32

  static let free = MappingNode(ref: noIndex, next: noIndex)
}

extension MappingLists {
  mutating func becomeFollower() { numbers.becomeFollower() }

  @inline(__always)
  mutating func beginOperation() { numbers.beginOperation() }

  @inline(__always)
  mutating func beginOperation(after leader: borrowing MappingLists) { numbers.beginOperation(after: leader.numbers) }

  /// Bytes of leaves that no other world uses.
  var ownBytes: Int { nodes.ownLeafCount * LeafArray<MappingNode>.leafSize * MemoryLayout<MappingNode>.stride }

  mutating func shareEqualLeaves(with other: inout MappingLists) { nodes.shareEqualLeaves(with: &other.nodes) }

  borrowing func copy() -> MappingLists {
    var copy = MappingLists()
    copy.nodes = nodes.copy()
    copy.numbers = numbers
    return copy
  }
}
