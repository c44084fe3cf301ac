// SPDX-License-Identifier: GPL-2.0-only

import Glibc

/// An array in leaves of 512 elements, for what there is one of per page.
///
/// A leaf that was never written costs nothing, and one that says the same as another array's leaf at the same place
/// can be stored once for both (`shareEqualLeaves`) until one of the two writes to it. Elements never move, so that
/// growing needs no second copy.
@safe
struct LeafArray<Element: BitwiseCopyable & Sendable>: ~Copyable, @unchecked Sendable {
  static var leafSize: Int { 512 }

  /// Per leaf its address; the lowest bit says that it must not be written: others may have it too, or it is `blank`.
  private var addresses: UnsafeMutablePointer<UInt>
  /// Leaves there is room for, written or not.
  private(set) var leafCount = 0
  private var capacity = 8
  /// Leaves that no other array uses.
  private(set) var ownLeafCount = 0
  /// `nil`: blank.
  private var leaves = ContiguousArray<Leaf<Element>?>()
  private let blank: Leaf<Element>

  /// Every element that was not written yet is `blank`.
  init(blank element: Element) {
    self.init(blank: Leaf(repeating: element))
  }

  private init(blank: Leaf<Element>) {
    self.blank = blank
    unsafe addresses = .allocate(capacity: capacity)
    unsafe addresses.initialize(repeating: UInt(bitPattern: blank.elements) | 1, count: capacity)
  }

  deinit { unsafe addresses.deallocate() }

  borrowing func copy() -> LeafArray {
    var copy = LeafArray(blank: blank)
    if leafCount > 0 { copy.grow(toInclude: leafCount * Self.leafSize - 1) }
    for number in 0..<leafCount where leaves[number] != nil {
      copy.set(number, unsafe Leaf(copying: elements(number)))
    }
    return copy
  }

  subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(UInt(bitPattern: index) &>> 9 < UInt(bitPattern: leafCount), "no such element")
      return unsafe elements(index &>> 9)[index & 511]
    }
    @inline(__always) set {
      precondition(UInt(bitPattern: index) &>> 9 < UInt(bitPattern: leafCount), "no such element")
      if unsafe addresses[index &>> 9] & 1 != 0 { makeOwn(index &>> 9) }
      unsafe elements(index &>> 9)[index & 511] = newValue
    }
  }

  /// Room for the element.
  @inline(__always)
  mutating func grow(toInclude index: Int) {
    if index &>> 9 >= leafCount { grow(to: index &>> 9 &+ 1) }
  }

  @inline(never)
  private mutating func grow(to count: Int) {
    if count > capacity {
      let larger = max(count, capacity * 2)
      let moved = UnsafeMutablePointer<UInt>.allocate(capacity: larger)
      unsafe moved.initialize(from: addresses, count: capacity)
      unsafe (moved + capacity).initialize(repeating: UInt(bitPattern: blank.elements) | 1, count: larger - capacity)
      unsafe addresses.deallocate()
      unsafe addresses = moved
      capacity = larger
    }
    leaves.append(contentsOf: repeatElement(nil, count: count - leafCount))
    leafCount = count
  }

  /// All elements of the leaf are blank from here on.
  mutating func dropLeaf(_ number: Int) {
    if isOwn(number) { ownLeafCount -= 1 }
    leaves[number] = nil
    unsafe addresses[number] = UInt(bitPattern: blank.elements) | 1
  }

  @inline(__always)
  private func elements(_ number: Int) -> UnsafeMutablePointer<Element> {
    unsafe UnsafeMutablePointer(bitPattern: addresses[number] & ~1).unsafelyUnwrapped
  }

  private func isOwn(_ number: Int) -> Bool { unsafe addresses[number] & 1 == 0 }

  @inline(never)
  private mutating func makeOwn(_ number: Int) {
    if leaves[number] != nil, isKnownUniquelyReferenced(&leaves[number]) {
      // Whoever had it too has given it up.
      unsafe addresses[number] &= ~1
      ownLeafCount += 1
    } else {
      set(number, unsafe Leaf(copying: elements(number)))
    }
  }

  /// `leaf` is this array's alone.
  private mutating func set(_ number: Int, _ leaf: Leaf<Element>) {
    leaves[number] = leaf
    unsafe addresses[number] = UInt(bitPattern: leaf.elements)
    ownLeafCount += 1
  }
}

extension LeafArray {
  /// Leaves that are equal in both arrays at the same place are stored once from here on.
  mutating func shareEqualLeaves(with other: inout LeafArray) {
    for number in 0..<leafCount {
      guard number < other.leafCount, let leaf = other.leaves[number] else {
        if leaves[number] != nil, unsafe isEqual(elements(number), blank.elements) { dropLeaf(number) }
        continue
      }
      guard leaves[number] !== leaf, unsafe isEqual(elements(number), leaf.elements) else { continue }
      if isOwn(number) { ownLeafCount -= 1 }
      if other.isOwn(number) { other.ownLeafCount -= 1 }
      leaves[number] = leaf
      unsafe other.addresses[number] |= 1
      unsafe addresses[number] = other.addresses[number]
    }
  }

  private func isEqual(_ a: UnsafeMutablePointer<Element>, _ b: UnsafeMutablePointer<Element>) -> Bool {
    unsafe memcmp(a, b, Self.leafSize * MemoryLayout<Element>.stride) == 0
  }
}

/// 512 elements.
@safe
private final class Leaf<Element: BitwiseCopyable>: @unchecked Sendable {
  let elements: UnsafeMutablePointer<Element>

  init(repeating element: Element) {
    unsafe elements = .allocate(capacity: 512)
    unsafe elements.initialize(repeating: element, count: 512)
  }

  init(copying other: UnsafeMutablePointer<Element>) {
    unsafe elements = .allocate(capacity: 512)
    unsafe elements.initialize(from: other, count: 512)
  }

  deinit { unsafe elements.deallocate() }
}
