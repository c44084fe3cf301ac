// SPDX-License-Identifier: GPL-2.0-only

/// An array with one owner: elements are changed where they lie, and nothing asks who else may refer to them.
///
/// The normalizer touches its tables a dozen times per record, and `Array` asks every time.
@safe
struct FlatArray<Element: ~Copyable>: ~Copyable {
  fileprivate var elements: UnsafeMutablePointer<Element>
  private var capacity: Int
  fileprivate(set) var count = 0

  init(minimumCapacity: Int = 16) {
    capacity = max(minimumCapacity, 1)
    unsafe elements = .allocate(capacity: capacity)
  }

  deinit {
    unsafe elements.deinitialize(count: count)
    unsafe elements.deallocate()
  }

  var indices: Range<Int> { 0..<count }

  subscript(index: Int) -> Element {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(place(of: index)) }
    @inline(__always) unsafeMutableAddress { unsafe place(of: index) }
  }

  /// Where the element is until the array grows.
  @inline(__always)
  func place(of index: Int) -> UnsafeMutablePointer<Element> {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "no such element")
    return unsafe elements + index
  }

  @inline(__always)
  mutating func append(_ element: consuming Element) {
    if count == capacity { grow() }
    unsafe (elements + count).initialize(to: element)
    count &+= 1
  }

  /// `nil` when there is none.
  mutating func popLast() -> Element? {
    guard count > 0 else { return nil }
    count -= 1
    return unsafe (elements + count).move()
  }

  /// Leaves out the first elements; what follows moves to the front.
  mutating func removeFirst(_ number: Int) {
    precondition(number >= 0 && number <= count, "more than there are")
    guard number > 0 else { return }
    unsafe elements.deinitialize(count: number)
    count -= number
    unsafe elements.moveInitialize(from: elements + number, count: count)
  }

  @inline(never)
  private mutating func grow() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
    unsafe larger.moveInitialize(from: elements, count: count)
    unsafe elements.deallocate()
    unsafe elements = larger
    capacity *= 2
  }
}

extension FlatArray {
  mutating func append(repeating element: Element, count: Int) {
    for _ in 0..<count { append(element) }
  }

  /// Moves elements towards the front; the place behind their new one. What was there is gone.
  mutating func move(_ range: Range<Int>, to index: Int) -> Int {
    precondition(index >= 0 && index <= range.lowerBound && range.upperBound <= count, "more than there are")
    if index < range.lowerBound {
      unsafe (elements + index).update(from: elements + range.lowerBound, count: range.count)
    }
    return index + range.count
  }

  /// Appends a copy of these elements.
  func copy(_ range: Range<Int>, to array: inout [Element]) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "more than there are")
    unsafe array.append(contentsOf: UnsafeBufferPointer(start: elements + range.lowerBound, count: range.count))
  }
}
